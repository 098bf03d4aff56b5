/* Digests, serial numbers, enrolment and challenges against a real server. */
#include "fixture.h"
#include "store/challenge.h"

static void test_serial(void **state)
{
	uint8_t a[STORE_SERIAL_SIZE], b[STORE_SERIAL_SIZE];

	(void)state;
	assert_ok(store_serial(1795267200, a, &why));
	assert_ok(store_serial(1795267200, b, &why));
	assert_memory_equal(a, "\x0c\xf5\xb9\x80", 4);
	assert_memory_equal(a, b, 4);
	assert_memory_not_equal(a + 4, b + 4, 12);
	assert_int_equal(store_serial(0, a, &why), ERR_INTERNAL);
	assert_int_equal(store_serial(1577836800, a, &why), ERR_INTERNAL);	/* a leading zero octet */
	assert_ok(store_serial(3725320447, a, &why));
	assert_int_equal(a[0], 0x7f);
	assert_int_equal(store_serial(3725320448, a, &why), ERR_INTERNAL);	/* negative */
	assert_why("clock");
}

static void test_digest(void **state)
{
	const struct store_conf conf = {"", 1000, BYTES_LIT("another pepper of 32 octets or m"), "test"};
	struct store *other = store_open(&conf);
	uint8_t a[STORE_DIGEST_SIZE], b[STORE_DIGEST_SIZE];

	(void)state;
	store_digest(super, "txid", BYTES_LIT("value"), a);
	store_digest(super, "txid", BYTES_LIT("value"), b);
	assert_memory_equal(a, b, sizeof(a));
	store_digest(super, "device", BYTES_LIT("value"), b);
	assert_memory_not_equal(a, b, sizeof(a));
	store_digest(other, "txid", BYTES_LIT("value"), b);
	assert_memory_not_equal(a, b, sizeof(a));
	store_close(other);
	store_close(NULL);
}

static void test_issue_and_resend(void **state)
{
	struct store_request r = sample_request("txn 1", "key", "csr");
	struct buf first, again;
	struct store_answer a;

	(void)state;
	assert_int_equal(admit(&r), STORE_GO_ON);
	assert_int_equal(issue(&r, &first), STORE_GO_ON);
	assert_ok(store_admit(super, &r, &a, &why));
	assert_int_equal(a.verdict, STORE_ISSUED);
	assert_true(bytes_eq(buf_bytes(&a.cert), buf_bytes(&first)));
	store_answer_free(&a);
	assert_int_equal(issue(&r, &again), STORE_ISSUED);
	assert_true(bytes_eq(buf_bytes(&again), buf_bytes(&first)));
	buf_free(&again);
	assert_int_equal(poll_for("txn 1", "key", &again), STORE_ISSUED);
	assert_true(bytes_eq(buf_bytes(&again), buf_bytes(&first)));
	buf_free(&again);
	buf_free(&first);
	assert_sql("SELECT count(*) FROM scep.cert", "1");
	assert_sql("SELECT count(*) FROM scep.request", "1");
	assert_sql("SELECT count(*) FROM scep.audit", "1");
	assert_sql("SELECT kind || ' ' || profile || ' ' || actor || ' ' || txid || ' ' || detail || ' ' || (cert_id = audit_id) FROM scep.audit",
	    "issue default 127.0.0.1 txn 1 CN=device-1 true");
	assert_sql("SELECT n_issued FROM scep.device", "1");
	assert_sql("SELECT convert_from(der, 'UTF8') FROM scep.issuer", "certificate of the CA");
	assert_sql("SELECT device || ' ' || sans || ' ' || subject FROM scep.cert", "device-1 DNS:device-1 CN=device-1");
	assert_sql("SELECT tableoid::regclass::text = 'scep.cert_' || to_char(to_timestamp(1577836800 + ('x' || left(cert_id::text, 8))::bit(32)::bigint) "
		   "AT TIME ZONE 'UTC', 'YYYY') FROM scep.cert", "t");
}

