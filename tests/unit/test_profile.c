/* profile_load: a good profile loads; each thing that can be wrong with keys and certificates is told, all at once. */
#include <gnutls/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/codec.h"
#include "base/file.h"
#include "base/mem.h"
#include "ca/profile_check.h"
#include "pki/name.h"
#include "unit.h"

#define NOW ((time_t)1800000000)
#define DAY 86400
#define CA_USAGE (GNUTLS_KEY_KEY_CERT_SIGN | GNUTLS_KEY_CRL_SIGN)
#define RA_USAGE (GNUTLS_KEY_DIGITAL_SIGNATURE | GNUTLS_KEY_KEY_ENCIPHERMENT)

/* Made once: keys are dear. */
static struct {
	char dir[64];
	struct key *ca, *ra, *other;	/* EC, RSA, EC */
} shared;

/* What one test's certificates are to be; the defaults make a good profile. */
struct made {
	const struct key *ra_key, *ra_issuer;
	unsigned ra_usage;
	time_t ra_from, ra_to;
	bool ca_is_ca, no_challenge;
	const struct key *ra_key_file;
	const struct key *sign_key, *sign_issuer;	/* a second RA certificate, NULL: none */
	unsigned sign_usage;
};

static struct made good(void)
{
	return (struct made){
	    .ra_key = shared.ra,
	    .ra_issuer = shared.ca,
	    .ra_usage = RA_USAGE,
	    .ra_from = NOW - DAY,
	    .ra_to = NOW + 100 * DAY,
	    .ca_is_ca = true,
	    .ra_key_file = shared.ra,
	};
}

static char *path_of(const char *name)
{
	return mem_printf("%s/%s", shared.dir, name);
}

static void write_pem(const char *name, const char *label, struct bytes der)
{
	char *path = path_of(name);
	struct buf pem = {0};

	pem_write(&pem, label, der);
	assert_int_equal(file_write(path, buf_bytes(&pem), 0644, true, NULL), ERR_OK);
	buf_free(&pem);
	free(path);
}

static void write_key(const char *name, const struct key *key)
{
	char *path = path_of(name);
	struct buf pem = {0};

	assert_int_equal(key_export_pem(key, &pem, NULL), ERR_OK);
	assert_int_equal(file_write(path, buf_bytes(&pem), 0600, true, NULL), ERR_OK);
	buf_free(&pem);
	free(path);
}

static void make_cert(const char *file, const char *subject, struct cert_spec *spec, const struct key *issuer)
{
	struct buf name = {0}, ca_name = {0}, der = {0};

	assert_int_equal(name_parse(subject, &name, NULL), ERR_OK);
	assert_int_equal(name_parse("CN=CA", &ca_name, NULL), ERR_OK);
	spec->serial = BYTES_LIT("\x01\x02");
	spec->subject = buf_bytes(&name);
	spec->issuer = buf_bytes(&ca_name);
	spec->path_len = -1;
	spec->digest = digest_row(DIGEST_SHA256);
	assert_int_equal(cert_build(spec, issuer, &der, NULL), ERR_OK);
	write_pem(file, "CERTIFICATE", buf_bytes(&der));
	buf_free(&name);
	buf_free(&ca_name);
	buf_free(&der);
}

static void make_files(const struct made *m)
{
	struct cert_spec ca = {.spki = key_spki(shared.ca), .ca = m->ca_is_ca, .key_usage = m->ca_is_ca ? CA_USAGE : RA_USAGE};
	struct cert_spec ra = {.spki = key_spki(m->ra_key), .key_usage = m->ra_usage};

	ca.not_before = NOW - DAY;
	ca.not_after = NOW + 1000 * DAY;
	ra.not_before = m->ra_from;
	ra.not_after = m->ra_to;
	make_cert("ca.pem", "CN=CA", &ca, shared.ca);
	make_cert("ra.pem", "CN=RA", &ra, m->ra_issuer);
	if (m->sign_key != NULL) {
		struct cert_spec sign = {.spki = key_spki(m->sign_key), .key_usage = m->sign_usage, .not_before = NOW - DAY,
		    .not_after = NOW + 100 * DAY};

		make_cert("sign.pem", "CN=RA", &sign, m->sign_issuer);
		write_key("sign.key", m->sign_key);
	}
	write_key("ca.key", shared.ca);
	write_key("ra.key", m->ra_key_file);
}

