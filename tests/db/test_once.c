/* What may be used once, or so often: nonces and their holders, challenges bound to names, and how many certificates a device may have. */
#include "fixture.h"


static struct store_request with_nonce(const char *txid, const char *nonce)
{
	struct store_request r = sample_request(txid, "key", txid);

	r.once = (struct store_once){.nonce = bytes_str(nonce), .until = time(NULL) + 600};
	return r;
}

static void test_nonce(void **state)
{
	struct store_request r = with_nonce("t1", "nonce"), again = with_nonce("t2", "nonce");

	(void)state;
	assert_int_equal(admit(&r), STORE_GO_ON);
	assert_int_equal(admit(&r), STORE_GO_ON);	/* which spends nothing */
	assert_int_equal(issue(&r, NULL), STORE_GO_ON);
	assert_int_equal(admit(&r), STORE_ISSUED);	/* a resend */
	assert_int_equal(issue(&r, NULL), STORE_ISSUED);
	assert_int_equal(admit(&again), STORE_REPLAY);
	assert_why("was used at 20");
	assert_int_equal(why.err, ERR_REPLAY);
	assert_int_equal(issue(&again, NULL), STORE_REPLAY);
	assert_why("was used at 20");
	again.profile = "another";
	assert_int_equal(admit(&again), STORE_REPLAY);
	assert_int_equal(issue(&again, NULL), STORE_REPLAY);
	assert_sql("SELECT count(*) FROM scep.cert", "1");
	assert_sql("SELECT count(*) FROM scep.nonce n WHERE n::text LIKE '%' || encode('nonce', 'hex') || '%'", "0");
	again = with_nonce("t2", "another nonce");
	assert_int_equal(issue(&again, NULL), STORE_GO_ON);
}

static void test_nonce_is_spent_when_queued(void **state)
{
	struct store_request r = with_nonce("t1", "nonce"), again = with_nonce("t2", "nonce");

	(void)state;
	assert_int_equal(pend(&r), STORE_PENDING);
	assert_int_equal(pend(&r), STORE_PENDING);
	assert_int_equal(pend(&again), STORE_REPLAY);
	assert_int_equal(admit(&again), STORE_REPLAY);
	decide(true);
	assert_int_equal(admit(&r), STORE_APPROVED);
	assert_int_equal(issue(&r, NULL), STORE_GO_ON);
}

/* A refused request spends nothing, whichever of its conditions was not met. */
static void test_all_or_nothing(void **state)
{
	struct store_request r = with_nonce("t1", "nonce"), other;

	(void)state;
	free(add_challenge("secret", (struct store_challenge){0}));
	r.challenge = BYTES_LIT("wrong");
	assert_int_equal(issue(&r, NULL), STORE_CHALLENGE);
	r.challenge = BYTES_LIT("secret");
	r.max_active = 1;
	other = sample_request("t0", "key", "csr");
	assert_int_equal(issue(&other, NULL), STORE_GO_ON);
	assert_int_equal(issue(&r, NULL), STORE_MAX_ACTIVE);
	assert_sql("SELECT count(*) FROM scep.nonce", "0");
	r.max_active = 2;
	assert_int_equal(issue(&r, NULL), STORE_GO_ON);
	r = with_nonce("t2", "nonce");
	free(add_challenge("next", (struct store_challenge){0}));
	r.challenge = BYTES_LIT("next");
	assert_int_equal(issue(&r, NULL), STORE_REPLAY);
	assert_sql("SELECT uses_left FROM scep.challenge WHERE consumed_at IS NULL", "1");
}

