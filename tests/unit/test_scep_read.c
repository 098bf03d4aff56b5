/* Messages of clients that others wrote, of every form, and bad ones whose file name says the error. */
#include "scep_data.h"

#include <dirent.h>
#include <string.h>

#include "conf/conf.h"
#include "pki/csr.h"
#include "pki/name.h"
#include "pki/oid.h"

static const struct key_limits limits = {.min_rsa = 2048, .max_rsa = 8192};

struct fixture {
	struct cert *ra;
	struct key *ra_key;
};

static int setup(void **state)
{
	struct fixture *f = mem_alloc(sizeof(*f));

	f->ra = test_cert("good/scep/ra.pem");
	f->ra_key = test_key("good/scep/ra.key");
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	cert_free(f->ra);
	key_free(f->ra_key);
	free(f);
	return 0;
}

static enum err read_all(const struct fixture *f, struct bytes in, const struct alg_set *algs, struct scep_msg **msg,
    struct buf *plain, struct why *why)
{
	struct scep_recipient to = {.cert = f->ra, .key = f->ra_key};
	enum err err = scep_open(in, msg, why);

	if (err == ERR_OK)
		err = scep_verify(*msg, &limits, algs, why);
	if (err == ERR_OK)
		err = scep_unseal(*msg, &to, 1, algs, plain, why);
	return err;
}

/*
 * Unseals and reads the CSR inside. A wrong key is not told by itself: decryption goes on with a random content key (P-85), whose result
 * has a good padding once in 256 times; then it is the CSR that cannot be read, which is the same error.
 */
static enum err unseal_csr(struct scep_msg *msg, const struct scep_recipient *to, size_t n, const struct alg_set *algs,
    struct why *why)
{
	struct csr *csr = NULL;
	struct buf plain = {0};
	enum err err = scep_unseal(msg, to, n, algs, &plain, why);

	if (err != ERR_OK)
		assert_int_equal(plain.n, 0);
	else
		err = csr_parse(buf_bytes(&plain), &csr, why);
	csr_free(csr);
	buf_wipe(&plain);
	return err;
}

enum content { CSR, ISSUER_SUBJECT, OTHER };

static const struct good {
	const char *file;
	int type;
	const char *txid;	/* NULL: not looked at */
	enum digest digest;
	enum cipher cipher;
	enum content content;
	const char *subject, *challenge;	/* of the CSR */
} good[] = {
#define CAPTURED "captured-challenge"
	{"micromdm-pkcsreq", 19, NULL, DIGEST_SHA1, CIPHER_DES, CSR, "micromdm-device", CAPTURED},
	{"strongswan-pkcsreq", 19, NULL, DIGEST_SHA256, CIPHER_AES128, CSR, "strongswan-device", CAPTURED},
	{"certmonger-pkcsreq", 19, NULL, DIGEST_SHA256, CIPHER_AES256, CSR, "certmonger-device", CAPTURED},
#define MADE "made-device", "made-challenge"
#define HAND "made by hand: 42"
	{"der-sha256-aes128", 19, HAND, DIGEST_SHA256, CIPHER_AES128, CSR, MADE},
	{"ber-indefinite", 19, HAND, DIGEST_SHA256, CIPHER_AES128, CSR, MADE},
	{"wide-lengths", 19, HAND, DIGEST_SHA256, CIPHER_AES128, CSR, MADE},
	{"sha1-des3", 19, HAND, DIGEST_SHA1, CIPHER_DES3, CSR, MADE},
	{"sha512-aes256", 19, HAND, DIGEST_SHA512, CIPHER_AES256, CSR, MADE},
	{"sha384-aes192", 19, HAND, DIGEST_SHA384, CIPHER_AES192, CSR, MADE},
	{"md5-des", 19, HAND, DIGEST_MD5, CIPHER_DES, CSR, MADE},
	{"constructed-ciphertext", 19, HAND, DIGEST_SHA256, CIPHER_AES128, CSR, MADE},
	{"no-parameters", 19, HAND, DIGEST_SHA256, CIPHER_AES128, CSR, MADE},
	{"sigalg-sha256rsa", 19, HAND, DIGEST_SHA256, CIPHER_AES128, CSR, MADE},
	{"sigalg-pss", 19, HAND, DIGEST_SHA256, CIPHER_AES128, CSR, MADE},
	{"signer-ec", 19, HAND, DIGEST_SHA256, CIPHER_AES128, CSR, MADE},
	{"signer-ec-keyalg", 19, HAND, DIGEST_SHA256, CIPHER_AES128, CSR, MADE},
	{"sid-skid", 19, HAND, DIGEST_SHA256, CIPHER_AES128, CSR, MADE},
	{"sid-skid-computed", 19, HAND, DIGEST_SHA256, CIPHER_AES128, CSR, MADE},
	{"signer-second", 19, HAND, DIGEST_SHA256, CIPHER_AES128, CSR, MADE},
	{"recipient-skid", 19, HAND, DIGEST_SHA256, CIPHER_AES128, CSR, MADE},
	{"recipients-two", 19, HAND, DIGEST_SHA256, CIPHER_AES128, CSR, MADE},
	{"attrs-unsorted", 19, HAND, DIGEST_SHA256, CIPHER_AES128, CSR, MADE},
	{"attrs-signed-sorted", 19, HAND, DIGEST_SHA256, CIPHER_AES128, CSR, MADE},
	{"txid-utf8", 19, "utf8 txid", DIGEST_SHA256, CIPHER_AES128, CSR, MADE},
	{"txid-ia5", 19, "ia5 txid", DIGEST_SHA256, CIPHER_AES128, CSR, MADE},
	{"txid-255", 19, NULL, DIGEST_SHA256, CIPHER_AES128, CSR, MADE},
	{"txid-1", 19, "0", DIGEST_SHA256, CIPHER_AES128, CSR, MADE},
	{"nonce-1", 19, HAND, DIGEST_SHA256, CIPHER_AES128, CSR, MADE},
	{"nonce-64", 19, HAND, DIGEST_SHA256, CIPHER_AES128, CSR, MADE},
	{"random-nonce", 19, HAND, DIGEST_SHA256, CIPHER_AES128, CSR, MADE},
	{"algorithm-protection", 19, HAND, DIGEST_SHA256, CIPHER_AES128, CSR, MADE},
	{"trailing-crlf", 19, HAND, DIGEST_SHA256, CIPHER_AES128, CSR, MADE},
	{"type-unknown", 99, HAND, DIGEST_SHA256, CIPHER_AES128, CSR, MADE},
	{"renewalreq", 17, HAND, DIGEST_SHA256, CIPHER_AES128, CSR, MADE},
	{"certpoll", 20, HAND, DIGEST_SHA256, CIPHER_AES128, ISSUER_SUBJECT, NULL, NULL},
	{"getcert", 21, HAND, DIGEST_SHA256, CIPHER_AES128, OTHER, NULL, NULL},
	{"getcrl", 22, HAND, DIGEST_SHA256, CIPHER_AES128, OTHER, NULL, NULL},
};

