/* Keys from files and made new: opening, signing, unwrapping; and public keys behind their guard. */
#include "unit.h"

#include <sys/stat.h>

#include "data.h"
#include "pki/der.h"
#include "pki/key.h"
#include "pki/oid.h"
#include "run.h"

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

	if (key_sign_as(key, scheme, digest, text, &sig, &why) != ERR_OK ||
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
		if (i != DIGEST_MD5 && i != DIGEST_SHA1)	/* the library has no PSS with these */
			check_signature(rsa, SIG_RSA_PSS, digest_row((enum digest)i));
	}
	check_signature(ed, SIG_ED25519, digest_row(DIGEST_SHA256));
	assert_int_equal(key_sign(ec, digest_row(DIGEST_MD5), text, &sig, NULL), ERR_CA_KEY);
	assert_int_equal(key_sign_as(ec, SIG_RSA_PSS, digest_row(DIGEST_SHA256), text, &sig, NULL), ERR_CA_KEY);
	assert_int_equal(key_sign_as(rsa, SIG_ED25519, digest_row(DIGEST_SHA256), text, &sig, NULL), ERR_CA_KEY);
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

/* --- files ------------------------------------------------------------------------------------------------------- */

static void opens_and_signs(const char *name, struct bytes pem)
{
	struct key *key = NULL;
	struct buf sig = {0};
	struct why why = {0};

	if (key_from_pem(pem, &key, &why) != ERR_OK || key_sign(key, digest_row(DIGEST_SHA256), text, &sig, &why) != ERR_OK)
		fail_msg("%s: %s", name, why.text);
	buf_free(&sig);
	key_free(key);
}

static void is_refused(const char *name, struct bytes pem)
{
	struct key *key = NULL;
	struct why why = {0};

	if (key_from_pem(pem, &key, &why) != data_expected(name) || key != NULL)
		fail_msg("%s: %s", name, why.text);
	if (strstr(name, "encrypted") != NULL && strstr(why.text, "passphrase") == NULL)
		fail_msg("%s: does not say that it is encrypted: %s", name, why.text);
}

static void every_pem_form_is_read(void **state)
{
	(void)state;
	data_each("good/key", ".pem", 7, opens_and_signs);
	data_each("bad/key", ".pem", 7, is_refused);
}

static void assert_opens(const char *path, enum err expected, const char *words)
{
	struct key *key = NULL;
	struct why why = {0};
	enum err err = key_open(path, NULL, &key, &why);

	if (err != expected || (err != ERR_OK && (why.err != err || strstr(why.text, words) == NULL || strstr(why.text, path) == NULL)))
		fail_msg("%s: %s", err_row(err)->label, why.text);
	key_free(key);
}

static void file_is_wanted_private(void **state)
{
	char *folder = run_folder(), *path = mem_printf("%s/ra.key", folder), *said = mem_printf("chmod 600 %s", path);
	struct buf pem = data_read("good/key/rsa-pkcs8.pem");

	(void)state;
	assert_opens(path, ERR_FILE, "No such file");
	assert_int_equal(file_write(path, buf_bytes(&pem), 0600, false, NULL), ERR_OK);
	assert_opens(path, ERR_OK, "");
	assert_int_equal(chmod(path, 0640), 0);
	assert_opens(path, ERR_FILE, said);
	assert_int_equal(chmod(path, 0604), 0);
	assert_opens(path, ERR_FILE, said);
	assert_int_equal(chmod(path, 0400), 0);
	assert_opens(path, ERR_OK, "");
	assert_int_equal(chmod(path, 0600), 0);
	assert_int_equal(file_write(path, BYTES_LIT("nothing\n"), 0600, true, NULL), ERR_OK);
	assert_opens(path, ERR_KEY, "no private key");
	buf_free(&pem);
	free(said);
	free(path);
	run_remove(folder);
}

static void exported_keys_read_back(void **state)
{
	static const char *const specs[] = {"rsa:2048", "ec:p256", "ec:p521", "ed25519"};

	(void)state;
	for (size_t i = 0; i < sizeof(specs) / sizeof(specs[0]); i++) {
		struct key *key = generate(specs[i]), *again = NULL;
		struct buf pem = {0};

		assert_int_equal(key_export_pem(key, &pem, NULL), ERR_OK);
		assert_int_equal(key_from_pem(buf_bytes(&pem), &again, NULL), ERR_OK);
		assert_true(bytes_eq(key_spki(key), key_spki(again)));
		buf_wipe(&pem);
		key_free(key);
		key_free(again);
	}
}