static void test_holder(void **state)
{
	struct store_request r;
	char txid[20];

	(void)state;
	for (int i = 0; i < 4; i++) {
		snprintf(txid, sizeof(txid), "t%d", i);
		r = with_nonce(txid, txid);
		r.once.holder = BYTES_LIT("device 7");
		r.once.most = 3;
		r.once.window_s = 3600;
		assert_int_equal(admit(&r), i < 3 ? STORE_GO_ON : STORE_HOLDER_LIMIT);
		assert_int_equal(issue(&r, NULL), i < 3 ? STORE_GO_ON : STORE_HOLDER_LIMIT);
	}
	assert_why("3 signed challenges within 3600 s");
	assert_int_equal(pend(&r), STORE_HOLDER_LIMIT);
	assert_sql("SELECT count(*) FROM scep.nonce", "3");
	r.once.holder = BYTES_LIT("device 8");
	assert_int_equal(admit(&r), STORE_GO_ON);
	r.once.holder = BYTES_LIT("device 7");
	run_sql("UPDATE scep.holder SET used_at[1] = now() - interval '61 minutes'");	/* the window slides over the first one */
	assert_int_equal(issue(&r, NULL), STORE_GO_ON);
	assert_sql("SELECT cardinality(used_at) FROM scep.holder", "3");
	r = with_nonce("more", "more");
	r.once.holder = BYTES_LIT("device 7");
	assert_int_equal(issue(&r, NULL), STORE_GO_ON);		/* no window: any number */
}

static void test_purge(void **state)
{
	struct store_request r = with_nonce("t1", "nonce");
	int removed;

	(void)state;
	r.once.holder = BYTES_LIT("device");
	r.once.most = 1;
	r.once.window_s = 60;
	assert_int_equal(issue(&r, NULL), STORE_GO_ON);
	r = with_nonce("t2", "for ever");
	r.once.until = 0;
	assert_int_equal(issue(&r, NULL), STORE_GO_ON);
	assert_ok(store_maintain(super, 100, &removed, &why));
	assert_int_equal(removed, 0);
	run_sql("UPDATE scep.nonce SET expires_at = now() - interval '61 minutes' WHERE expires_at <> 'infinity'");
	run_sql("UPDATE scep.holder SET expires_at = now() - interval '1 second'");
	assert_ok(store_maintain(super, 100, &removed, &why));
	assert_int_equal(removed, 2);
	assert_sql("SELECT count(*) FROM scep.nonce", "1");
	assert_sql("SELECT count(*) FROM scep.holder", "0");
}

static enum store_verdict try_names(const char *txid, const char *const *names)
{
	struct store_request r = sample_request(txid, "key", "csr");

	r.challenge = BYTES_LIT("secret");
	r.sans = names;
	enum store_verdict first = admit(&r);

	assert_int_equal(issue(&r, NULL), first);
	return first;
}

static void test_bound_names(void **state)
{
	char *const bound[] = {(char *)"dns:a.example", (char *)"dns:b.example", NULL};
	const char *const all[] = {"dns:b.example", "dns:a.example", NULL}, *const one[] = {"dns:a.example", NULL};
	const char *const other[] = {"dns:a.example", "dns:evil.example", NULL}, *const none[] = {NULL};

	(void)state;
	free(add_challenge("secret", (struct store_challenge){.sans = (char **)bound, .uses_left = 4}));
	assert_int_equal(try_names("t1", other), STORE_CHALLENGE);
	assert_why("bound to the names 'dns:a.example, dns:b.example', and the request asks for 'dns:evil.example'");
	assert_int_equal(try_names("t2", all), STORE_GO_ON);
	assert_int_equal(try_names("t3", one), STORE_GO_ON);
	assert_int_equal(try_names("t4", none), STORE_GO_ON);
	assert_int_equal(try_names("t5", NULL), STORE_GO_ON);
	assert_int_equal(try_names("t6", one), STORE_CHALLENGE);
	assert_why("is used up");
}

