/*
 * Every message of tests/data/{good,bad}/cms (made by tests/data/make-cms with other people's code): the good ones are read, verified
 * and opened; the bad ones give the error that their name begins with.
 */
#include "unit.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "conf/conf.h"
#include "pki/cms.h"
#include "pki/der.h"
#include "pki/oid.h"

#define PLAIN "the plain content of an envelope\n"

static const struct key_limits limits = {.min_rsa = 2048, .max_rsa = 4096};

static struct buf data(const char *folder, const char *name)
{
	char *path = mem_printf("%s/%s/%s", TEST_DATA, folder, name);
	struct buf b = {0};
	struct why why;

	if (file_read(path, &b, &why) != ERR_OK)
		fail_msg("%s", why.text);
	free(path);
	return b;
}

static int is_der(const struct dirent *e)
{
	return strstr(e->d_name, ".der") != NULL;
}

/* Calls `each` with every message of a folder under tests/data; there have to be some. */
static void for_each(const char *folder, void (*each)(const char *name, struct bytes in))
{
	char *path = mem_printf("%s/%s", TEST_DATA, folder);
	struct dirent **list;
	int n = scandir(path, &list, is_der, alphasort);

	assert_true(n > 10);
	for (int i = 0; i < n; i++) {
		struct buf in = data(folder, list[i]->d_name);

		each(list[i]->d_name, buf_bytes(&in));
		buf_free(&in);
		free(list[i]);
	}
	free(list);
	free(path);
}

static void assert_label(const char *name, enum err err, const struct why *why)
{
	const char *label = err_row(err)->label;

	if (strncmp(name, label, strlen(label)) != 0 || name[strlen(label)] != '-')
		fail_msg("%s gives %s: %s", name, label, err == ERR_OK ? "" : why->text);
	if (why->err != err || why->text[0] == '\0')
		fail_msg("%s: no sentence says why", name);
}

/* --- SignedData -------------------------------------------------------------------------------------------------- */

static struct cms_signed *parse_signed(const char *name)
{
	struct buf in = data("good/cms/signed", name);
	struct cms_signed *s = NULL;
	struct why why;

	if (cms_signed_parse(buf_bytes(&in), &s, &why) != ERR_OK)
		fail_msg("%s: %s", name, why.text);
	buf_free(&in);		/* what was parsed stands on its own */
	return s;
}

static enum err check_signed(const struct cms_signed *s, const struct alg_set *algs, struct why *why)
{
	struct pubkey *pub = NULL;
	struct cert *cert = NULL;
	enum err err = cms_signer_cert(s, &cert, why);

	if (err == ERR_OK)
		err = pubkey_import(cert->spki, &limits, &pub, why);
	if (err == ERR_OK)
		err = cms_signed_verify(s, pub, algs, why);
	pubkey_free(pub);
	cert_free(cert);
	return err;
}

static void good_signed(const char *name, struct bytes in)
{
	struct alg_set algs = alg_set_make(LEGACY_SHA1, 0);
	struct cms_signed *s = NULL;
	struct why why = {0};
	enum err err = cms_signed_parse(in, &s, &why);

	if (err == ERR_OK && s->has_signer)
		err = check_signed(s, &algs, &why);
	if (err != ERR_OK)
		fail_msg("%s: %s: %s", name, err_row(err)->label, why.text);
	cms_signed_free(s);
}

static void bad_signed(const char *name, struct bytes in)
{
	struct alg_set algs = alg_set_make(0, 0);
	struct cms_signed *s = NULL;
	struct why why = {0};
	enum err err = cms_signed_parse(in, &s, &why);

	if (err == ERR_OK)
		err = check_signed(s, &algs, &why);
	else
		assert_null(s);
	assert_label(name, err, &why);
	cms_signed_free(s);
}

static void test_good_signed(void **state)
{
	(void)state;
	for_each("good/cms/signed", good_signed);
}

static void test_bad_signed(void **state)
{
	(void)state;
	for_each("bad/cms/signed", bad_signed);
}

static void test_signed_fields(void **state)
{
	struct cms_signed *s = parse_signed("openssl.der");
	const struct cms_attr *attr;
	struct tlv t;

	(void)state;
	assert_true(s->has_content && s->has_signer);
	assert_true(bytes_eq_str(s->content, "hello"));
	assert_int_equal(s->n_certs, 1);
	assert_true(der_whole(s->certs[0], DER_SEQUENCE, &t));
	assert_string_equal(s->digest_oid, "2.16.840.1.101.3.4.2.1");
	assert_int_equal(s->digest->id, DIGEST_SHA256);
	assert_true(der_whole(s->sid.issuer, DER_SEQUENCE, &t));
	assert_true(s->sid.serial.n > 0 && s->sid.skid.n == 0);
	assert_true(der_whole(s->sig_alg, DER_SEQUENCE, &t));
	assert_true(der_whole(s->signed_attrs, DER_CTX(0), &t));
	assert_int_equal(s->signature.n, 256);
	attr = cms_attr_find(s, OID_CONTENT_TYPE);
	assert_true(attr != NULL && der_whole(attr->value, DER_OID, &t) && der_oid_is(t.body, OID_DATA));
	assert_null(cms_attr_find(s, OID_SCEP_TRANSACTION_ID));
	cms_signed_free(s);

	s = parse_signed("openssl-key-id.der");
	assert_true(s->sid.skid.n == 20 && s->sid.issuer.n == 0 && s->sid.serial.n == 0);
	cms_signed_free(s);
}