/* Loads the profile made of `m`. *text: all problems, a line each; the caller frees. True when it loaded. */
static bool load(const struct made *m, char **text)
{
	char *paths[] = {path_of("ca.pem"), path_of("ca.key"), path_of("ra.pem"), path_of("ra.key"), path_of("sign.pem"), path_of("sign.key")};
	struct profile_conf conf = {
	    .name = (char *)"default",
	    .file = (char *)"default.ini",
	    .ca = {paths[0], paths[1], NULL},
	    .ra = {paths[2], paths[3], NULL},
	    .one_time_challenge = m == NULL || !m->no_challenge,
	    .min_rsa_bits = 2048,
	    .max_rsa_bits = 8192,
	};
	struct problems problems = {0};
	struct profile *p;
	struct buf all = {0};

	if (m != NULL)
		make_files(m);
	if (m != NULL && m->sign_key != NULL)
		conf.ra_sign = (struct key_conf){paths[4], paths[5], NULL};
	p = profile_load(&conf, NOW, NULL, &problems);
	for (size_t i = 0; i < problems.n; i++)
		buf_printf(&all, "%s: %s\n", problems.list[i].where, problems.list[i].text);
	*text = buf_take_str(&all);
	bool loaded = p != NULL;

	profile_free(p);
	problems_free(&problems);
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
		free(paths[i]);
	return loaded;
}

static void expect_problem(const struct made *m, const char *where, const char *what)
{
	char *text;

	assert_false(load(m, &text));
	if (strstr(text, where) == NULL || strstr(text, what) == NULL)
		fail_msg("expected '%s' and '%s' in:\n%s", where, what, text);
	free(text);
}

static void good_profile_loads(void **state)
{
	struct made m = good();
	char *text;

	(void)state;
	if (!load(&m, &text))
		fail_msg("%s", text);
	assert_string_equal(text, "");
	free(text);
}

static void ra_soon_expired_warns(void **state)
{
	struct made m = good();
	char *text;

	(void)state;
	m.ra_to = NOW + DAY;
	assert_true(load(&m, &text));
	assert_non_null(strstr(text, "expires soon"));
	free(text);
}

static void ra_expired(void **state)
{
	struct made m = good();

	(void)state;
	m.ra_to = NOW - 1;
	expect_problem(&m, "[ra]", "RA certificate expired on");
}

static void ra_not_yet_valid(void **state)
{
	struct made m = good();

	(void)state;
	m.ra_from = NOW + DAY;
	expect_problem(&m, "[ra]", "not valid before");
}

static void ra_without_key_encipherment(void **state)
{
	struct made m = good();

	(void)state;
	m.ra_usage = GNUTLS_KEY_DIGITAL_SIGNATURE;
	expect_problem(&m, "[ra]", "does not include keyEncipherment");
}

static void ra_without_digital_signature(void **state)
{
	struct made m = good();

	(void)state;
	m.ra_usage = GNUTLS_KEY_KEY_ENCIPHERMENT;
	expect_problem(&m, "[ra]", "does not include digitalSignature");
}

static void ra_not_rsa(void **state)
{
	struct made m = good();

	(void)state;
	m.ra_key = m.ra_key_file = shared.other;
	expect_problem(&m, "[ra]", "must be RSA");
}

static void ra_not_issued_by_the_ca(void **state)
{
	struct made m = good();

	(void)state;
	m.ra_issuer = shared.other;
	expect_problem(&m, "[ra]", "not issued by the profile's CA");
}

static void key_of_another_certificate(void **state)
{
	struct made m = good();

	(void)state;
	m.ra_key_file = shared.other;
	expect_problem(&m, "[ra]", "does not belong to the RA certificate");
}

static void ca_is_no_ca(void **state)
{
	struct made m = good();

	(void)state;
	m.ca_is_ca = false;
	expect_problem(&m, "[ca]", "not a CA certificate");
}

static void key_readable_by_others(void **state)
{
	struct made m = good();
	char *path = path_of("ca.key");

	(void)state;
	make_files(&m);
	assert_int_equal(chmod(path, 0644), 0);
	expect_problem(NULL, "[ca]", "chmod 600");
	free(path);
}

static void missing_files_are_all_told(void **state)
{
	struct made m = good();
	const char *names[] = {"ca.pem", "ra.pem", "ra.key"};

	(void)state;
	make_files(&m);
	for (size_t i = 0; i < 3; i++) {
		char *path = path_of(names[i]);

		assert_int_equal(unlink(path), 0);
		free(path);
	}
	for (size_t i = 0; i < 3; i++)
		expect_problem(NULL, ".ini [", names[i]);
}

/* A pair as NDES has it: an RSA one that decrypts, and one of another kind that signs. */
static struct made good_pair(void)
{
	struct made m = good();

