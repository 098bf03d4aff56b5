/* PKCS#10: what clients send and what attackers send, read, verified and made. */
#include "unit.h"


#include "conf/conf.h"
#include "data.h"
#include "pki/csr.h"
#include "pki/der.h"
#include "pki/name.h"
#include "pki/oid.h"

static const struct key_limits usual = {2048, 8192};

static struct csr *parse(const char *stem)
{
	char *path = mem_printf("good/csr/%s.der", stem);
	struct buf der = data_read(path);
	struct csr *csr = NULL;
	struct why why = {0};

	if (csr_parse(buf_bytes(&der), &csr, &why) != ERR_OK)
		fail_msg("%s: %s", path, why.text);
	buf_free(&der);
	free(path);
	return csr;
}

static void is_good(const char *name, struct bytes der)
{
	struct csr *csr = NULL;
	struct pubkey *pub = NULL;
	struct why why = {0};

	if (csr_parse(der, &csr, &why) != ERR_OK || csr_verify(csr, &usual, NULL, &pub, &why) != ERR_OK)
		fail_msg("%s: %s", name, why.text);
	pubkey_free(pub);
	csr_free(csr);
}

static void good_requests_are_accepted(void **state)
{
	(void)state;
	data_each("good/csr", ".der", 25, is_good);
}

/* The error is the expected one, and is explained. What refusing costs: tests/bench/bench_hostile. */
static void is_bad(const char *name, struct bytes der)
{
	struct csr *csr = NULL;
	struct pubkey *pub = NULL;
	struct why why = {0};
	struct alg_set standard = alg_set_make(0, 0);
	enum err err = csr_parse(der, &csr, &why);

	if (err == ERR_OK)
		err = csr_verify(csr, &usual, &standard, &pub, &why);
	if (err != data_expected(name) || why.err != err || why.text[0] == '\0')
		fail_msg("%s: %s: %s", name, err_row(err)->label, why.text);
	assert_null(pub);
	csr_free(csr);
}

static void bad_requests_are_refused(void **state)
{
	(void)state;
	data_each("bad/csr", ".der", 40, is_bad);
}

/* P-85: one sentence for whatever cannot be read. */
static void unreadable_ones_are_told_alike(void **state)
{
	static const char *const stems[] = {"truncated", "garbage", "empty", "trailing-octet", "subject-is-no-name", "extensions-malformed"};
	struct why first = {0}, why;

	(void)state;
	for (size_t i = 0; i < sizeof(stems) / sizeof(stems[0]); i++) {
		char *path = mem_printf("bad/csr/unseal-%s.der", stems[i]);
		struct buf der = data_read(path);
		struct csr *csr = NULL;

		assert_int_equal(csr_parse(buf_bytes(&der), &csr, i == 0 ? &first : &why), ERR_UNSEAL);
		if (i > 0)
			assert_string_equal(why.text, first.text);
		buf_free(&der);
		free(path);
	}
}

/* 60 KiB of names are read, 70 KiB are not. */
static void long_requests_are_refused(void **state)
{
	struct key *key = NULL;

	(void)state;
	assert_int_equal(key_generate("ec:p256", &key, NULL), ERR_OK);
	for (size_t kib = 60; kib <= 70; kib += 10) {
		struct buf der = {0}, names = {0};
		struct csr *csr = NULL;
		struct why why = {0};

		for (size_t i = 0; i < kib * 256; i++)
			buf_add(&names, "\x82\2zz", 4);
		der_close(&names, 0, DER_SEQUENCE);
		assert_int_equal(csr_build(key, BYTES_LIT("\x30\0"), NULL, buf_bytes(&names), &der, NULL), ERR_OK);
		assert_int_equal(csr_parse(buf_bytes(&der), &csr, &why), kib == 60 ? ERR_OK : ERR_CSR);
		csr_free(csr);
		buf_free(&der);
		buf_free(&names);
	}
	key_free(key);
}

static void challenges_are_decoded(void **state)
{
	static const struct {
		const char *stem, *text;	/* NULL: none */
	} rows[] = {
	    {"challenge-printable", "secret"},
	    {"challenge-ia5", "secret"},
	    {"challenge-utf8", "s\xc3\xa9" "cret\xe2\x82\xac"},
	    {"challenge-teletex", "s\xc3\xa9" "cret"},
	    {"challenge-bmp", "s\xc3\xa9" "cret\xe2\x82\xac"},
	    {"challenge-universal", "s\xc3\xa9" "cret\xe2\x82\xac"},
	    {"challenge-empty", ""},
	    {"attributes-unsorted", "secret"},
	    {"attributes-unknown", "secret"},
	    {"strongswan-pki", "secret"},
	    {"ec-p256", NULL},
	    {"attributes-missing", NULL},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct csr *csr = parse(rows[i].stem);

		assert_int_equal(csr->has_challenge, rows[i].text != NULL);
		if (!bytes_eq_str(buf_bytes(&csr->challenge), rows[i].text))
			fail_msg("%s: '%s'", rows[i].stem, (char *)csr->challenge.p);
		csr_free(csr);
	}
}