static void check_cn(struct bytes name, const char *cn)
{
	struct buf text = {0};

	assert_true(name_attr(name, OID_CN, &text));
	assert_string_equal((char *)text.p, cn);
	buf_free(&text);
}

static void check_csr(const struct good *g, struct bytes plain, const struct alg_set *algs, const struct scep_msg *msg)
{
	struct pubkey *pub = NULL;
	struct csr *csr = NULL;
	struct why why = {0};

	if (csr_parse(plain, &csr, &why) != ERR_OK || csr_verify(csr, &limits, algs, &pub, &why) != ERR_OK)
		die("%s: %s", g->file, why.text);
	check_cn(csr->subject, g->subject);
	assert_true(csr->has_challenge);
	assert_string_equal((char *)csr->challenge.p, g->challenge);
	assert_true(bytes_eq(csr->spki, msg->signer->spki));
	pubkey_free(pub);
	csr_free(csr);
}

static void check_content(const struct good *g, struct bytes plain, const struct alg_set *algs, const struct scep_msg *msg)
{
	struct bytes issuer, subject;
	struct why why = {0};

	switch (g->content) {
	case CSR:
		check_csr(g, plain, algs, msg);
		return;
	case ISSUER_SUBJECT:
		assert_int_equal(scep_issuer_and_subject(plain, &issuer, &subject, &why), ERR_OK);
		check_cn(issuer, "Test CA");
		check_cn(subject, "made-device");
		return;
	case OTHER:
		assert_int_equal(scep_issuer_and_subject(plain, &issuer, &subject, &why), ERR_UNSEAL);
		return;
	}
}

static void good_messages(void **state)
{
	struct alg_set algs = alg_set_make(LEGACY_SHA1 | LEGACY_DES3, OBSOLETE_DES | OBSOLETE_MD5);

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		char *path = mem_printf("good/scep/%s.der", good[i].file);
		struct buf in = test_file(path), plain = {0};
		struct scep_msg *msg = NULL;
		struct why why = {0};

		if (read_all(*state, buf_bytes(&in), &algs, &msg, &plain, &why) != ERR_OK)
			die("%s: %s", path, why.text);
		assert_int_equal(msg->type, good[i].type);
		assert_ptr_equal(msg->cms->digest, digest_row(good[i].digest));
		assert_ptr_equal(msg->envelope->cipher, cipher_row(good[i].cipher));
		if (good[i].txid != NULL)
			assert_true(bytes_eq_str(msg->txid, good[i].txid));
		assert_int_equal(msg->status, -1);
		assert_int_equal(msg->fail_info, -1);
		assert_int_equal(msg->random_nonce, strcmp(good[i].file, "random-nonce") == 0);
		check_content(&good[i], buf_bytes(&plain), &algs, msg);
		scep_msg_free(msg);
		buf_wipe(&plain);
		buf_free(&in);
		free(path);
	}
}