	m.ra_usage = GNUTLS_KEY_KEY_ENCIPHERMENT;
	m.sign_key = shared.other;
	m.sign_issuer = shared.ca;
	m.sign_usage = GNUTLS_KEY_DIGITAL_SIGNATURE;
	return m;
}

static void pair_loads(void **state)
{
	struct made m = good_pair();
	char *text;

	(void)state;
	if (!load(&m, &text))
		fail_msg("%s", text);
	assert_string_equal(text, "");
	free(text);
	m.ra_usage = RA_USAGE;
	assert_true(load(&m, &text));
	assert_non_null(strstr(text, "some devices will take it for the one that signs"));
	free(text);
}

static void pair_wrong(void **state)
{
	struct made m = good_pair();

	(void)state;
	m.sign_usage = RA_USAGE;
	expect_problem(&m, "[ra_sign]", "devices would encrypt to it");
	m.sign_usage = GNUTLS_KEY_KEY_AGREEMENT;
	expect_problem(&m, "[ra_sign]", "does not include digitalSignature");
	m = good_pair();
	m.ra_usage = GNUTLS_KEY_DIGITAL_SIGNATURE;
	expect_problem(&m, "[ra]", "does not include keyEncipherment");
	m = good_pair();
	m.sign_issuer = shared.other;
	expect_problem(&m, "[ra_sign]", "signing RA certificate was not issued by the profile's CA");
}

static void nobody_could_say_yes(void **state)
{
	struct made m = good();

	(void)state;
	m.no_challenge = true;
	expect_problem(&m, "default.ini [enrol]", "nothing could authorise a device; any of these would: 'one_time_challenge = yes' in [enrol]; ");
}

static void each_authenticator_is_enough(void **state)
{
	static const struct profile_conf rows[] = {
	    {.one_time_challenge = true}, {.static_challenge_file = (char *)"secrets"}, {.approval = APPROVAL_MANUAL},
	    {.approval = APPROVAL_UNLESS_ONE_TIME}, {.client_cert = {.trust = (char *)"cas.pem", .replaces_challenge = true}},
	    {.webhook = {.url = (char *)"https://a.example/", .hook.role = HOOK_CHALLENGE}},
	    {.command = {.path = (char *)"/bin/true", .hook.role = HOOK_CHALLENGE}},
	};
	/* what only comes on top of what there is not: compliance, and a client certificate that does not replace the challenge */
	struct profile_conf none = {.file = (char *)"none.ini", .webhook = {.url = (char *)"https://a.example/"},
	    .command = {.path = (char *)"/bin/true"}, .client_cert = {.trust = (char *)"cas.pem"}};
	struct problems problems = {0};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		check_authenticators(&rows[i], &problems);
	assert_int_equal(problems.n, 0);
	check_authenticators(&none, &problems);
	assert_int_equal(problems.n_errors, 1);
	problems_free(&problems);
}

static int setup(void **state)
{
	(void)state;
	snprintf(shared.dir, sizeof(shared.dir), "/tmp/scepter-profile-XXXXXX");
	if (mkdtemp(shared.dir) == NULL)
		return -1;
	return key_generate("ec:p256", &shared.ca, NULL) == ERR_OK && key_generate("rsa:2048", &shared.ra, NULL) == ERR_OK &&
	        key_generate("ec:p256", &shared.other, NULL) == ERR_OK
	    ? 0
	    : -1;
}

static int teardown(void **state)
{
	const char *names[] = {"ca.pem", "ca.key", "ra.pem", "ra.key", "sign.pem", "sign.key"};

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		char *path = path_of(names[i]);

		unlink(path);
		free(path);
	}
	rmdir(shared.dir);
	key_free(shared.ca);
	key_free(shared.ra);
	key_free(shared.other);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(good_profile_loads),
	    cmocka_unit_test(ra_soon_expired_warns),
	    cmocka_unit_test(ra_expired),
	    cmocka_unit_test(ra_not_yet_valid),
	    cmocka_unit_test(ra_without_key_encipherment),
	    cmocka_unit_test(ra_without_digital_signature),
	    cmocka_unit_test(ra_not_rsa),
	    cmocka_unit_test(ra_not_issued_by_the_ca),
	    cmocka_unit_test(key_of_another_certificate),
	    cmocka_unit_test(ca_is_no_ca),
	    cmocka_unit_test(key_readable_by_others),
	    cmocka_unit_test(missing_files_are_all_told),
	    cmocka_unit_test(pair_loads),
	    cmocka_unit_test(pair_wrong),
	    cmocka_unit_test(nobody_could_say_yes),
	    cmocka_unit_test(each_authenticator_is_enough),
	};

	return cmocka_run_group_tests_name("profile", tests, setup, teardown);
}
