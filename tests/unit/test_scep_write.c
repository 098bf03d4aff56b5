/* What we write is what we read: requests, every kind of CertRep, capabilities. */
#include "scep_data.h"

#include <string.h>

#include "conf/conf.h"
#include "pki/der.h"
#include "pki/name.h"
#include "pki/oid.h"

#define NOW ((time_t)1767225600)	/* 2026-01-01 */

static const struct key_limits limits = {.min_rsa = 2048, .max_rsa = 8192};
static const uint8_t request_nonce[SCEP_NONCE_SIZE] = {1, 2, 3}, reply_nonce[SCEP_NONCE_SIZE] = {4, 5, 6};

struct fixture {
	struct cert *ra, *ca, *me;
	struct key *ra_key, *my_key;
	struct buf csr;
	struct alg_set algs;	/* everything */
};

static struct cert *self_signed(const struct key *key)
{
	struct buf subject = {0}, der = {0};
	struct cert *cert = NULL;
	struct why why = {0};

	assert_int_equal(name_parse("CN=writer", &subject, &why), ERR_OK);
	struct cert_spec spec = {.serial = BYTES_LIT("\x01"), .issuer = buf_bytes(&subject), .subject = buf_bytes(&subject),
	    .not_before = NOW - 60, .not_after = NOW + 60, .spki = key_spki(key), .path_len = -1,
	    .digest = digest_row(DIGEST_SHA256)};
	if (cert_build(&spec, key, &der, &why) != ERR_OK || cert_parse(buf_bytes(&der), &cert, &why) != ERR_OK)
		die("%s", why.text);
	buf_free(&subject);
	buf_free(&der);
	return cert;
}

static int setup(void **state)
{
	struct fixture *f = mem_alloc(sizeof(*f));
	struct buf subject = {0};
	struct why why = {0};

	f->ra = test_cert("good/scep/ra.pem");
	f->ca = test_cert("good/scep/ca.pem");
	f->ra_key = test_key("good/scep/ra.key");
	f->my_key = test_key("good/scep/client.key");
	f->me = self_signed(f->my_key);
	f->algs = alg_set_make(LEGACY_SHA1 | LEGACY_DES3, OBSOLETE_DES | OBSOLETE_MD5);
	if (name_parse("CN=writer", &subject, &why) != ERR_OK ||
	    csr_build(f->my_key, buf_bytes(&subject), "secret", (struct bytes){0}, &f->csr, &why) != ERR_OK)
		die("%s", why.text);
	buf_free(&subject);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	cert_free(f->ra);
	cert_free(f->ca);
	cert_free(f->me);
	key_free(f->ra_key);
	key_free(f->my_key);
	buf_wipe(&f->csr);
	free(f);
	return 0;
}

/* Writes a request and reads it as the responder does; the caller frees. */
static struct scep_msg *request(const struct fixture *f, enum digest digest, enum cipher cipher)
{
	struct scep_request req = {.type = SCEP_PKCSREQ, .txid = BYTES_LIT("transaction/1+="), .nonce = request_nonce,
	    .plain = buf_bytes(&f->csr), .to = f->ra, .by = {f->me, f->my_key}, .digest = digest_row(digest),
	    .cipher = cipher_row(cipher)};
	struct scep_recipient to = {f->ra, f->ra_key};
	struct buf der = {0}, plain = {0};
	struct scep_msg *msg = NULL;
	struct why why = {0};

	if (scep_request_write(&req, &der, &why) != ERR_OK || scep_open(buf_bytes(&der), &msg, &why) != ERR_OK ||
	    scep_verify(msg, &limits, &f->algs, &why) != ERR_OK ||
	    scep_unseal(msg, &to, 1, &f->algs, &plain, &why) != ERR_OK)
		die("%s", why.text);
	assert_true(bytes_eq(buf_bytes(&plain), buf_bytes(&f->csr)));
	assert_int_equal(msg->type, SCEP_PKCSREQ);
	assert_true(bytes_eq_str(msg->txid, "transaction/1+="));
	assert_true(bytes_eq(msg->sender_nonce, bytes_of(request_nonce, SCEP_NONCE_SIZE)));
	buf_wipe(&plain);
	buf_free(&der);
	return msg;
}