/* --- signature algorithms ---------------------------------------------------------------------------------------- */

/* AlgorithmIdentifier { oid, parameters }; parameters are TLVs or nothing. */
static enum err read_alg(const char *oid, struct bytes parameters, enum sig_scheme *scheme, const struct digest_row **digest)
{
	struct buf b = {0};
	enum err err;

	der_oid(&b, oid);
	buf_add_bytes(&b, parameters);
	der_close(&b, 0, DER_SEQUENCE);
	err = sig_alg_read(buf_bytes(&b), scheme, digest, NULL);
	buf_free(&b);
	return err;
}

/* P-179, P-180 */
static void signature_algorithms_are_read(void **state)
{
	static const struct {
		const char *oid;
		struct bytes parameters;
		enum err err;
		enum sig_scheme scheme;
		int digest;	/* -1: stays what it was */
	} rows[] = {
	    {"1.2.840.113549.1.1.11", BYTES_LIT("\5\0"), ERR_OK, SIG_RSA_PKCS1, DIGEST_SHA256},
	    {"1.2.840.113549.1.1.13", BYTES_LIT(""), ERR_OK, SIG_RSA_PKCS1, DIGEST_SHA512},
	    {"1.2.840.113549.1.1.4", BYTES_LIT("\5\0"), ERR_OK, SIG_RSA_PKCS1, DIGEST_MD5},
	    {"1.2.840.113549.1.1.11", BYTES_LIT("\2\1\5"), ERR_ALG, 0, -1},
	    {OID_RSA, BYTES_LIT("\5\0"), ERR_OK, SIG_RSA_PKCS1, -1},
	    {OID_RSA, BYTES_LIT(""), ERR_OK, SIG_RSA_PKCS1, -1},
	    {OID_EC, BYTES_LIT("\6\x08\x2a\x86\x48\xce\x3d\3\1\7"), ERR_OK, SIG_ECDSA, -1},
	    {"1.2.840.10045.4.3.3", BYTES_LIT(""), ERR_OK, SIG_ECDSA, DIGEST_SHA384},
	    {"1.2.840.10045.4.3.3", BYTES_LIT("\5\0"), ERR_OK, SIG_ECDSA, DIGEST_SHA384},
	    {OID_ED25519, BYTES_LIT(""), ERR_OK, SIG_ED25519, -1},
	    {OID_ED25519, BYTES_LIT("\5\0"), ERR_ALG, 0, -1},
	    {OID_RSA_PSS, BYTES_LIT(""), ERR_ALG, 0, -1},
	    {OID_RSA_PSS, BYTES_LIT("\x30\0"), ERR_ALG, 0, -1},	/* the defaults: SHA-1 */
	    {"1.2.840.113549.1.1.2", BYTES_LIT("\5\0"), ERR_ALG, 0, -1},	/* MD2 */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct digest_row *before = digest_row(DIGEST_SHA1), *digest = before;
		enum sig_scheme scheme = SIG_RSA_PKCS1;
		enum err err = read_alg(rows[i].oid, rows[i].parameters, &scheme, &digest);

		if (err != rows[i].err || (err == ERR_OK && scheme != rows[i].scheme) ||
		    digest != (rows[i].digest < 0 ? before : digest_row((enum digest)rows[i].digest)))
			fail_msg("row %zu (%s)", i, rows[i].oid);
	}
}

#define SHA256_ID "\x30\x0d\6\x09\x60\x86\x48\1\x65\3\4\2\1\5\0"
#define SHA512_ID "\x30\x0d\6\x09\x60\x86\x48\1\x65\3\4\2\3\5\0"
#define MGF1_ID(hash) "\xa1\x1c\x30\x1a\6\x09\x2a\x86\x48\x86\xf7\x0d\1\1\x08" hash