/* Content that is absent, and content that is present and empty, are told apart (P-172, P-198). */
static void test_empty_content(void **state)
{
	struct cms_signed *s = parse_signed("empty-absent.der");

	(void)state;
	assert_false(s->has_content);
	assert_int_equal(s->content.n, 0);
	cms_signed_free(s);
	s = parse_signed("empty-present.der");
	assert_true(s->has_content);
	assert_int_equal(s->content.n, 0);
	cms_signed_free(s);
}

static void test_joined_content(void **state)
{
	struct cms_signed *s = parse_signed("bouncycastle.der");

	(void)state;
	assert_int_equal(s->content.n, 20500);
	cms_signed_free(s);
	s = parse_signed("constructed-definite.der");
	assert_true(bytes_eq_str(s->content, "hello"));
	cms_signed_free(s);
	s = parse_signed("tiny-pieces.der");
	assert_int_equal(s->content.n, 200);
	for (unsigned i = 0; i < 200; i++)
		assert_int_equal(s->content.p[i], i);
	cms_signed_free(s);
}

static void test_certificates(void **state)
{
	struct cms_signed *s = parse_signed("certs-only.der");
	struct tlv t;

	(void)state;
	assert_false(s->has_signer || s->has_content);
	assert_int_equal(s->n_certs, 2);
	assert_int_equal(s->crl.n, 0);
	cms_signed_free(s);
	s = parse_signed("other-certificates.der");	/* other kinds are skipped: P-184 */
	assert_int_equal(s->n_certs, 2);
	cms_signed_free(s);
	s = parse_signed("crl-only.der");
	assert_int_equal(s->n_certs, 0);
	assert_true(der_whole(s->crl, DER_SEQUENCE, &t));
	cms_signed_free(s);
}

static void test_unknown_digest(void **state)
{
	struct buf in = data("bad/cms/signed", "alg-sha224.der");
	struct cms_signed *s;

	(void)state;
	assert_int_equal(cms_signed_parse(buf_bytes(&in), &s, NULL), ERR_OK);
	assert_null(s->digest);
	assert_string_equal(s->digest_oid, "2.16.840.1.101.3.4.2.4");
	cms_signed_free(s);
	buf_free(&in);
}

/* What a profile does not allow is refused although it verifies; NULL allows the whole table. */
static void test_signed_policy(void **state)
{
	struct buf in = data("bad/cms/signed", "alg-md5.der");
	struct alg_set md5 = alg_set_make(0, OBSOLETE_MD5), legacy = alg_set_make(LEGACY_SHA1, 0);
	struct cms_signed *s;

	(void)state;
	assert_int_equal(cms_signed_parse(buf_bytes(&in), &s, NULL), ERR_OK);
	assert_int_equal(check_signed(s, &legacy, NULL), ERR_ALG);
	assert_int_equal(check_signed(s, &md5, NULL), ERR_OK);
	assert_int_equal(check_signed(s, NULL, NULL), ERR_OK);
	cms_signed_free(s);
	buf_free(&in);
}

/* No prefix of a message is accepted, and none reads past its end (exact allocations: a sanitizer sees it). */
static void test_prefixes(void **state)
{
	static const char *const names[] = {"openssl.der", "openssl-indefinite.der", "constructed-definite.der"};

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct buf in = data("good/cms/signed", names[i]);

		for (size_t n = 0; n < in.n; n += n < 200 ? 1 : 37) {
			uint8_t *exact = mem_alloc(n);
			struct cms_signed *s = NULL;

			memcpy(exact, in.p, n);
			assert_int_equal(cms_signed_parse(bytes_of(exact, n), &s, NULL), ERR_SYNTAX);
			free(exact);
		}
		buf_free(&in);
	}
}

/* --- EnvelopedData ----------------------------------------------------------------------------------------------- */

struct ra {
	struct cert *cert;
	struct key *key;
};

static struct ra ra;

static int setup(void **state)
{
	struct buf pem = data("keys", "ra.key");
	char *path = mem_printf("%s/keys/ra.pem", TEST_DATA);
	struct why why;

	(void)state;
	if (key_from_pem(buf_bytes(&pem), &ra.key, &why) != ERR_OK || cert_read(path, &ra.cert, &why) != ERR_OK)
		fail_msg("%s", why.text);
	buf_free(&pem);
	free(path);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	key_free(ra.key);
	cert_free(ra.cert);
	return 0;
}

static enum err open_enveloped(struct bytes in, const struct alg_set *algs, struct buf *out, struct why *why)
{
	const struct cms_recipient *r;
	struct cms_enveloped *e = NULL;
	enum err err = cms_enveloped_parse(in, &e, why);