/* Answers `msg` and reads the answer as a client does; the caller frees. */
static struct scep_msg *answer(const struct fixture *f, const struct scep_msg *msg, const struct scep_reply *reply,
    const struct alg_set *algs)
{
	struct scep_signer by = {f->ra, f->ra_key};
	struct scep_msg *back = NULL;
	struct buf der = {0};
	struct why why = {0};

	if (scep_certrep_write(msg, reply, &by, algs, NOW, reply_nonce, &der, &why) != ERR_OK ||
	    scep_open(buf_bytes(&der), &back, &why) != ERR_OK || scep_verify(back, &limits, &f->algs, &why) != ERR_OK ||
	    scep_answer_check(back, msg->txid, msg->sender_nonce.p, &why) != ERR_OK)
		die("%s", why.text);
	assert_int_equal(back->type, SCEP_CERTREP);
	assert_int_equal(back->status, reply->status);
	assert_true(bytes_eq(buf_bytes(&back->signer->der), buf_bytes(&f->ra->der)));
	assert_true(bytes_eq(back->sender_nonce, bytes_of(reply_nonce, SCEP_NONCE_SIZE)));
	assert_int_equal(back->txid_tag, msg->txid_tag);
	assert_non_null(cms_attr_find(back->cms, OID_SIGNING_TIME));
	assert_int_equal(back->cms->n_certs, 1);
	buf_free(&der);
	return back;
}

/* The certificates inside a SUCCESS, as the client sees them. */
static struct cms_signed *open_certs(const struct fixture *f, struct scep_msg *back)
{
	struct scep_recipient me = {f->me, f->my_key};
	struct cms_signed *certs = NULL;
	struct buf plain = {0};
	struct why why = {0};

	if (scep_unseal(back, &me, 1, &f->algs, &plain, &why) != ERR_OK ||
	    cms_signed_parse(buf_bytes(&plain), &certs, &why) != ERR_OK)
		die("%s", why.text);
	assert_false(certs->has_signer);
	assert_false(certs->has_content);
	buf_free(&plain);
	return certs;
}

/* P-83, P-160: the answer uses what the request used, where that is accepted. */
static void success(void **state)
{
	static const struct {
		enum digest digest, reply_digest;
		enum cipher cipher, reply_cipher;
		bool legacy;	/* accepted when the answer is written */
	} rows[] = {
		{DIGEST_SHA256, DIGEST_SHA256, CIPHER_AES128, CIPHER_AES128, false},
		{DIGEST_SHA512, DIGEST_SHA512, CIPHER_AES256, CIPHER_AES256, false},
		{DIGEST_SHA384, DIGEST_SHA384, CIPHER_AES192, CIPHER_AES192, false},
		{DIGEST_SHA1, DIGEST_SHA1, CIPHER_DES3, CIPHER_DES3, true},
		{DIGEST_SHA1, DIGEST_SHA256, CIPHER_DES3, CIPHER_AES128, false},
	};
	const struct fixture *f = *state;
	struct bytes list[] = {buf_bytes(&f->ca->der), buf_bytes(&f->ra->der)};
	struct scep_reply reply = {.status = SCEP_SUCCESS, .certs = list, .n_certs = 2};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct alg_set algs = rows[i].legacy ? f->algs : alg_set_make(0, 0);
		struct scep_msg *msg = request(f, rows[i].digest, rows[i].cipher);
		struct scep_msg *back = answer(f, msg, &reply, &algs);
		struct cms_signed *certs = open_certs(f, back);

		assert_ptr_equal(back->cms->digest, digest_row(rows[i].reply_digest));
		assert_ptr_equal(back->envelope->cipher, cipher_row(rows[i].reply_cipher));
		assert_int_equal(certs->n_certs, 2);
		assert_true(bytes_eq(certs->certs[0], list[0]));	/* the given order, not sorted */
		assert_true(bytes_eq(certs->certs[1], list[1]));
		assert_int_equal(back->fail_info, -1);
		cms_signed_free(certs);
		scep_msg_free(back);
		scep_msg_free(msg);
	}
}

static void failure_and_pending(void **state)
{
	const struct fixture *f = *state;
	struct scep_msg *msg = request(f, DIGEST_SHA256, CIPHER_AES128), *back;
	struct scep_reply reply = {.status = SCEP_FAILURE, .fail_info = FI_BAD_CERT_ID, .fail_text = "no such transaction"};

	for (int empty = 0; empty < 2; empty++) {
		reply.empty_content = empty;
		back = answer(f, msg, &reply, &f->algs);
		assert_int_equal(back->fail_info, FI_BAD_CERT_ID);
		assert_true(bytes_eq_str(back->fail_info_text, "no such transaction"));
		assert_int_equal(back->cms->has_content, empty);
		assert_int_equal(back->cms->content.n, 0);
		scep_msg_free(back);
	}
	reply = (struct scep_reply){.status = SCEP_PENDING, .fail_text = "not sent", .empty_content = true};
	back = answer(f, msg, &reply, &f->algs);
	assert_int_equal(back->fail_info, -1);
	assert_int_equal(back->fail_info_text.n, 0);
	assert_true(back->cms->has_content);
	scep_msg_free(back);
	scep_msg_free(msg);
}