static void assert_san(const char *stem, const char *expected)
{
	struct csr *csr = parse(stem);
	struct bytes value;
	struct buf text = {0};

	assert_true(csr_extension(csr, OID_SUBJECT_ALT_NAME, &value));
	assert_int_equal(san_text(value, &text, NULL), ERR_OK);
	assert_string_equal((char *)text.p, expected);
	assert_false(csr_extension(csr, OID_KEY_USAGE, &value));
	buf_free(&text);
	csr_free(csr);
}

static void wishes_are_found(void **state)
{
	struct csr *csr = parse("wish-ca-true");
	struct bytes value;

	(void)state;
	assert_san("extensions", "DNS:device.example, IP:192.0.2.1");
	assert_san("extensions-microsoft", "DNS:device.example, IP:192.0.2.1");
	assert_san("attributes-unsorted", "DNS:device.example, IP:192.0.2.1");
	assert_san("strongswan-pki", "DNS:moon.example");
	assert_true(csr_extension(csr, OID_BASIC_CONSTRAINTS, &value));
	csr_free(csr);
}

/* Which digests are good enough is the profile's choice: P-157, P-200. */
static void digest_policy_is_kept(void **state)
{
	struct alg_set standard = alg_set_make(0, 0), sha1 = alg_set_make(LEGACY_SHA1, 0), md5 = alg_set_make(0, OBSOLETE_MD5);
	struct csr *with_sha1 = parse("rsa-sha1"), *with_md5 = parse("rsa-md5");

	(void)state;
	assert_int_equal(csr_verify(with_sha1, &usual, &standard, NULL, NULL), ERR_ALG);
	assert_int_equal(csr_verify(with_sha1, &usual, &sha1, NULL, NULL), ERR_OK);
	assert_int_equal(csr_verify(with_md5, &usual, &sha1, NULL, NULL), ERR_ALG);
	assert_int_equal(csr_verify(with_md5, &usual, &md5, NULL, NULL), ERR_OK);
	csr_free(with_sha1);
	csr_free(with_md5);
}

static void key_limits_are_kept(void **state)
{
	struct csr *csr = parse("rsa-2048");

	(void)state;
	assert_int_equal(csr_verify(csr, &(struct key_limits){2049, 8192}, NULL, NULL, NULL), ERR_KEY_WEAK);
	assert_int_equal(csr_verify(csr, &(struct key_limits){1024, 2047}, NULL, NULL, NULL), ERR_KEY_WEAK);
	assert_int_equal(csr_verify(csr, &(struct key_limits){2048, 2048}, NULL, NULL, NULL), ERR_OK);
	csr_free(csr);
}

static void built_requests_read_back(void **state)
{
	static const struct {
		const char *key, *challenge;
	} rows[] = {{"rsa:2048", "one-time 7"}, {"ec:p256", "s\xc3\xa9" "cret_*"}, {"ec:p384", ""}, {"ed25519", NULL}};
	struct buf subject = {0}, san = {0};
	size_t at = der_open(&san);

	(void)state;
	assert_int_equal(name_parse("CN=device,O=Example", &subject, NULL), ERR_OK);
	assert_int_equal(san_parse("dns:device.example", &san, NULL), ERR_OK);
	der_close(&san, at, DER_SEQUENCE);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct buf der = {0};
		struct key *key = NULL;
		struct csr *csr = NULL;
		struct bytes value;

		assert_int_equal(key_generate(rows[i].key, &key, NULL), ERR_OK);
		assert_int_equal(csr_build(key, buf_bytes(&subject), rows[i].challenge, buf_bytes(&san), &der, NULL), ERR_OK);
		is_good(rows[i].key, buf_bytes(&der));
		assert_int_equal(csr_parse(buf_bytes(&der), &csr, NULL), ERR_OK);
		assert_true(bytes_eq(csr->subject, buf_bytes(&subject)));
		assert_true(bytes_eq(csr->spki, key_spki(key)));
		assert_int_equal(csr->has_challenge, rows[i].challenge != NULL);
		assert_true(bytes_eq_str(buf_bytes(&csr->challenge), rows[i].challenge));
		assert_true(csr_extension(csr, OID_SUBJECT_ALT_NAME, &value) && bytes_eq(value, buf_bytes(&san)));
		csr_free(csr);
		buf_free(&der);
		key_free(key);
	}
	buf_free(&subject);
	buf_free(&san);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(good_requests_are_accepted),
	    cmocka_unit_test(bad_requests_are_refused),
	    cmocka_unit_test(unreadable_ones_are_told_alike),
	    cmocka_unit_test(long_requests_are_refused),
	    cmocka_unit_test(challenges_are_decoded),
	    cmocka_unit_test(wishes_are_found),
	    cmocka_unit_test(digest_policy_is_kept),
	    cmocka_unit_test(key_limits_are_kept),
	    cmocka_unit_test(built_requests_read_back),
	};

	return cmocka_run_group_tests_name("csr", tests, NULL, NULL);
}