/* A call whose answer was lost, made again with the same certificate: it is ours, not somebody else's. */
static void test_issue_repeated(void **state)
{
	struct store_request r = sample_request("txn", "key", "csr");
	struct store_cert c = sample_cert("key");
	struct store_answer a;

	(void)state;
	assert_ok(store_issue(super, &r, &c, &a, &why));
	assert_int_equal(a.verdict, STORE_GO_ON);
	assert_ok(store_issue(super, &r, &c, &a, &why));
	assert_int_equal(a.verdict, STORE_GO_ON);
	assert_int_equal(a.cert.n, 0);
	r = sample_request("another", "key", "csr");
	assert_int_equal(store_issue(super, &r, &c, &a, &why), ERR_INTERNAL);
	assert_why("serial");
	assert_sql("SELECT count(*) FROM scep.cert", "1");
	assert_sql("SELECT count(*) FROM scep.request", "1");
	assert_sql("SELECT count(*) FROM scep.audit", "1");
}

/* P-138 to P-140: profile, transaction, key and request all count. */
static void test_issue_others(void **state)
{
	struct store_request r = sample_request("txn", "key", "csr");
	struct buf first, cert;

	(void)state;
	assert_int_equal(issue(&r, &first), STORE_GO_ON);
	r = sample_request("txn", "key", "another csr");
	assert_int_equal(admit(&r), STORE_GO_ON);
	assert_int_equal(issue(&r, NULL), STORE_GO_ON);
	r = sample_request("txn", "another key", "csr");
	assert_int_equal(admit(&r), STORE_GO_ON);
	assert_int_equal(poll_for("txn", "another key", NULL), STORE_GO_ON);
	assert_int_equal(issue(&r, &cert), STORE_GO_ON);
	assert_false(bytes_eq(buf_bytes(&cert), buf_bytes(&first)));
	buf_free(&cert);
	buf_free(&first);
	r = sample_request("txn", "key", "csr");
	r.profile = "another";
	assert_int_equal(admit(&r), STORE_GO_ON);
	assert_int_equal(issue(&r, NULL), STORE_GO_ON);
	r = sample_request("another txn", "key", "csr");
	assert_int_equal(admit(&r), STORE_GO_ON);
	assert_int_equal(issue(&r, NULL), STORE_GO_ON);
	assert_sql("SELECT count(DISTINCT cert_id) FROM scep.request", "5");
	assert_sql("SELECT n_issued FROM scep.device WHERE profile = 'default'", "4");
}

/* Key and request must not run into each other. */
static void test_digest_boundaries(void **state)
{
	struct store_request r = sample_request("txn", "ab", "c");

	(void)state;
	assert_int_equal(issue(&r, NULL), STORE_GO_ON);
	r = sample_request("txn", "a", "bc");
	assert_int_equal(admit(&r), STORE_GO_ON);
}

static void test_pending(void **state)
{
	struct store_request r = sample_request("txn", "key", "csr"), other = sample_request("txn", "key", "another csr");

	(void)state;
	assert_int_equal(pend(&r), STORE_PENDING);
	assert_int_equal(admit(&r), STORE_PENDING);
	assert_int_equal(issue(&r, NULL), STORE_PENDING);
	assert_int_equal(poll_for("txn", "key", NULL), STORE_PENDING);
	assert_int_equal(poll_for("txn", "another key", NULL), STORE_GO_ON);
	assert_int_equal(admit(&other), STORE_OTHER_PENDING);
	assert_int_equal(issue(&other, NULL), STORE_OTHER_PENDING);
	other.profile = "another";
	assert_int_equal(admit(&other), STORE_GO_ON);
	assert_int_equal(issue(&other, NULL), STORE_GO_ON);
	assert_sql("SELECT count(*) FROM scep.request WHERE profile = 'default'", "1");
}

