/* What we write: read again by our reader, and verified and decrypted by OpenSSL. */
#include "unit.h"

#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "conf/conf.h"
#include "pki/cms.h"
#include "pki/der.h"
#include "pki/oid.h"

extern char **environ;

#define SOME_TIME 1767225600	/* 2026-01-01 */

static const struct key_limits limits = {.min_rsa = 2048, .max_rsa = 4096};

static struct party {
	const char *name;
	char *key_path, *cert_path;
	struct key *key;
	struct cert *cert;
	struct pubkey *pub;
} ra = {.name = "ra"}, device = {.name = "device-rsa"}, ec = {.name = "device-ec"};

static char *folder;

static void party_load(struct party *p)
{
	struct buf pem = {0};
	struct why why;

	p->key_path = mem_printf("%s/keys/%s.key", TEST_DATA, p->name);
	p->cert_path = mem_printf("%s/keys/%s.pem", TEST_DATA, p->name);
	if (file_read(p->key_path, &pem, &why) != ERR_OK || key_from_pem(buf_bytes(&pem), &p->key, &why) != ERR_OK ||
	    cert_read(p->cert_path, &p->cert, &why) != ERR_OK || pubkey_import(p->cert->spki, &limits, &p->pub, &why) != ERR_OK)
		fail_msg("%s: %s", p->name, why.text);
	buf_free(&pem);
}

static void party_free(struct party *p)
{
	key_free(p->key);
	cert_free(p->cert);
	pubkey_free(p->pub);
	free(p->key_path);
	free(p->cert_path);
}

static int setup(void **state)
{
	const char *tmp = getenv("TMPDIR");

	(void)state;
	folder = mem_printf("%s/scepter-cms-XXXXXX", tmp != NULL ? tmp : "/tmp");
	if (mkdtemp(folder) == NULL)
		return -1;
	party_load(&ra);
	party_load(&device);
	party_load(&ec);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	rmdir(folder);
	free(folder);
	party_free(&ra);
	party_free(&device);
	party_free(&ec);
	return 0;
}