static void test_values(void **state)
{
	char *const vals[] = {(char *)"owner", (char *)"Ann", (char *)"room", (char *)"", NULL};
	struct store_request r = sample_request("t1", "key", "csr");
	struct store_answer a;

	(void)state;
	free(add_challenge("secret", (struct store_challenge){.values = (char **)vals}));
	free(add_challenge("plain", (struct store_challenge){0}));
	r.challenge = BYTES_LIT("secret");
	assert_ok(store_admit(super, &r, &a, &why));
	assert_int_equal(a.verdict, STORE_GO_ON);
	for (int i = 0; i < 4; i++)
		assert_string_equal(a.values[2 + i], vals[i]);
	assert_string_equal(a.values[0], "id");
	assert_null(a.values[6]);
	store_answer_free(&a);
	r.challenge = BYTES_LIT("plain");
	assert_ok(store_admit(super, &r, &a, &why));
	assert_string_equal(a.values[0], "id");
	assert_null(a.values[2]);
	store_answer_free(&a);
}

/* What it is bound to, each kind of name under its own, before what it was given besides. */
static void test_values_of_what_it_is_bound_to(void **state)
{
	static const char *const expected[] = {"device", "dev", "dns", "a.example", "dns", "b.example", "uri", "urn:x:y", "owner", "Ann"};
	char *const vals[] = {(char *)"owner", (char *)"Ann", NULL};
	char *const sans[] = {(char *)"dns:a.example", (char *)"dns:b.example", (char *)"uri:urn:x:y", NULL};
	struct store_request r = sample_request("t1", "key", "csr");
	struct store_answer a;

	(void)state;
	free(add_challenge("secret", (struct store_challenge){.device = (char *)"dev", .sans = (char **)sans, .values = (char **)vals}));
	r.challenge = BYTES_LIT("secret");
	r.device = "dev";
	assert_ok(store_admit(super, &r, &a, &why));
	assert_int_equal(a.verdict, STORE_GO_ON);
	for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++)
		assert_string_equal(a.values[2 + i], expected[i]);
	assert_null(a.values[12]);
	store_answer_free(&a);
}

static enum store_verdict enrol_limited(const char *txid, int most, bool revoke)
{
	struct store_request r = sample_request(txid, "key", "csr");

	r.max_active = most;
	r.revoke_oldest = revoke;
	return issue(&r, NULL);
}

static void test_max_active_refuses(void **state)
{
	struct store_request r = sample_request("other device", "key", "csr");

	(void)state;
	assert_int_equal(enrol_limited("t1", 2, false), STORE_GO_ON);
	assert_int_equal(enrol_limited("t2", 2, false), STORE_GO_ON);
	assert_int_equal(enrol_limited("t3", 2, false), STORE_MAX_ACTIVE);
	assert_why("device 'device-1' has 2 valid certificate(s), and max_active is 2");
	assert_int_equal(enrol_limited("t1", 2, false), STORE_ISSUED);	/* a resend */
	r.max_active = 1;
	r.device = "device-2";
	assert_int_equal(issue(&r, NULL), STORE_GO_ON);
	r.txid = BYTES_LIT("other profile");
	r.device = "device-1";
	r.profile = "another";
	assert_int_equal(issue(&r, NULL), STORE_GO_ON);
	assert_sql("SELECT count(*) FROM scep.revocation", "0");
	run_sql("INSERT INTO scep.revocation (cert_id, reason, actor) SELECT cert_id, 1, 'tester' FROM scep.cert WHERE txid = 't1'");
	assert_int_equal(enrol_limited("t3", 2, false), STORE_GO_ON);
	run_sql("UPDATE scep.cert SET not_after = now() - interval '1 second' WHERE txid = 't2'");
	assert_int_equal(enrol_limited("t4", 2, false), STORE_GO_ON);
	assert_int_equal(enrol_limited("t5", 2, false), STORE_MAX_ACTIVE);
	assert_sql("SELECT cardinality(certs) FROM scep.device WHERE n_issued = 4", "2");
	assert_int_equal(enrol_limited("t5", 0, false), STORE_GO_ON);
}