	if (err != ERR_OK)
		return err;
	r = cms_recipient_find(e, ra.cert);
	err = r == NULL ? fail(why, ERR_RECIPIENT, "not ours") : cms_enveloped_open(e, r, ra.key, algs, out, why);
	cms_enveloped_free(e);
	return err;
}

/*
 * A content key that could not be unwrapped is replaced by a random one (P-85), whose plain text ends like good padding once in
 * 256 times. What comes out then is random too, and refused later as what it is not; here it is just tried again.
 */
static enum err open_hopeless(struct bytes in, const struct alg_set *algs, struct buf *out, struct why *why)
{
	enum err err = ERR_OK;

	for (int i = 0; i < 6 && err == ERR_OK; i++) {
		buf_cut(out, 0);
		err = open_enveloped(in, algs, out, why);
	}
	return err;
}

static void good_enveloped(const char *name, struct bytes in)
{
	struct alg_set algs = alg_set_make(LEGACY_DES3, OBSOLETE_DES);
	struct buf plain = {0};
	struct why why;

	if (open_enveloped(in, &algs, &plain, &why) != ERR_OK)
		fail_msg("%s: %s", name, why.text);
	if (!bytes_eq_str(buf_bytes(&plain), strcmp(name, "empty-plain.der") == 0 ? "" : PLAIN))
		fail_msg("%s: wrong plain text", name);
	buf_free(&plain);
}

static void bad_enveloped(const char *name, struct bytes in)
{
	struct alg_set algs = alg_set_make(0, 0);
	struct buf plain = {0};
	struct why why = {0};

	assert_label(name, open_hopeless(in, &algs, &plain, &why), &why);
	assert_int_equal(plain.n, 0);
	buf_free(&plain);
}

static void test_good_enveloped(void **state)
{
	(void)state;
	for_each("good/cms/enveloped", good_enveloped);
}

static void test_bad_enveloped(void **state)
{
	(void)state;
	for_each("bad/cms/enveloped", bad_enveloped);
}

/* All that only the private key can tell is told in the same words (P-85). */
static void test_one_answer(void **state)
{
	static const char *const names[] = {"unseal-padding.der", "unseal-wrong-key.der", "unseal-key-size.der"};
	struct alg_set algs = alg_set_make(0, 0);
	struct why first, why;

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct buf in = data("bad/cms/enveloped", names[i]), plain = {0};

		assert_int_equal(open_hopeless(buf_bytes(&in), &algs, &plain, &why), ERR_UNSEAL);
		if (i == 0)
			first = why;
		assert_string_equal(why.text, first.text);
		buf_free(&plain);
		buf_free(&in);
	}
}

/* Windows clients may send OAEP: the operator has to learn what the client must be told. */
static void test_oaep_is_named(void **state)
{
	struct buf in = data("bad/cms/enveloped", "alg-oaep.der"), plain = {0};
	struct why why;

	(void)state;
	assert_int_equal(open_enveloped(buf_bytes(&in), NULL, &plain, &why), ERR_ALG);
	assert_non_null(strstr(why.text, "RSA-OAEP"));
	buf_free(&in);
}

static void test_enveloped_fields(void **state)
{
	struct buf in = data("good/cms/enveloped", "openssl-with-password.der");
	struct cms_enveloped *e;

	(void)state;
	assert_int_equal(cms_enveloped_parse(buf_bytes(&in), &e, NULL), ERR_OK);
	assert_int_equal(e->n_recipients, 2);
	for (size_t i = 0; i < 2; i++) {
		bool pwri = e->recipients[i].kind == RECIPIENT_PWRI;

		assert_string_equal(e->recipients[i].alg_oid, pwri ? "1.2.840.113549.1.9.16.3.9" : OID_RSA);
		assert_int_equal(e->recipients[i].encrypted_key.n, pwri ? 32 : 256);
	}
	assert_int_equal(e->cipher->id, CIPHER_AES128);
	assert_int_equal(e->iv.n, 16);
	assert_int_equal(e->ciphertext.n, 48);
	cms_enveloped_free(e);
	buf_free(&in);
	in = data("bad/cms/enveloped", "alg-rc2.der");
	assert_int_equal(cms_enveloped_parse(buf_bytes(&in), &e, NULL), ERR_OK);
	assert_null(e->cipher);
	assert_string_equal(e->cipher_oid, "1.2.840.113549.3.2");
	cms_enveloped_free(e);
	buf_free(&in);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good_signed), cmocka_unit_test(test_bad_signed), cmocka_unit_test(test_signed_fields),
		cmocka_unit_test(test_empty_content), cmocka_unit_test(test_joined_content), cmocka_unit_test(test_certificates),
		cmocka_unit_test(test_unknown_digest), cmocka_unit_test(test_signed_policy), cmocka_unit_test(test_prefixes),
		cmocka_unit_test(test_good_enveloped), cmocka_unit_test(test_bad_enveloped), cmocka_unit_test(test_one_answer),
		cmocka_unit_test(test_oaep_is_named), cmocka_unit_test(test_enveloped_fields),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