/* P-71: at most 255 octets, and no half of a character at the end. */
static void fail_text_is_cut(void **state)
{
	const struct fixture *f = *state;
	struct scep_msg *msg = request(f, DIGEST_SHA256, CIPHER_AES128), *back;
	char text[300];

	memset(text, 'x', sizeof(text));
	memcpy(text + 254, "\xc3\xa4", 2);
	text[299] = '\0';
	struct scep_reply reply = {.status = SCEP_FAILURE, .fail_info = FI_BAD_ALG, .fail_text = text};
	back = answer(f, msg, &reply, &f->algs);
	assert_int_equal(back->fail_info_text.n, 254);
	scep_msg_free(back);
	scep_msg_free(msg);
}

/* Every form of request is answered before it is verified, its transactionID and nonce byte for byte. */
static void answers_to_others(void **state)
{
	static const char *const files[] = {"txid-utf8", "txid-ia5", "txid-255", "nonce-1", "nonce-64", "ber-indefinite", "certpoll"};
	const struct fixture *f = *state;
	struct scep_reply reply = {.status = SCEP_PENDING};
	struct scep_signer by = {f->ra, f->ra_key};

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		char *path = mem_printf("good/scep/%s.der", files[i]);
		struct buf in = test_file(path), der = {0};
		struct scep_msg *msg = NULL, *back = NULL;
		struct why why = {0};

		if (scep_open(buf_bytes(&in), &msg, &why) != ERR_OK ||
		    scep_certrep_write(msg, &reply, &by, &f->algs, NOW, reply_nonce, &der, &why) != ERR_OK ||
		    scep_open(buf_bytes(&der), &back, &why) != ERR_OK)
			die("%s: %s", path, why.text);
		assert_true(bytes_eq(back->txid, msg->txid));
		assert_int_equal(back->txid_tag, msg->txid_tag);
		assert_true(bytes_eq(back->recipient_nonce, msg->sender_nonce));
		scep_msg_free(back);
		scep_msg_free(msg);
		buf_free(&der);
		buf_free(&in);
		free(path);
	}
}

/* A poll is answered without opening its envelope; the cipher is still the client's (P-134). */
static void success_unread(void **state)
{
	const struct fixture *f = *state;
	struct buf in = test_file("good/scep/sha512-aes256.der"), plain = {0};
	struct bytes list[] = {buf_bytes(&f->ca->der)};
	struct scep_reply reply = {.status = SCEP_SUCCESS, .certs = list, .n_certs = 1};
	struct scep_recipient me = {.key = f->my_key};
	struct scep_signer by = {f->ra, f->ra_key};
	struct scep_msg *msg = NULL, *back = NULL;
	struct buf der = {0};
	struct why why = {0};

	if (scep_open(buf_bytes(&in), &msg, &why) != ERR_OK || scep_verify(msg, &limits, &f->algs, &why) != ERR_OK ||
	    scep_certrep_write(msg, &reply, &by, &f->algs, NOW, reply_nonce, &der, &why) != ERR_OK ||
	    scep_open(buf_bytes(&der), &back, &why) != ERR_OK)
		die("%s", why.text);
	assert_null(msg->envelope);
	me.cert = msg->signer;
	assert_int_equal(scep_unseal(back, &me, 1, &f->algs, &plain, &why), ERR_OK);
	assert_ptr_equal(back->envelope->cipher, cipher_row(CIPHER_AES256));
	buf_free(&plain);
	scep_msg_free(back);
	scep_msg_free(msg);
	buf_free(&der);
	buf_free(&in);
}

/* An EC device cannot receive an envelope without a password; a SUCCESS to an unverified message is a mistake of ours. */
static void success_refused(void **state)
{
	const struct fixture *f = *state;
	struct buf in = test_file("good/scep/signer-ec.der"), der = {0};
	struct bytes list[] = {buf_bytes(&f->ca->der)};
	struct scep_reply reply = {.status = SCEP_SUCCESS, .certs = list, .n_certs = 1};
	struct scep_signer by = {f->ra, f->ra_key};
	struct scep_msg *msg = NULL;
	struct why why = {0};

	assert_int_equal(scep_open(buf_bytes(&in), &msg, &why), ERR_OK);
	assert_int_equal(scep_certrep_write(msg, &reply, &by, &f->algs, NOW, reply_nonce, &der, &why), ERR_INTERNAL);
	assert_int_equal(scep_verify(msg, &limits, &f->algs, &why), ERR_OK);
	assert_int_equal(scep_certrep_write(msg, &reply, &by, &f->algs, NOW, reply_nonce, &der, &why), ERR_ALG);
	assert_int_equal(der.n, 0);
	reply.password = BYTES_LIT("the challenge");
	assert_int_equal(scep_certrep_write(msg, &reply, &by, &f->algs, NOW, reply_nonce, &der, &why), ERR_OK);
	scep_msg_free(msg);
	buf_free(&in);
	buf_free(&der);
}