/* Gives `in` to openssl on a file after `args`; returns its exit status and what it wrote to -out. */
static int openssl(const char *const *args, struct bytes in, struct buf *out)
{
	char *in_path = mem_printf("%s/in", folder), *out_path = mem_printf("%s/out", folder), *argv[24];
	const char *const tail[] = {"-inform", "DER", "-in", in_path, "-out", out_path};
	size_t n = 0;
	pid_t pid;
	int status = -1;

	argv[n++] = (char *)"openssl";
	while (*args != NULL)
		argv[n++] = (char *)*args++;
	for (size_t i = 0; i < sizeof(tail) / sizeof(tail[0]); i++)
		argv[n++] = (char *)tail[i];
	argv[n] = NULL;
	assert_int_equal(file_write(in_path, in, 0600, true, NULL), ERR_OK);
	assert_int_equal(posix_spawnp(&pid, "openssl", NULL, NULL, argv, environ), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (status == 0 && access(out_path, R_OK) == 0)
		assert_int_equal(file_read(out_path, out, NULL), ERR_OK);
	unlink(in_path);
	unlink(out_path);
	free(in_path);
	free(out_path);
	return status;
}

static void text_attr(struct buf *out, const char *oid, const char *text)
{
	struct buf value = {0};

	der_str(&value, DER_PRINTABLE, text);
	cms_attr_write(out, oid, buf_bytes(&value));
	buf_free(&value);
}

static void assert_verifies(const struct buf *message, const struct party *by)
{
	struct cms_signed *s = NULL;
	struct cert *signer = NULL;
	struct why why;

	if (cms_signed_parse(buf_bytes(message), &s, &why) != ERR_OK || cms_signer_cert(s, &signer, &why) != ERR_OK ||
	    cms_signed_verify(s, by->pub, NULL, &why) != ERR_OK)
		fail_msg("%s: %s", by->name, why.text);
	assert_true(bytes_eq(buf_bytes(&signer->der), buf_bytes(&by->cert->der)));
	cert_free(signer);
	cms_signed_free(s);
}

static void sign_and_check(const struct party *by, enum digest digest, enum cms_content present, const char *text)
{
	struct buf attrs = {0}, out = {0}, back = {0};
	struct cms_sign_spec spec = {.present = present, .content = bytes_str(text), .signing_time = SOME_TIME, .key = by->key,
	    .cert = by->cert, .digest = digest_row(digest)};
	const char *const absent[] = {"cms", "-verify", "-binary", "-noverify", "-content", "/dev/null", NULL};
	const char *const verify[] = {"cms", "-verify", "-binary", "-noverify", NULL};
	struct why why;

	text_attr(&attrs, OID_SCEP_TRANSACTION_ID, "42");
	text_attr(&attrs, OID_SCEP_MESSAGE_TYPE, "3");
	spec.attrs = buf_bytes(&attrs);
	if (cms_signed_write(&out, &spec, &why) != ERR_OK)
		fail_msg("%s", why.text);
	assert_verifies(&out, by);
	assert_int_equal(openssl(present == CMS_CONTENT_PRESENT ? verify : absent, buf_bytes(&out), &back), 0);
	assert_true(bytes_eq_str(buf_bytes(&back), text));
	buf_free(&attrs);
	buf_free(&out);
	buf_free(&back);
}

static void test_signed(void **state)
{
	static const enum digest digests[] = {DIGEST_SHA1, DIGEST_SHA256, DIGEST_SHA384, DIGEST_SHA512};

	(void)state;
	for (size_t i = 0; i < sizeof(digests) / sizeof(digests[0]); i++) {
		sign_and_check(&ra, digests[i], CMS_CONTENT_PRESENT, "content");
		sign_and_check(&ec, digests[i], CMS_CONTENT_PRESENT, "content");
	}
	sign_and_check(&ra, DIGEST_SHA256, CMS_CONTENT_PRESENT, "");
	sign_and_check(&ra, DIGEST_SHA256, CMS_CONTENT_ABSENT, "");
	sign_and_check(&ec, DIGEST_SHA256, CMS_CONTENT_ABSENT, "");
}

static struct cms_signed *write_and_parse(const struct cms_sign_spec *spec)
{
	struct buf out = {0};
	struct cms_signed *s;

	assert_int_equal(cms_signed_write(&out, spec, NULL), ERR_OK);
	assert_int_equal(cms_signed_parse(buf_bytes(&out), &s, NULL), ERR_OK);
	buf_free(&out);
	return s;
}

/* Attributes in DER order; rsaEncryption with NULL (P-201); digest parameters (P-178); the sid copied (P-186). */
static void test_signed_form(void **state)
{
	struct buf attrs = {0}, rsa = {0}, ecdsa = {0};
	struct cms_sign_spec spec = {.present = CMS_CONTENT_PRESENT, .content = BYTES_LIT("x"), .signing_time = SOME_TIME,
	    .key = ra.key, .cert = ra.cert, .digest = digest_row(DIGEST_SHA512)};
	struct cms_signed *s;
	struct tlv set, attr;
	struct bytes last = {0};
	size_t n = 0;

	(void)state;
	text_attr(&attrs, OID_SCEP_TRANSACTION_ID, "a rather long transaction identifier");
	text_attr(&attrs, OID_SCEP_MESSAGE_TYPE, "3");
	spec.attrs = buf_bytes(&attrs);
	s = write_and_parse(&spec);
	assert_true(der_whole(s->signed_attrs, DER_CTX(0), &set));
	while (der_next(&set.body, &attr)) {
		size_t shorter = last.n < attr.raw.n ? last.n : attr.raw.n;

		if (n++ > 0)
			assert_true(memcmp(last.p, attr.raw.p, shorter) < 0);
		last = attr.raw;
	}
	assert_int_equal(n, 5);
	assert_true(bytes_eq(s->sid.issuer, ra.cert->issuer) && bytes_eq(s->sid.serial, ra.cert->serial));
	der_algorithm(&rsa, OID_RSA, true);
	assert_true(bytes_eq(s->sig_alg, buf_bytes(&rsa)));
	cms_signed_free(s);

	spec.key = ec.key;
	spec.cert = ec.cert;
	s = write_and_parse(&spec);
	der_algorithm(&ecdsa, "1.2.840.10045.4.3.4", false);
	assert_true(bytes_eq(s->sig_alg, buf_bytes(&ecdsa)));
	cms_signed_free(s);
	buf_free(&attrs);
	buf_free(&rsa);
	buf_free(&ecdsa);
}

/* NULL parameters for SHA-1, none for SHA-2; in digestAlgorithms and in the SignerInfo (P-178). */
static void test_digest_parameters(void **state)
{
	struct cms_sign_spec spec = {.present = CMS_CONTENT_ABSENT, .key = ec.key, .cert = ec.cert};

	(void)state;
	for (unsigned id = DIGEST_SHA1; id <= DIGEST_SHA512; id++) {
		struct buf out = {0}, alg[2] = {0};
		size_t found[2] = {0};

		spec.digest = digest_row(id);
		assert_int_equal(cms_signed_write(&out, &spec, NULL), ERR_OK);
		for (int null = 0; null < 2; null++) {
			der_algorithm(&alg[null], spec.digest->oid, null);
			for (size_t i = 0; i + alg[null].n <= out.n; i++)
				found[null] += memcmp(out.p + i, alg[null].p, alg[null].n) == 0;
			buf_free(&alg[null]);
		}
		assert_int_equal(found[id == DIGEST_SHA1], 2);
		assert_int_equal(found[id != DIGEST_SHA1], 0);
		buf_free(&out);
	}
}

static void test_signed_parts(void **state)
{
	const struct cert *extra[] = {device.cert, ec.cert};
	struct cms_sign_spec spec = {.present = CMS_CONTENT_ABSENT, .key = ra.key, .cert = ra.cert, .extra = extra, .n_extra = 2,
	    .digest = digest_row(DIGEST_SHA256)};
	struct cms_signed *s = write_and_parse(&spec);

	(void)state;
	assert_false(s->has_content);
	assert_null(cms_attr_find(s, OID_SIGNING_TIME));
	assert_int_equal(s->n_attrs, 2);
	assert_int_equal(s->n_certs, 3);
	assert_true(bytes_eq(s->certs[0], buf_bytes(&ra.cert->der)));
	assert_true(bytes_eq(s->certs[1], buf_bytes(&device.cert->der)));
	assert_true(bytes_eq(s->certs[2], buf_bytes(&ec.cert->der)));
	cms_signed_free(s);
	spec.present = CMS_CONTENT_PRESENT;
	s = write_and_parse(&spec);
	assert_true(s->has_content && s->content.n == 0);
	cms_signed_free(s);
}

static void test_envelope(void **state)
{
	static const char text[] = "a certification request";
	const char *const decrypt[] = {"cms", "-decrypt", "-binary", "-inkey", device.key_path, "-recip", device.cert_path, NULL};
	struct alg_set algs = alg_set_make(LEGACY_DES3, OBSOLETE_DES);

	(void)state;
	for (unsigned id = 0; id < CIPHER_COUNT; id++) {
		struct buf out = {0}, plain = {0}, back = {0};
		struct cms_enveloped *e;
		const struct cms_recipient *r;

		assert_int_equal(cms_envelope_write(&out, bytes_str(text), device.cert, device.pub, cipher_row(id), NULL), ERR_OK);
		assert_int_equal(cms_enveloped_parse(buf_bytes(&out), &e, NULL), ERR_OK);
		assert_null(cms_recipient_find(e, ra.cert));
		r = cms_recipient_find(e, device.cert);
		assert_non_null(r);
		assert_true(bytes_eq(r->rid.issuer, device.cert->issuer) && bytes_eq(r->rid.serial, device.cert->serial));
		assert_int_equal(cms_enveloped_open(e, r, device.key, &algs, &plain, NULL), ERR_OK);
		assert_true(bytes_eq_str(buf_bytes(&plain), text));
		if (id != CIPHER_DES) {		/* OpenSSL 3 has it in its legacy provider only */
			assert_int_equal(openssl(decrypt, buf_bytes(&out), &back), 0);
			assert_true(bytes_eq_str(buf_bytes(&back), text));
		}
		cms_enveloped_free(e);
		buf_free(&out);
		buf_free(&plain);
		buf_free(&back);
	}
}

/* No two envelopes share a key or an IV, and a key that cannot decrypt gets none. */
/* OpenSSL opens what is for a password. */
static void test_envelope_for_password(void **state)
{
	static const enum cipher ciphers[] = {CIPHER_AES128, CIPHER_AES192, CIPHER_AES256, CIPHER_DES3};
	static const enum digest prfs[] = {DIGEST_SHA1, DIGEST_SHA256, DIGEST_SHA384, DIGEST_SHA512};
	const char *const decrypt[] = {"cms", "-decrypt", "-binary", "-pwri_password", "c0rrect-horse", NULL};
	struct why why;

	(void)state;
	for (size_t i = 0; i < 16; i++) {
		struct buf out = {0}, back = {0};

		if (cms_envelope_write_password(&out, bytes_str("hello"), bytes_str("c0rrect-horse"), cipher_row(ciphers[i / 4]),
			digest_row(prfs[i % 4]), &why) != ERR_OK)
			fail_msg("%s", why.text);
		assert_int_equal(openssl(decrypt, buf_bytes(&out), &back), 0);
		assert_true(bytes_eq_str(buf_bytes(&back), "hello"));
		buf_free(&out);
		buf_free(&back);
	}
}

static void test_envelope_fresh(void **state)
{
	struct buf a = {0}, b = {0};
	struct cms_enveloped *ea, *eb;
	const struct cipher_row *aes = cipher_row(CIPHER_AES256);

	(void)state;
	assert_int_equal(cms_envelope_write(&a, BYTES_LIT("x"), ec.cert, ec.pub, aes, NULL), ERR_ALG);
	assert_int_equal(a.n, 0);
	assert_int_equal(cms_envelope_write(&a, BYTES_LIT("x"), ra.cert, ra.pub, aes, NULL), ERR_OK);
	assert_int_equal(cms_envelope_write(&b, BYTES_LIT("x"), ra.cert, ra.pub, aes, NULL), ERR_OK);
	assert_int_equal(cms_enveloped_parse(buf_bytes(&a), &ea, NULL), ERR_OK);
	assert_int_equal(cms_enveloped_parse(buf_bytes(&b), &eb, NULL), ERR_OK);
	assert_false(bytes_eq(ea->iv, eb->iv) || bytes_eq(ea->ciphertext, eb->ciphertext));
	cms_enveloped_free(ea);
	cms_enveloped_free(eb);
	buf_free(&a);
	buf_free(&b);
}

static void test_des_key_parity(void **state)
{
	struct buf out = {0};
	struct cms_enveloped *e;
	uint8_t key[24] = {0};

	(void)state;
	assert_int_equal(cms_envelope_write(&out, BYTES_LIT("x"), ra.cert, ra.pub, cipher_row(CIPHER_DES3), NULL), ERR_OK);
	assert_int_equal(cms_enveloped_parse(buf_bytes(&out), &e, NULL), ERR_OK);
	assert_int_equal(key_unwrap(ra.key, e->recipients[0].encrypted_key, key, sizeof(key), NULL), ERR_OK);
	for (size_t i = 0; i < sizeof(key); i++)
		assert_int_equal(__builtin_popcount(key[i]) % 2, 1);
	cms_enveloped_free(e);
	buf_free(&out);
}

/* Triple-DES is slow: more than a request can need is not decrypted, before the private key is used. */
static void test_des_is_bounded(void **state)
{
	struct alg_set algs = alg_set_make(LEGACY_DES3, 0);
	struct buf text = {0}, out = {0}, plain = {0};
	struct cms_enveloped *e;

	(void)state;
	buf_grow(&text, 200000);
	for (unsigned id = CIPHER_AES256; id <= CIPHER_DES3; id++) {
		buf_cut(&out, 0);
		assert_int_equal(cms_envelope_write(&out, buf_bytes(&text), ra.cert, ra.pub, cipher_row(id), NULL), ERR_OK);
		assert_int_equal(cms_enveloped_parse(buf_bytes(&out), &e, NULL), ERR_OK);
		assert_int_equal(cms_enveloped_open(e, &e->recipients[0], ra.key, &algs, &plain, NULL),
		    id == CIPHER_DES3 ? ERR_ALG : ERR_OK);
		cms_enveloped_free(e);
	}
	buf_free(&text);
	buf_free(&out);
	buf_free(&plain);
}

static void test_certs_only(void **state)
{
	const struct bytes certs[] = {buf_bytes(&ra.cert->der), buf_bytes(&device.cert->der)};
	const char *const print[] = {"pkcs7", "-print_certs", NULL};
	struct buf out = {0}, text = {0};
	struct cms_signed *s;

	(void)state;
	cms_certs_only_write(&out, certs, 2);
	assert_int_equal(cms_signed_parse(buf_bytes(&out), &s, NULL), ERR_OK);
	assert_false(s->has_content || s->has_signer);
	assert_int_equal(s->n_certs, 2);
	assert_true(bytes_eq(s->certs[0], certs[0]) && bytes_eq(s->certs[1], certs[1]));	/* in the given order: P-41 */
	cms_signed_free(s);
	assert_int_equal(openssl(print, buf_bytes(&out), &text), 0);
	assert_non_null(strstr((char *)text.p, "CN = device-rsa"));
	buf_free(&out);
	buf_free(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_signed), cmocka_unit_test(test_signed_form), cmocka_unit_test(test_digest_parameters),
		cmocka_unit_test(test_signed_parts),
		cmocka_unit_test(test_envelope), cmocka_unit_test(test_envelope_for_password), cmocka_unit_test(test_envelope_fresh), cmocka_unit_test(test_des_key_parity),
		cmocka_unit_test(test_des_is_bounded),
		cmocka_unit_test(test_certs_only),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