/* P-161 */
/* What we write as the algorithm of a signature is what we read there. */
static void algorithms_come_back(void **state)
{
	static const enum sig_scheme schemes[] = {SIG_RSA_PKCS1, SIG_RSA_PSS, SIG_ECDSA, SIG_ED25519};
	static const enum digest ids[] = {DIGEST_SHA256, DIGEST_SHA384, DIGEST_SHA512};

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		for (size_t k = 0; k < 3; k++) {
			const struct digest_row *digest = NULL;
			enum sig_scheme scheme = SIG_RSA_PKCS1;
			struct buf tlv = {0};

			sig_alg_write_as(&tlv, schemes[i], digest_row(ids[k]));
			assert_int_equal(sig_alg_read(buf_bytes(&tlv), &scheme, &digest, NULL), ERR_OK);
			assert_int_equal(scheme, schemes[i]);
			assert_ptr_equal(digest, scheme == SIG_ED25519 ? NULL : digest_row(ids[k]));
			buf_free(&tlv);
		}
	}
}

static void only_plain_pss_is_read(void **state)
{
	static const struct {
		struct bytes parameters;
		bool ok;
	} rows[] = {
	    {BYTES_LIT("\x30\x34\xa0\x0f" SHA256_ID MGF1_ID(SHA256_ID) "\xa2\3\2\1\x20"), true},
	    {BYTES_LIT("\x30\x39\xa0\x0f" SHA256_ID MGF1_ID(SHA256_ID) "\xa2\3\2\1\x20\xa3\3\2\1\1"), true},
	    {BYTES_LIT("\x30\x39\xa0\x0f" SHA256_ID MGF1_ID(SHA256_ID) "\xa2\3\2\1\x20\xa3\3\2\1\2"), false},
	    {BYTES_LIT("\x30\x34\xa0\x0f" SHA256_ID MGF1_ID(SHA256_ID) "\xa2\3\2\1\x14"), false},
	    {BYTES_LIT("\x30\x34\xa0\x0f" SHA256_ID MGF1_ID(SHA512_ID) "\xa2\3\2\1\x20"), false},
	    {BYTES_LIT("\x30\x2f\xa0\x0f" SHA256_ID MGF1_ID(SHA256_ID)), false},
	    {BYTES_LIT("\x30\x36\xa0\x0f" SHA256_ID MGF1_ID(SHA256_ID) "\xa2\3\2\1\x20\5\0"), false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct digest_row *digest = NULL;
		enum sig_scheme scheme = SIG_ECDSA;
		enum err err = read_alg(OID_RSA_PSS, rows[i].parameters, &scheme, &digest);

		if (err != (rows[i].ok ? ERR_OK : ERR_ALG))
			fail_msg("row %zu", i);
		if (rows[i].ok)
			assert_true(scheme == SIG_RSA_PSS && digest == digest_row(DIGEST_SHA256));
	}
}

/* A hostile key is refused on its encoding, before anything expensive (what that costs: tests/bench/bench_hostile). */
static void hostile_keys_are_refused(void **state)
{
	struct buf n = {0}, spki = {0};
	struct pubkey *pub = NULL;
	size_t at, inner;

	(void)state;
	memset(buf_grow(&n, 2048), 0xff, 2048);	/* 16384 bits, all set; modulus and exponent alike */
	der_algorithm(&spki, OID_RSA, true);
	at = der_open(&spki);
	buf_add_byte(&spki, 0);
	inner = der_open(&spki);
	der_uint(&spki, buf_bytes(&n));
	der_uint(&spki, buf_bytes(&n));
	der_close(&spki, inner, DER_SEQUENCE);
	der_close(&spki, at, DER_BIT_STRING);
	der_close(&spki, 0, DER_SEQUENCE);
	assert_int_equal(pubkey_import(buf_bytes(&spki), &(struct key_limits){512, 16384}, &pub, NULL), ERR_KEY_WEAK);
	assert_null(pub);
	buf_free(&n);
	buf_free(&spki);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(kinds_are_told),
	    cmocka_unit_test(signs_and_verifies),
	    cmocka_unit_test(scheme_must_fit_the_key),
	    cmocka_unit_test(unwraps_what_was_wrapped),
	    cmocka_unit_test(failed_unwrap_keeps_the_random_key),
	    cmocka_unit_test(every_pem_form_is_read),
	    cmocka_unit_test(file_is_wanted_private),
	    cmocka_unit_test(exported_keys_read_back),
	    cmocka_unit_test(signature_algorithms_are_read),
	    cmocka_unit_test(algorithms_come_back),
	    cmocka_unit_test(only_plain_pss_is_read),
	    cmocka_unit_test(hostile_keys_are_refused),
	};

	return cmocka_run_group_tests_name("key", tests, NULL, NULL);
}
