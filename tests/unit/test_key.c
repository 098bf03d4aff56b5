/* Keys from files and made new: opening, signing, unwrapping; and public keys behind their guard. */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "pki/der.h"
#include "pki/key.h"

static const struct key_limits usual = {2048, 8192};
static const struct bytes text = {(const uint8_t *)"what is signed", 14};

static struct key *generate(const char *spec)
{
	struct key *key = NULL;
	struct why why = {0};

	if (key_generate(spec, &key, &why) != ERR_OK)
		fail_msg("%s", why.text);
	return key;
}

static struct pubkey *public_of(const struct key *key)
{
	struct pubkey *pub = NULL;

	assert_int_equal(pubkey_import(key_spki(key), &usual, &pub, NULL), ERR_OK);
	return pub;
}

static void kinds_are_told(void **state)
{
	static const struct {
		const char *spec;
		struct key_kind kind;
	} rows[] = {
	    {"rsa:2048", {KEY_RSA, 2048, GNUTLS_ECC_CURVE_INVALID}},
	    {"ec:p256", {KEY_EC, 256, GNUTLS_ECC_CURVE_SECP256R1}},
	    {"ec:p384", {KEY_EC, 384, GNUTLS_ECC_CURVE_SECP384R1}},
	    {"ec:p521", {KEY_EC, 521, GNUTLS_ECC_CURVE_SECP521R1}},
	    {"ed25519", {KEY_ED25519, 256, GNUTLS_ECC_CURVE_ED25519}},
	};
	struct key *none = NULL;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct key *key = generate(rows[i].spec);
		struct pubkey *pub = public_of(key);

		assert_int_equal(key_kind(key).type, rows[i].kind.type);
		assert_int_equal(key_kind(key).bits, rows[i].kind.bits);
		assert_int_equal(pubkey_kind(pub).type, rows[i].kind.type);
		assert_int_equal(pubkey_kind(pub).curve, rows[i].kind.curve);
		assert_true(bytes_eq(pubkey_spki(pub), key_spki(key)));
		pubkey_free(pub);
		key_free(key);
	}
	assert_int_equal(key_generate("rsa:1000", &none, NULL), ERR_KEY);
	assert_null(none);
}

static void check_signature(const struct key *key, enum sig_scheme scheme, const struct digest_row *digest)
{
	struct pubkey *pub = public_of(key);
	struct buf sig = {0};
	struct why why = {0};

	if (key_sign(key, digest, text, &sig, &why) != ERR_OK ||
	    pubkey_verify(pub, scheme, digest, text, buf_bytes(&sig), &why) != ERR_OK)
		fail_msg("%s: %s", digest->name, why.text);
	assert_int_equal(pubkey_verify(pub, scheme, digest, BYTES_LIT("what was signed"), buf_bytes(&sig), NULL), ERR_MSG_CHECK);
	sig.p[sig.n - 1] ^= 1;
	assert_int_equal(pubkey_verify(pub, scheme, digest, text, buf_bytes(&sig), NULL), ERR_MSG_CHECK);
	buf_free(&sig);
	pubkey_free(pub);
}

/* Every digest of the table, SHA-1 and MD5 included: whether they may be used is the profile's business. */
static void signs_and_verifies(void **state)
{
	struct key *rsa = generate("rsa:2048"), *ec = generate("ec:p256"), *ed = generate("ed25519");
	struct buf sig = {0};

	(void)state;
	for (int i = 0; i < DIGEST_COUNT; i++) {
		check_signature(rsa, SIG_RSA_PKCS1, digest_row((enum digest)i));
		if (i != DIGEST_MD5)
			check_signature(ec, SIG_ECDSA, digest_row((enum digest)i));
	}
	check_signature(ed, SIG_ED25519, digest_row(DIGEST_SHA256));
	assert_int_equal(key_sign(ec, digest_row(DIGEST_MD5), text, &sig, NULL), ERR_CA_KEY);
	assert_int_equal(sig.n, 0);
	key_free(rsa);
	key_free(ec);
	key_free(ed);
}