static void test_rejected_and_approved(void **state)
{
	struct store_request r = sample_request("txn", "key", "csr"), other = sample_request("txn", "key", "another csr");

	(void)state;
	assert_int_equal(pend(&r), STORE_PENDING);
	decide(false);
	assert_int_equal(admit(&r), STORE_REJECTED);
	assert_int_equal(issue(&r, NULL), STORE_REJECTED);
	assert_int_equal(poll_for("txn", "key", NULL), STORE_REJECTED);
	assert_int_equal(admit(&other), STORE_GO_ON);

	run_sql("DELETE FROM scep.request");
	assert_int_equal(pend(&r), STORE_PENDING);
	decide(true);
	assert_int_equal(poll_for("txn", "key", NULL), STORE_APPROVED);
	assert_int_equal(admit(&other), STORE_OTHER_PENDING);
	assert_int_equal(issue(&other, NULL), STORE_OTHER_PENDING);
	r.challenge = BYTES_LIT("was consumed when it was queued");
	assert_int_equal(admit(&r), STORE_APPROVED);
	assert_int_equal(issue(&r, NULL), STORE_GO_ON);
	assert_int_equal(admit(&r), STORE_ISSUED);
	assert_int_equal(issue(&other, NULL), STORE_GO_ON);
	assert_sql("SELECT count(*) FROM scep.request WHERE state = 2", "2");
	assert_sql("SELECT count(*) FROM scep.cert", "2");
}

/* Two unfinished requests under one transaction id cannot exist, whoever races. */
static void test_unfinished_is_unique(void **state)
{
	struct store_request r = sample_request("txn", "key", "csr"), other = sample_request("txn", "key", "another csr");
	char *got;

	(void)state;
	assert_int_equal(issue(&r, NULL), STORE_GO_ON);
	assert_int_equal(issue(&other, NULL), STORE_GO_ON);
	got = cluster_sql("postgres", "?UPDATE scep.request SET state = 0, cert_id = NULL, id = req_h::text, sealed = ''");
	assert_string_equal(got, "ERROR 23505");
	free(got);
}

static void test_expired_request(void **state)
{
	struct store_request r = sample_request("txn", "key", "csr"), other = sample_request("txn", "key", "another csr");

	(void)state;
	r.challenge = BYTES_LIT("unknown");
	assert_int_equal(pend(&other), STORE_PENDING);
	run_sql("UPDATE scep.request SET expires_at = now() - interval '1 second'");
	assert_int_equal(poll_for("txn", "key", NULL), STORE_GO_ON);
	assert_int_equal(admit(&other), STORE_GO_ON);
	assert_int_equal(admit(&r), STORE_CHALLENGE);		/* not STORE_OTHER_PENDING */
	other.challenge = BYTES_LIT("unknown");
	assert_int_equal(issue(&other, NULL), STORE_CHALLENGE);	/* begins anew: the challenge counts again */
	run_sql("UPDATE scep.request SET state = 1");		/* even if it was approved once */
	assert_int_equal(admit(&other), STORE_CHALLENGE);
	assert_int_equal(issue(&other, NULL), STORE_CHALLENGE);
	other.challenge = (struct bytes){0};
	assert_int_equal(issue(&other, NULL), STORE_GO_ON);
	assert_sql("SELECT count(*) || ' ' || bool_and(expires_at > now() + interval '29 days') FROM scep.request", "1 true");
}

/* Anything a client can send must be storable. */
static void test_hostile_text(void **state)
{
	static const char start[] = "CN=\xc3\xa4\xff\xed\xa0\x80\xf4\x90\x80\x80\xc0\x80\xe2\x82\x01";
	struct store_request r = sample_request("", "key", "csr");
	char *subject = mem_alloc(9001);

	(void)state;
	r.txid = bytes_of("a\0b\xff\"\n", 6);
	memset(subject, 'x', 9000);
	memcpy(subject, start, sizeof(start) - 1);
	r.subject = subject;
	r.device = "\xe2\x82";
	assert_int_equal(admit(&r), STORE_GO_ON);
	assert_int_equal(issue(&r, NULL), STORE_GO_ON);
	assert_int_equal(admit(&r), STORE_ISSUED);
	assert_sql("SELECT txid FROM scep.cert", "a\\x00b\\xff\\x22\\x0a");
	assert_sql("SELECT left(subject, 19) FROM scep.cert", "CN=\xc3\xa4?????????????xx");
	assert_sql("SELECT octet_length(subject) FROM scep.cert", "8192");
	assert_sql("SELECT device FROM scep.cert", "\?\?");
	free(subject);
}