/* One bad file: the label before the first '-' of its name is the error, from whichever step. */
static void check_bad(const struct fixture *f, const char *name)
{
	char *path = mem_printf("bad/scep/%s", name), *label = mem_strndup(name, strcspn(name, "-"));
	struct alg_set algs = alg_set_make(0, 0);
	struct buf in = test_file(path), plain = {0};
	struct scep_msg *msg = NULL;
	struct why why = {0};
	enum err err = read_all(f, buf_bytes(&in), &algs, &msg, &plain, &why);

	/* the random key in place of one that could not be unwrapped (P-85) gives good padding once in 256 times */
	for (int i = 0; i < 5 && err == ERR_OK && strcmp(label, "unseal") == 0; i++) {
		scep_msg_free(msg);
		msg = NULL;
		buf_cut(&plain, 0);
		err = read_all(f, buf_bytes(&in), &algs, &msg, &plain, &why);
	}
	if (strcmp(err_row(err)->label, label) != 0)
		die("%s: gave %s (%s)", path, err_row(err)->label, why.text);
	assert_int_equal(why.err, err);
	assert_true(why.text[0] != '\0');
	scep_msg_free(msg);
	buf_free(&plain);
	buf_free(&in);
	free(label);
	free(path);
}

static void bad_messages(void **state)
{
	DIR *dir = opendir(TEST_DATA "/bad/scep");
	struct dirent *entry;
	size_t n = 0;

	assert_non_null(dir);
	while ((entry = readdir(dir)) != NULL) {
		if (entry->d_name[0] == '.')
			continue;
		check_bad(*state, entry->d_name);
		n++;
	}
	closedir(dir);
	assert_true(n > 60);
}

/* Every cut of a good message is refused, none is read past its end (the sanitizers watch). */
static void every_cut(void **state)
{
	static const char *const files[] = {"good/scep/der-sha256-aes128.der", "good/scep/ber-indefinite.der"};
	struct alg_set algs = alg_set_make(0, 0);

	for (size_t i = 0; i < 2; i++) {
		struct buf in = test_file(files[i]);

		for (size_t n = 0; n < in.n; n += n < 200 ? 1 : 37) {
			uint8_t *copy = mem_alloc(n + 1);
			struct scep_msg *msg = NULL;
			struct buf plain = {0};
			struct why why = {0};

			memcpy(copy, in.p, n);
			assert_int_not_equal(read_all(*state, bytes_of(copy, n), &algs, &msg, &plain, &why), ERR_OK);
			scep_msg_free(msg);
			free(copy);
		}
		buf_free(&in);
	}
}

/* As above: what cannot be unsealed seems to be once in 256 times. */
static enum err unseal_hopeless(struct scep_msg *msg, const struct scep_recipient *ours, const struct alg_set *algs)
{
	struct buf plain = {0};
	struct why why = {0};
	enum err err = ERR_OK;

	for (int i = 0; i < 6 && err == ERR_OK; i++) {
		err = scep_unseal(msg, ours, 2, algs, &plain, &why);
		buf_wipe(&plain);
	}
	return err;
}

/* During a roll-over the first recipient in the message that names one of ours decides, whatever the order of ours. */
static void several_recipients(void **state)
{
	const struct fixture *f = *state;
	struct cert *ca = test_cert("good/scep/ca.pem");
	struct key *ca_key = test_key("good/scep/ca.key");
	struct scep_recipient both[] = {{f->ra, f->ra_key}, {ca, ca_key}}, wrong[] = {{ca, f->ra_key}, {f->ra, f->ra_key}};
	struct buf in = test_file("good/scep/recipients-two.der");
	struct alg_set algs = alg_set_make(0, 0);
	struct scep_msg *msg = NULL;
	struct why why = {0};

	assert_int_equal(scep_open(buf_bytes(&in), &msg, &why), ERR_OK);
	assert_int_equal(unseal_csr(msg, both, 2, &algs, &why), ERR_OK);
	assert_int_equal(unseal_csr(msg, both, 1, &algs, &why), ERR_OK);
	/* The message's first recipient is the CA: with a wrong key for it the other one is not tried. */
	assert_int_equal(unseal_hopeless(msg, wrong, &algs), ERR_UNSEAL);
	both[1].key = f->ra_key;
	assert_int_equal(unseal_hopeless(msg, both, &algs), ERR_UNSEAL);
	assert_int_equal(unseal_csr(msg, both, 0, &algs, &why), ERR_RECIPIENT);
	scep_msg_free(msg);
	buf_free(&in);
	cert_free(ca);
	key_free(ca_key);
}

static void names(void **state)
{
	(void)state;
	assert_string_equal(scep_type_name(SCEP_PKCSREQ), "PKCSReq");
	assert_string_equal(scep_type_name(SCEP_CERTREP), "CertRep");
	assert_string_equal(scep_type_name(18), "unknown");
	assert_string_equal(scep_fail_info_name(FI_BAD_REQUEST), "badRequest");
	assert_string_equal(scep_fail_info_name(FI_NONE), "unknown");
	assert_string_equal(scep_fail_info_name(5), "unknown");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_messages), cmocka_unit_test(bad_messages), cmocka_unit_test(every_cut),
		cmocka_unit_test(several_recipients), cmocka_unit_test(names),
	};

	return cmocka_run_group_tests_name("scep_read", tests, setup, teardown);
}