static void scheme_must_fit_the_key(void **state)
{
	struct key *rsa = generate("rsa:2048"), *ec = generate("ec:p256");
	struct pubkey *r = public_of(rsa), *e = public_of(ec);
	const struct digest_row *sha256 = digest_row(DIGEST_SHA256);
	struct buf sig = {0}, out = {0};

	(void)state;
	assert_int_equal(key_sign(rsa, sha256, text, &sig, NULL), ERR_OK);
	assert_int_equal(pubkey_verify(e, SIG_RSA_PKCS1, sha256, text, buf_bytes(&sig), NULL), ERR_ALG);
	assert_int_equal(pubkey_verify(r, SIG_ECDSA, sha256, text, buf_bytes(&sig), NULL), ERR_ALG);
	assert_int_equal(pubkey_verify(r, SIG_RSA_PSS, sha256, text, buf_bytes(&sig), NULL), ERR_MSG_CHECK);
	assert_int_equal(pubkey_verify(r, SIG_RSA_PSS, digest_row(DIGEST_SHA1), text, buf_bytes(&sig), NULL), ERR_ALG);
	assert_int_equal(pubkey_wrap(e, text, &out, NULL), ERR_ALG);
	/* a signature with a zero before it is another text of the same number: RFC 8017 refuses its length */
	buf_insert(&sig, 0, "", 1);
	assert_int_equal(pubkey_verify(r, SIG_RSA_PKCS1, sha256, text, buf_bytes(&sig), NULL), ERR_MSG_CHECK);
	buf_free(&sig);
	pubkey_free(r);
	pubkey_free(e);
	key_free(rsa);
	key_free(ec);
}

static void unwraps_what_was_wrapped(void **state)
{
	struct key *key = generate("rsa:2048");
	struct pubkey *pub = public_of(key);
	uint8_t cek[32], out[32];
	struct buf wrapped = {0};

	(void)state;
	for (int i = 0; i < 300; i++) {	/* one in 256 begins with a zero octet, which must be there */
		memset(cek, i, sizeof(cek));
		buf_cut(&wrapped, 0);
		assert_int_equal(pubkey_wrap(pub, bytes_of(cek, sizeof(cek)), &wrapped, NULL), ERR_OK);
		assert_int_equal(wrapped.n, 256);
	}
	memset(out, 0, sizeof(out));
	assert_int_equal(key_unwrap(key, buf_bytes(&wrapped), out, sizeof(out), NULL), ERR_OK);
	assert_memory_equal(out, cek, sizeof(cek));
	buf_free(&wrapped);
	pubkey_free(pub);
	key_free(key);
}

/* P-85: whatever is wrong, the caller's random key stays and nothing is told; but a wrong length is told. */
static void failed_unwrap_keeps_the_random_key(void **state)
{
	struct key *key = generate("rsa:2048");
	struct pubkey *pub = public_of(key);
	uint8_t before[32], out[32], block[256];
	struct buf wrapped = {0};

	(void)state;
	memset(before, 0xa5, sizeof(before));
	for (int i = 0; i < 4; i++) {
		memcpy(out, before, sizeof(out));
		memset(block, i == 0 ? 0 : i == 1 ? 0xff : 0x11, sizeof(block));
		if (i == 3) {	/* right padding, wrong content length */
			assert_int_equal(pubkey_wrap(pub, bytes_of(before, 24), &wrapped, NULL), ERR_OK);
			memcpy(block, wrapped.p, sizeof(block));
		}
		assert_int_equal(key_unwrap(key, bytes_of(block, sizeof(block)), out, sizeof(out), NULL), ERR_OK);
		assert_memory_equal(out, before, sizeof(out));
	}
	assert_int_equal(key_unwrap(key, bytes_of(block, 255), out, sizeof(out), NULL), ERR_RECIPIENT);
	assert_int_equal(key_unwrap(key, bytes_of(block, 0), out, sizeof(out), NULL), ERR_RECIPIENT);
	assert_memory_equal(out, before, sizeof(out));
	buf_free(&wrapped);
	pubkey_free(pub);
	key_free(key);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(kinds_are_told),
	    cmocka_unit_test(signs_and_verifies),
	    cmocka_unit_test(scheme_must_fit_the_key),
	    cmocka_unit_test(unwraps_what_was_wrapped),
	    cmocka_unit_test(failed_unwrap_keeps_the_random_key),
	};

	return cmocka_run_group_tests_name("key", tests, NULL, NULL);
}
