/*
 * Password recipients (RFC 3211): the messages of tests/data/{good,bad}/cms/password, made by OpenSSL and by tests/data/make-cms with other
 * people's code, are opened with the password "secret"; the bad ones give the error that their name begins with.
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

#define PLAIN "the plain content of an envelope\n"
#define PASSWORD "secret"

static struct buf data(const char *name)
{
	char *path = mem_printf("%s/%s", TEST_DATA, name);
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

static void for_each(const char *folder, void (*each)(const char *name, struct bytes in))
{
	char *path = mem_printf("%s/%s", TEST_DATA, folder);
	struct dirent **list;
	int n = scandir(path, &list, is_der, alphasort);

	assert_true(n > 10);
	for (int i = 0; i < n; i++) {
		char *name = mem_printf("%s/%s", folder, list[i]->d_name);
		struct buf in = data(name);

		each(list[i]->d_name, buf_bytes(&in));
		buf_free(&in);
		free(name);
		free(list[i]);
	}
	free(list);
	free(path);
}

static enum err open_with(struct bytes in, const char *password, const struct alg_set *algs, struct buf *out, struct why *why)
{
	struct cms_enveloped *e = NULL;
	enum err err = cms_enveloped_parse(in, &e, why);

	if (err == ERR_OK)
		err = cms_enveloped_open_password(e, bytes_str(password), algs, out, why);
	/* One wrong key in 256 gives good padding by chance: nonsense, which its reader refuses. Here it is tried again. */
	while (err == ERR_OK && !bytes_eq_str(buf_bytes(out), PLAIN)) {
		buf_cut(out, 0);
		err = cms_enveloped_open_password(e, bytes_str(password), algs, out, why);
	}
	cms_enveloped_free(e);
	return err;
}

static void good(const char *name, struct bytes in)
{
	struct alg_set algs = alg_set_make(LEGACY_DES3, 0);
	struct buf plain = {0};
	struct why why;

	if (open_with(in, PASSWORD, &algs, &plain, &why) != ERR_OK)
		fail_msg("%s: %s", name, why.text);
	if (!bytes_eq_str(buf_bytes(&plain), PLAIN))
		fail_msg("%s: wrong plain text", name);
	buf_free(&plain);
}

static void bad(const char *name, struct bytes in)
{
	struct alg_set algs = alg_set_make(0, 0);
	struct buf plain = {0};
	struct why why = {0};
	enum err err = open_with(in, PASSWORD, &algs, &plain, &why);
	const char *label = err_row(err)->label;

	if (strncmp(name, label, strlen(label)) != 0 || name[strlen(label)] != '-')
		fail_msg("%s gives %s: %s", name, label, err == ERR_OK ? "" : why.text);
	if (why.err != err || why.text[0] == '\0')
		fail_msg("%s: no sentence says why", name);
	assert_int_equal(plain.n, 0);
	/* Damage and a wrong password are told in the same words (P-85). */
	if (err == ERR_UNSEAL)
		assert_string_equal(why.text, "the envelope does not decrypt: wrong key or damaged");
	buf_free(&plain);
}

static void test_good(void **state)
{
	(void)state;
	for_each("good/cms/password", good);
}

static void test_bad(void **state)
{
	(void)state;
	for_each("bad/cms/password", bad);
}

static void test_fields(void **state)
{
	struct buf in = data("good/cms/password/openssl-beside-rsa.der");
	struct cms_enveloped *e;
	const struct cms_pwri *p = NULL;

	(void)state;
	assert_int_equal(cms_enveloped_parse(buf_bytes(&in), &e, NULL), ERR_OK);
	assert_int_equal(e->n_recipients, 2);
	for (size_t i = 0; i < 2; i++) {
		if (e->recipients[i].kind == RECIPIENT_PWRI)
			p = &e->recipients[i].pwri;
		else
			assert_null(e->recipients[i].pwri.prf);
	}
	assert_non_null(p);
	assert_int_equal(p->prf->id, DIGEST_SHA1);	/* the default, which OpenSSL means */
	assert_int_equal(p->iterations, 2048);
	assert_int_equal(p->salt.n, 8);
	assert_int_equal(p->cipher->id, CIPHER_AES256);
	assert_int_equal(p->iv.n, 16);
	cms_enveloped_free(e);
	buf_free(&in);
}