static void test_no_device(void **state)
{
	struct store_request r = sample_request("txn", "key", "csr");

	(void)state;
	r.device = NULL;
	r.subject = NULL;
	assert_int_equal(issue(&r, NULL), STORE_GO_ON);
	assert_sql("SELECT count(*) FROM scep.device", "0");
	assert_sql("SELECT count(*) FROM scep.cert WHERE device IS NULL AND subject = ''", "1");
}

static void test_clock_ahead(void **state)
{
	struct store_request r = sample_request("txn", "key", "csr");
	struct store_cert c = sample_cert("key");
	struct store_answer a;

	(void)state;
	assert_ok(store_serial(time(NULL) + 3 * 86400, c.serial, &why));
	assert_int_equal(store_issue(super, &r, &c, &a, &why), ERR_DB);
	assert_why("clock");
	assert_sql("SELECT count(*) FROM scep.request", "0");
}

/* What admit and issue say to a challenge must be the same, for the same reason. */
static void assert_challenge(struct store_request *r, const char *secret, const char *reason)
{
	r->challenge = bytes_str(secret);
	memset(&why, 0, sizeof(why));
	assert_int_equal(admit(r), STORE_CHALLENGE);
	assert_int_equal(why.err, ERR_CHALLENGE);
	assert_why(reason);
	memset(&why, 0, sizeof(why));
	assert_int_equal(issue(r, NULL), STORE_CHALLENGE);
	assert_int_equal(why.err, ERR_CHALLENGE);
	assert_why(reason);
}

static void test_challenge_refused(void **state)
{
	struct store_request r = sample_request("txn", "key", "csr");
	char *revoked = add_challenge("revoked", (struct store_challenge){0});

	(void)state;
	free(add_challenge("expired", (struct store_challenge){.expires = time(NULL) - 1}));
	free(add_challenge("profile", (struct store_challenge){.profile = (char *)"another"}));
	free(add_challenge("subject", (struct store_challenge){.subject = (char *)"CN=device-2"}));
	free(add_challenge("device", (struct store_challenge){.device = (char *)"device-2"}));
	assert_ok(store_challenge_revoke(super, revoked, "tester", &why));
	free(revoked);
	assert_challenge(&r, "nonsense", "unknown");
	assert_challenge(&r, "expired", "expired");
	assert_challenge(&r, "revoked", "was revoked");
	assert_challenge(&r, "profile", "bound to profile 'another', not 'default'");
	assert_challenge(&r, "subject", "bound to subject 'CN=device-2', not 'CN=device-1'");
	assert_challenge(&r, "device", "bound to device 'device-2', not 'device-1'");
	r.device = NULL;
	assert_challenge(&r, "device", "bound to device");
	assert_sql("SELECT count(*) FROM scep.cert", "0");
	assert_sql("SELECT count(*) FROM scep.request", "0");
	assert_sql("SELECT count(*) FROM scep.device", "0");
	assert_sql("SELECT count(*) FROM scep.audit WHERE kind = 'issue'", "0");
	assert_sql("SELECT count(*) FROM scep.challenge WHERE consumed_at IS NOT NULL OR uses_left <> 1", "0");
}

static void test_challenge_consumed(void **state)
{
	struct store_request r = sample_request("txn", "key", "csr");

	(void)state;
	free(add_challenge("secret", (struct store_challenge){
	    .profile = (char *)"default", .subject = (char *)"CN=device-1", .device = (char *)"device-1"}));
	r.challenge = BYTES_LIT("secret");
	assert_int_equal(admit(&r), STORE_GO_ON);
	assert_int_equal(admit(&r), STORE_GO_ON);	/* consumes nothing */
	assert_int_equal(issue(&r, NULL), STORE_GO_ON);
	assert_int_equal(admit(&r), STORE_ISSUED);	/* a resend brings it again */
	assert_int_equal(issue(&r, NULL), STORE_ISSUED);
	assert_sql("SELECT uses_left || ' ' || (consumed_by = cert_id) FROM scep.challenge, scep.cert", "0 true");
	r = sample_request("another", "key", "csr");
	assert_challenge(&r, "secret", "used up");
}