/* What a client must not believe. */
static void answer_checks(void **state)
{
	const struct fixture *f = *state;
	struct scep_msg *msg = request(f, DIGEST_SHA256, CIPHER_AES128);
	struct scep_reply reply = {.status = SCEP_PENDING};
	struct scep_msg *back = answer(f, msg, &reply, &f->algs);
	static const int bad_status[] = {SCEP_SUCCESS /* without content */, SCEP_FAILURE /* without failInfo */, 1, -1, 4};
	struct why why = {0};

	assert_int_equal(scep_answer_check(back, BYTES_LIT("other"), request_nonce, &why), ERR_REMOTE);
	assert_int_equal(scep_answer_check(back, msg->txid, reply_nonce, &why), ERR_REMOTE);
	assert_int_equal(scep_answer_check(msg, msg->txid, request_nonce, &why), ERR_REMOTE);	/* a request */
	for (size_t i = 0; i < sizeof(bad_status) / sizeof(bad_status[0]); i++) {
		back->status = bad_status[i];
		assert_int_equal(scep_answer_check(back, msg->txid, request_nonce, &why), ERR_REMOTE);
	}
	back->status = SCEP_PENDING;
	assert_int_equal(scep_answer_check(back, msg->txid, request_nonce, &why), ERR_OK);
	back->recipient_nonce.n = 0;
	assert_int_equal(scep_answer_check(back, msg->txid, request_nonce, &why), ERR_REMOTE);
	scep_msg_free(back);
	scep_msg_free(msg);
}

static void issuer_and_subject(void **state)
{
	const struct fixture *f = *state;
	struct bytes issuer, subject;
	struct buf der = {0}, three = {0};
	struct why why = {0};

	scep_issuer_and_subject_write(f->ra->issuer, f->ra->subject, &der);
	assert_int_equal(scep_issuer_and_subject(buf_bytes(&der), &issuer, &subject, &why), ERR_OK);
	assert_true(bytes_eq(issuer, f->ra->issuer));
	assert_true(bytes_eq(subject, f->ra->subject));
	buf_add_byte(&der, 0);
	assert_int_equal(scep_issuer_and_subject(buf_bytes(&der), &issuer, &subject, &why), ERR_UNSEAL);
	buf_free(&der);
	/* three names */
	scep_issuer_and_subject_write(f->ra->issuer, f->ra->subject, &three);
	assert_true(three.p[1] < 0x7e);
	three.p[1] = (uint8_t)(three.p[1] + 2);
	der_tlv(&three, DER_SEQUENCE, (struct bytes){0});
	assert_int_equal(scep_issuer_and_subject(buf_bytes(&three), &issuer, &subject, &why), ERR_UNSEAL);
	buf_free(&three);
}

static void caps(void **state)
{
	struct alg_set standard = alg_set_make(0, 0), all = alg_set_make(LEGACY_SHA1 | LEGACY_DES3, OBSOLETE_DES | OBSOLETE_MD5);
	struct buf out = {0};

	(void)state;
	scep_caps_write(&standard, false, false, &out);
	assert_string_equal((char *)out.p, "AES\nSHA-256\nSHA-384\nSHA-512\nPOSTPKIOperation\nSCEPStandard\n");
	buf_free(&out);
	scep_caps_write(&all, true, true, &out);	/* P-200: DES and MD5 are never announced */
	assert_string_equal((char *)out.p,
	    "AES\nDES3\nSHA-1\nSHA-256\nSHA-384\nSHA-512\nPOSTPKIOperation\nRenewal\nSCEPStandard\nGetNextCACert\n");
	buf_free(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(success), cmocka_unit_test(failure_and_pending), cmocka_unit_test(fail_text_is_cut),
		cmocka_unit_test(answers_to_others), cmocka_unit_test(success_unread), cmocka_unit_test(success_refused),
		cmocka_unit_test(answer_checks), cmocka_unit_test(issuer_and_subject), cmocka_unit_test(caps),
	};

	return cmocka_run_group_tests_name("scep_write", tests, setup, teardown);
}