/* A hostile number of iterations is refused before a single one is done. */
static void test_iterations_cost_nothing(void **state)
{
	struct buf in = data("bad/cms/password/alg-iterations-in-all.der"), plain = {0};
	clock_t before = clock();
	struct why why;

	(void)state;
	for (int i = 0; i < 500; i++)	/* which would be half a minute */
		assert_int_equal(open_with(buf_bytes(&in), PASSWORD, NULL, &plain, &why), ERR_ALG);
	assert_true(clock() - before < 5 * CLOCKS_PER_SEC);
	assert_non_null(strstr(why.text, "120000 iterations"));
	buf_free(&in);
}

static struct buf seal(const char *password, enum cipher cipher, enum digest prf)
{
	struct buf out = {0};
	struct why why;

	if (cms_envelope_write_password(&out, bytes_str(PLAIN), bytes_str(password), cipher_row(cipher), digest_row(prf), &why) != ERR_OK)
		fail_msg("%s", why.text);
	return out;
}

/* What we write, we read; by its password only. */
static void test_write(void **state)
{
	static const enum cipher ciphers[] = {CIPHER_AES128, CIPHER_AES192, CIPHER_AES256, CIPHER_DES3};
	static const enum digest prfs[] = {DIGEST_SHA1, DIGEST_SHA256, DIGEST_SHA384, DIGEST_SHA512};

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		for (size_t j = 0; j < 4; j++) {
			struct buf out = seal("p\xc3\xa4ssword", ciphers[i], prfs[j]), plain = {0};

			assert_int_equal(open_with(buf_bytes(&out), "p\xc3\xa4ssword", NULL, &plain, NULL), ERR_OK);
			assert_true(bytes_eq_str(buf_bytes(&plain), PLAIN));
			buf_cut(&plain, 0);
			assert_int_equal(open_with(buf_bytes(&out), "password", NULL, &plain, NULL), ERR_UNSEAL);
			buf_free(&out);
			buf_free(&plain);
		}
	}
}

/* Version 3, PasswordRecipientInfo version 0, 10,000 iterations, 16 octets of fresh salt (P-88, P-91). */
static void test_written_form(void **state)
{
	struct buf a = seal(PASSWORD, CIPHER_AES128, DIGEST_SHA256), b = seal(PASSWORD, CIPHER_AES128, DIGEST_SHA256);
	struct cms_enveloped *e, *f;
	struct tlv info, explicit, data, set, pwri, version;

	(void)state;
	assert_true(der_whole(buf_bytes(&a), DER_SEQUENCE, &info) && der_expect(&info.body, DER_OID, &version) &&
	    der_whole(info.body, DER_CTX(0), &explicit) && der_whole(explicit.body, DER_SEQUENCE, &data) &&
	    der_expect(&data.body, DER_INTEGER, &version));
	assert_true(version.body.n == 1 && version.body.p[0] == 3);
	assert_true(der_expect(&data.body, DER_SET, &set) && der_whole(set.body, DER_CTX(3), &pwri) &&
	    der_expect(&pwri.body, DER_INTEGER, &version));
	assert_true(version.body.n == 1 && version.body.p[0] == 0);
	assert_int_equal(cms_enveloped_parse(buf_bytes(&a), &e, NULL), ERR_OK);
	assert_int_equal(cms_enveloped_parse(buf_bytes(&b), &f, NULL), ERR_OK);
	assert_int_equal(e->n_recipients, 1);
	assert_int_equal(e->recipients[0].pwri.iterations, 10000);
	assert_int_equal(e->recipients[0].pwri.salt.n, 16);
	assert_int_equal(e->recipients[0].encrypted_key.n, 32);
	assert_false(bytes_eq(e->recipients[0].pwri.salt, f->recipients[0].pwri.salt));
	assert_false(bytes_eq(e->recipients[0].pwri.iv, f->recipients[0].pwri.iv));
	assert_false(bytes_eq(e->iv, f->iv));
	cms_enveloped_free(e);
	cms_enveloped_free(f);
	buf_free(&a);
	buf_free(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good), cmocka_unit_test(test_bad), cmocka_unit_test(test_fields),
		cmocka_unit_test(test_iterations_cost_nothing), cmocka_unit_test(test_write), cmocka_unit_test(test_written_form),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