static void test_challenge_uses(void **state)
{
	struct store_request r = sample_request("1", "key", "csr");
	char *id = add_challenge("secret", (struct store_challenge){.uses_left = 2});

	(void)state;
	r.challenge = BYTES_LIT("secret");
	assert_int_equal(issue(&r, NULL), STORE_GO_ON);
	r.txid = BYTES_LIT("2");
	assert_int_equal(issue(&r, NULL), STORE_GO_ON);
	r.txid = BYTES_LIT("3");
	assert_challenge(&r, "secret", id);
	free(id);
}

/* What admit tells about the certificate that signed a request. */
static void assert_old(const struct store_request *r, const struct store_cert *old, bool revoked)
{
	struct store_answer a;

	assert_ok(store_admit(super, r, &a, &why));
	assert_int_equal(a.verdict, STORE_GO_ON);
	assert_true(bytes_eq(buf_bytes(&a.old.cert), old != NULL ? old->der : (struct bytes){0}));
	if (old != NULL)
		assert_string_equal(a.old.profile, "default");
	assert_int_equal(a.old.revoked, revoked);
	store_answer_free(&a);
}

static void test_renewal(void **state)
{
	struct store_request r = sample_request("first", "key", "csr");
	struct store_cert old = sample_cert("key"), c;
	struct store_answer a;

	(void)state;
	assert_ok(store_issue(super, &r, &old, &a, &why));
	r = sample_request("second", "key", "csr");
	assert_old(&r, NULL, false);
	r.old_serial = BYTES_LIT("sixteen octets !");
	assert_old(&r, NULL, false);
	r.old_serial = bytes_of(old.serial, STORE_SERIAL_SIZE - 1);
	assert_old(&r, NULL, false);
	r.old_serial = bytes_of(old.serial, STORE_SERIAL_SIZE);
	assert_old(&r, &old, false);
	assert_int_equal(issue(&r, NULL), STORE_GO_ON);
	assert_sql("SELECT count(*) FROM scep.revocation", "0");

	r.txid = BYTES_LIT("third");
	r.revoke_old = true;
	r.revoke_old_after = 3600;
	assert_int_equal(issue(&r, NULL), STORE_GO_ON);
	assert_sql("SELECT reason || ' ' || actor || ' ' || (revoked_at - now() BETWEEN '30 minutes' AND '1 hour') FROM scep.revocation",
	    "4 renewal true");
	r.txid = BYTES_LIT("fourth");
	assert_old(&r, &old, false);
	run_sql("UPDATE scep.revocation SET revoked_at = now()");
	assert_old(&r, &old, true);
	c = sample_cert("key");
	free(add_challenge("secret", (struct store_challenge){0}));
	r.challenge = BYTES_LIT("secret");
	assert_ok(store_issue(super, &r, &c, &a, &why));
	assert_int_equal(a.verdict, STORE_OLD_REVOKED);
	assert_why("revoked meanwhile");
	assert_sql("SELECT count(*) FROM scep.cert", "3");
	assert_sql("SELECT count(*) FROM scep.request", "3");
	assert_sql("SELECT uses_left FROM scep.challenge", "1");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    T(test_serial), T(test_digest), T(test_issue_and_resend), T(test_issue_repeated), T(test_issue_others),
	    T(test_digest_boundaries), T(test_pending), T(test_rejected_and_approved), T(test_unfinished_is_unique),
	    T(test_expired_request), T(test_hostile_text), T(test_no_device), T(test_clock_ahead), T(test_challenge_refused),
	    T(test_challenge_consumed), T(test_challenge_uses), T(test_renewal),
	};

	if (!cluster_start())
		return 0;
	cluster_hurry();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