static void test_max_active_revokes(void **state)
{
	char txid[20];

	(void)state;
	for (int i = 1; i <= 3; i++) {
		snprintf(txid, sizeof(txid), "t%d", i);
		assert_int_equal(enrol_limited(txid, 0, false), STORE_GO_ON);
	}
	run_sql("UPDATE scep.device SET certs = (SELECT array_agg(cert_id ORDER BY txid) FROM scep.cert)");
	assert_int_equal(enrol_limited("t4", 2, true), STORE_GO_ON);
	assert_sql("SELECT count(*) || ' ' || min(reason) || ' ' || min(actor) FROM scep.revocation", "2 4 max_active");
	assert_sql("SELECT count(*) FROM scep.audit a, scep.revocation v WHERE a.txid = 't4' AND a.detail LIKE "
		   "'CN=device-1, superseded by max_active: %' || replace(v.cert_id::text, '-', '') || '%'", "2");
	assert_sql("SELECT count(*) FROM scep.cert WHERE txid = 't4' AND cert_id IN (SELECT cert_id FROM scep.revocation)", "0");
	assert_int_equal(enrol_limited("t5", 2, true), STORE_GO_ON);
	assert_sql("SELECT count(*) FROM scep.revocation", "3");
}

/* The certificate that is renewed does not count, and is not the one to be revoked. */
static void test_max_active_and_renewal(void **state)
{
	struct store_request r = sample_request("t1", "key", "csr");
	struct store_cert first = sample_cert("key"), second = sample_cert("key");
	struct store_answer a;

	(void)state;
	r.max_active = 1;
	assert_ok(store_issue(super, &r, &first, &a, &why));
	r.txid = BYTES_LIT("t2");
	r.old_serial = bytes_of(first.serial, STORE_SERIAL_SIZE);
	assert_ok(store_issue(super, &r, &second, &a, &why));
	assert_int_equal(a.verdict, STORE_GO_ON);
	r.txid = BYTES_LIT("t3");	/* the second one counts */
	assert_int_equal(issue(&r, NULL), STORE_MAX_ACTIVE);
	assert_why("besides the one to be renewed");
	r.revoke_oldest = true;
	assert_int_equal(issue(&r, NULL), STORE_GO_ON);
	assert_sql("SELECT txid FROM scep.cert JOIN scep.revocation USING (cert_id)", "t2");
	r.txid = BYTES_LIT("t4");
	r.revoke_oldest = false;
	r.revoke_old = true;
	r.revoke_old_after = 3600;	/* on its way out: no longer counted */
	run_sql("UPDATE scep.cert SET not_after = now() - interval '1 second' WHERE txid = 't3'");
	assert_int_equal(issue(&r, NULL), STORE_GO_ON);
	r.old_serial = (struct bytes){0};
	r.txid = BYTES_LIT("t5");
	r.max_active = 2;
	assert_int_equal(issue(&r, NULL), STORE_GO_ON);
	r.txid = BYTES_LIT("t6");
	assert_int_equal(issue(&r, NULL), STORE_MAX_ACTIVE);
}

/* A device id that everybody shares must not make a row without end. */
static void test_device_row_is_bounded(void **state)
{
	char txid[20];

	(void)state;
	for (int i = 0; i < 70; i++) {
		snprintf(txid, sizeof(txid), "t%d", i);
		assert_int_equal(enrol_limited(txid, 0, false), STORE_GO_ON);
	}
	assert_sql("SELECT cardinality(certs) || ' ' || n_issued FROM scep.device", "64 70");
	assert_sql("SELECT txid FROM scep.cert WHERE cert_id = (SELECT certs[64] FROM scep.device)", "t69");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    T(test_nonce), T(test_nonce_is_spent_when_queued), T(test_all_or_nothing), T(test_holder), T(test_purge), T(test_bound_names),
	    T(test_values), T(test_values_of_what_it_is_bound_to), T(test_max_active_refuses), T(test_max_active_revokes), T(test_max_active_and_renewal),
	    T(test_device_row_is_bounded)};

	if (!cluster_start())
		return 0;
	cluster_hurry();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
