/* renew_judge: which certificates may be renewed, and when; time is an argument. */
#include "unit.h"

#include <string.h>

#include "ca/renew.h"
#include "pki/name.h"

#define FROM ((time_t)1800000000)
#define DAY 86400
#define TO (FROM + 100 * DAY)

/* One certificate of a CA, and a request signed with it; made once. */
static struct {
	struct key *ca_key, *old_key, *new_key;
	struct buf subject;
	struct cert *ca, *old;
	struct buf csr;
} shared;

static struct cert *make(const struct key *key, bool ca, const uint8_t serial[STORE_SERIAL_SIZE])
{
	struct buf name = {0}, der = {0};
	struct cert *cert = NULL;

	assert_int_equal(name_parse("CN=CA", &name, NULL), ERR_OK);
	struct cert_spec spec = {
	    .serial = bytes_of(serial, STORE_SERIAL_SIZE),
	    .issuer = buf_bytes(&name),
	    .subject = ca ? buf_bytes(&name) : buf_bytes(&shared.subject),
	    .not_before = FROM,
	    .not_after = ca ? TO + 1000 * DAY : TO,
	    .spki = key_spki(key),
	    .ca = ca,
	    .path_len = -1,
	    .digest = digest_row(DIGEST_SHA256),
	};

	assert_int_equal(cert_build(&spec, shared.ca_key, &der, NULL), ERR_OK);
	assert_int_equal(cert_parse(buf_bytes(&der), &cert, NULL), ERR_OK);
	buf_free(&name);
	buf_free(&der);
	return cert;
}

static int setup(void **state)
{
	static const uint8_t serial[STORE_SERIAL_SIZE] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};

	(void)state;
	assert_int_equal(key_generate("ec:p256", &shared.ca_key, NULL), ERR_OK);
	assert_int_equal(key_generate("ec:p256", &shared.old_key, NULL), ERR_OK);
	assert_int_equal(key_generate("ec:p256", &shared.new_key, NULL), ERR_OK);
	assert_int_equal(name_parse("CN=device", &shared.subject, NULL), ERR_OK);
	shared.ca = make(shared.ca_key, true, serial);
	shared.old = make(shared.old_key, false, serial);
	return csr_build(shared.new_key, buf_bytes(&shared.subject), NULL, (struct bytes){0}, &shared.csr, NULL) == ERR_OK ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	key_free(shared.ca_key);
	key_free(shared.old_key);
	key_free(shared.new_key);
	cert_free(shared.ca);
	cert_free(shared.old);
	buf_free(&shared.subject);
	buf_free(&shared.csr);
	return 0;
}

/* One judgement; the defaults let it renew. */
struct trial {
	struct profile_conf conf;
	time_t now;
	const char *stored_profile;
	bool revoked, unknown;
};

static struct trial good(void)
{
	return (struct trial){
	    .conf = {.name = (char *)"default", .renewal = true, .validity_s = DAY},
	    .now = FROM + 50 * DAY,
	    .stored_profile = "default",
	};
}

static enum err judge(const struct trial *t, struct why *why)
{
	struct problems problems = {0};
	struct policy *policy = policy_load(&t->conf, &problems);
	struct profile profile = {.conf = &t->conf, .policy = policy, .ca_cert = shared.ca, .ra_cert = shared.ca, .sign_cert = shared.ca};
	struct enroll_env env = {.profile = &profile, .now = t->now, .peer = "test"};
	struct scep_msg msg = {.type = SCEP_RENEWALREQ, .signer = shared.old};
	struct outcome out = {0};
	struct work w = {.env = &env, .out = &out, .msg = &msg};
	struct store_old old = {.profile = (char *)t->stored_profile, .revoked = t->revoked};
	enum err err;

	assert_int_equal(csr_parse(buf_bytes(&shared.csr), &w.csr, NULL), ERR_OK);
	assert_int_equal(csr_verify(w.csr, &(struct key_limits){2048, 8192}, NULL, &w.csr_key, NULL), ERR_OK);
	if (!t->unknown)
		buf_add_bytes(&old.cert, buf_bytes(&shared.old->der));
	err = renew_judge(&w, &old, &out.why);
	*why = out.why;
	assert_int_equal(problems.n, 0);
	policy_free(policy);
	buf_free(&old.cert);
	template_free(&w.template);
	pubkey_free(w.csr_key);
	csr_free(w.csr);
	outcome_free(&out);
	return err;
}

static void expect(const struct trial *t, enum err err, const char *text)
{
	struct why why = {0};

	assert_int_equal(judge(t, &why), err);
	if (err != ERR_OK && strstr(why.text, text) == NULL)
		fail_msg("'%s' is not in: %s", text, why.text);
}

static void any_time_by_default(void **state)
{
	struct trial t = good();

	(void)state;
	expect(&t, ERR_OK, "");
	t.now = FROM + 1;
	expect(&t, ERR_OK, "");
	t.now = TO;
	expect(&t, ERR_OK, "");
}

static void not_after_its_end(void **state)
{
	struct trial t = good();

	(void)state;
	t.now = TO + 1;
	expect(&t, ERR_RENEWAL, "expired 1 s ago");
	t.conf.renewal_grace_s = DAY;
	expect(&t, ERR_OK, "");
	t.now = TO + DAY + 1;
	expect(&t, ERR_RENEWAL, "grace is 86400 s");
}

static void not_before_its_window(void **state)
{
	struct trial t = good();

	(void)state;
	t.conf.renewal_window_s = 10 * DAY;
	t.now = TO - 10 * DAY - 1;
	expect(&t, ERR_RENEWAL, "window opens");
	t.now = TO - 10 * DAY;
	expect(&t, ERR_OK, "");
}

static void not_one_that_is_unknown_revoked_or_of_another_profile(void **state)
{
	struct trial t = good();

	(void)state;
	t.unknown = true;
	expect(&t, ERR_RENEWAL, "not signed with a certificate that this server issued");
	t = good();
	t.revoked = true;
	expect(&t, ERR_RENEWAL, "revoked");
	t = good();
	t.stored_profile = "other";
	expect(&t, ERR_RENEWAL, "profile 'other'");
	t = good();
	t.conf.renewal = false;
	expect(&t, ERR_RENEWAL, "not enabled");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(any_time_by_default),
	    cmocka_unit_test(not_after_its_end),
	    cmocka_unit_test(not_before_its_window),
	    cmocka_unit_test(not_one_that_is_unknown_revoked_or_of_another_profile),
	};

	return cmocka_run_group_tests_name("renew", tests, setup, teardown);
}
