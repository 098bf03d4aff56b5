/* What the client makes of a server's answers: nothing bad is believed, nothing breaks it. */
#include "scep_data.h"

#include <string.h>

#include "admin/client_ca.h"
#include "admin/client_msg.h"
#include "pki/name.h"

#define NOW ((time_t)1767225600)	/* 2026-01-01 */

struct fixture {
	struct cert *ca, *ra;
	struct key *ca_key, *ra_key, *my_key;
	struct client_ca *server;	/* pinned */
	struct client_id me;
	struct client_request req;
	struct scep_msg *msg;		/* req, as the responder reads it */
};

/* A certificate for `key` by the CA whose key signs; the caller frees. */
static struct cert *issue_below(struct bytes issuer, const struct key *key, const struct key *by)
{
	struct buf subject = {0}, der = {0};
	struct cert *cert = NULL;
	struct why why = {0};

	if (name_parse("CN=device", &subject, &why) != ERR_OK)
		die("%s", why.text);
	struct cert_spec spec = {.serial = BYTES_LIT("\x11\x22"), .issuer = issuer, .subject = buf_bytes(&subject),
	    .not_before = NOW, .not_after = NOW + 86400, .spki = key_spki(key), .path_len = -1, .digest = digest_row(DIGEST_SHA256)};
	if (cert_build(&spec, by, &der, &why) != ERR_OK || cert_parse(buf_bytes(&der), &cert, &why) != ERR_OK)
		die("%s", why.text);
	buf_free(&subject);
	buf_free(&der);
	return cert;
}

static struct cert *issue(const struct fixture *f, const struct key *key, const struct key *by)
{
	return issue_below(f->ca->subject, key, by);
}

static struct client_ca *read_ca(const struct cert *const *certs, size_t n)
{
	struct client_ca *ca = NULL;
	struct bytes list[4];
	struct buf p7 = {0};
	struct why why = {0};

	for (size_t i = 0; i < n; i++)
		list[i] = buf_bytes(&certs[i]->der);
	cms_certs_only_write(&p7, list, n);
	if (client_ca_read(buf_bytes(&p7), &ca, &why) != ERR_OK)
		die("%s", why.text);
	buf_free(&p7);
	return ca;
}

static enum err pin(struct client_ca *ca, const struct cert *to)
{
	struct why why = {0};
	uint8_t fp[32];

	cert_fingerprint(to, fp);
	return client_ca_pin(ca, fp, &why);
}

static void make_request(struct fixture *f)
{
	struct client_algs algs = {digest_row(DIGEST_SHA256), cipher_row(CIPHER_AES128)};
	struct key_limits limits = {.min_rsa = 2048, .max_rsa = 8192};
	struct alg_set set = alg_set_make(0, 0);
	struct scep_recipient to = {f->ra, f->ra_key};
	struct buf subject = {0}, plain = {0};
	struct why why = {0};

	f->me.key = f->my_key;
	client_txid_make(&f->req);
	if (name_parse("CN=device", &subject, &why) != ERR_OK ||
	    client_cert_make(f->my_key, buf_bytes(&subject), NOW, &f->me.cert, &why) != ERR_OK ||
	    client_request_write(SCEP_PKCSREQ, f->server, &f->me, &algs, BYTES_LIT("content"), &f->req, &why) != ERR_OK ||
	    scep_open(buf_bytes(&f->req.message), &f->msg, &why) != ERR_OK || scep_verify(f->msg, &limits, &set, &why) != ERR_OK ||
	    scep_unseal(f->msg, &to, 1, &set, &plain, &why) != ERR_OK)
		die("%s", why.text);
	assert_true(bytes_eq_str(buf_bytes(&plain), "content"));
	buf_free(&plain);
	buf_free(&subject);
}

static int setup(void **state)
{
	struct fixture *f = mem_alloc(sizeof(*f));

	f->ca = test_cert("good/scep/ca.pem");
	f->ra = test_cert("good/scep/ra.pem");
	f->ca_key = test_key("good/scep/ca.key");
	f->ra_key = test_key("good/scep/ra.key");
	f->my_key = test_key("good/scep/client.key");
	f->server = read_ca((const struct cert *[]){f->ra, f->ca}, 2);
	assert_int_equal(pin(f->server, f->ca), ERR_OK);
	make_request(f);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	scep_msg_free(f->msg);
	buf_free(&f->req.message);
	cert_free(f->me.cert);
	client_ca_free(f->server);
	cert_free(f->ca);
	cert_free(f->ra);
	key_free(f->ca_key);
	key_free(f->ra_key);
	key_free(f->my_key);
	free(f);
	return 0;
}

static void caps(void **state)
{
	static const struct {
		const char *body;
		unsigned caps;
	} rows[] = {
		{"", 0},
		{"AES", CAP_AES},
		{"AES\nSHA-256\n", CAP_AES | CAP_SHA256},
		{"DES3\r\nSHA-1\r\nPOSTPKIOperation\r\n", CAP_DES3 | CAP_SHA1 | CAP_POST},
		{"scepstandard", CAP_STANDARD | CAP_AES | CAP_SHA256 | CAP_POST},
		{"\n\n<html>\nAESX\nRenewal \n SHA-512\n", CAP_RENEWAL},
		{"GetNextCACert\nSHA-384\nSHA-512\n", CAP_NEXT_CA | CAP_SHA384 | CAP_SHA512},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_int_equal(client_caps_read(bytes_str(rows[i].body)), rows[i].caps);
	assert_int_equal(client_caps_read(BYTES_LIT("AES\0\nDES3")), CAP_DES3);
}

static void algorithms(void **state)
{
	struct client_algs algs = {0};
	struct why why = {0};

	(void)state;
	assert_int_equal(client_algs_choose(CAP_AES | CAP_DES3 | CAP_SHA1 | CAP_SHA256, NULL, NULL, &algs, &why), ERR_OK);
	assert_ptr_equal(algs.digest, digest_row(DIGEST_SHA256));
	assert_ptr_equal(algs.cipher, cipher_row(CIPHER_AES128));
	assert_int_equal(client_algs_choose(CAP_DES3 | CAP_SHA1, NULL, NULL, &algs, &why), ERR_OK);
	assert_ptr_equal(algs.digest, digest_row(DIGEST_SHA1));
	assert_ptr_equal(algs.cipher, cipher_row(CIPHER_DES3));
	assert_int_equal(client_algs_choose(0, "sha512", "aes256", &algs, &why), ERR_OK);
	assert_ptr_equal(algs.digest, digest_row(DIGEST_SHA512));
	assert_ptr_equal(algs.cipher, cipher_row(CIPHER_AES256));
	/* nothing announced: never a silent fall-back to DES and MD5 */
	assert_int_equal(client_algs_choose(0, NULL, NULL, &algs, &why), ERR_REMOTE);
	assert_int_equal(client_algs_choose(CAP_SHA256, NULL, NULL, &algs, &why), ERR_REMOTE);
	assert_int_equal(client_algs_choose(CAP_AES, NULL, NULL, &algs, &why), ERR_REMOTE);
	assert_int_equal(client_algs_choose(CAP_AES, "sha-3", NULL, &algs, &why), ERR_CONFIG);
	assert_int_equal(client_algs_choose(CAP_AES | CAP_SHA1, NULL, "rot13", &algs, &why), ERR_CONFIG);
}

static void certificates_read(void **state)
{
	const struct fixture *f = *state;
	struct client_ca *ca = NULL;
	struct buf empty = {0}, p7 = {0};
	struct bytes list[] = {buf_bytes(&f->ra->der), buf_bytes(&f->ca->der)};
	struct why why = {0};

	assert_int_equal(client_ca_read(buf_bytes(&f->ca->der), &ca, &why), ERR_OK);
	assert_int_equal(ca->n, 1);
	client_ca_free(ca);
	assert_int_equal(client_ca_read(BYTES_LIT("<html>404</html>"), &ca, &why), ERR_REMOTE);
	assert_int_equal(client_ca_read(BYTES_LIT(""), &ca, &why), ERR_REMOTE);
	assert_int_equal(client_ca_read(buf_bytes(&f->req.message), &ca, &why), ERR_OK);	/* signed, holding our certificate: */
	assert_int_equal(pin(ca, f->ca), ERR_REMOTE);	/* but not the pinned one */
	client_ca_free(ca);
	cms_certs_only_write(&empty, NULL, 0);
	assert_int_equal(client_ca_read(buf_bytes(&empty), &ca, &why), ERR_REMOTE);
	cms_certs_only_write(&p7, list, 2);
	for (size_t n = 0; n < p7.n; n++)
		assert_int_equal(client_ca_read(bytes_of(p7.p, n), &ca, &why), ERR_REMOTE);
	buf_free(&empty);
	buf_free(&p7);
}

static void recipient_picked(void **state)
{
	const struct fixture *f = *state;
	struct client_ca *ca = read_ca((const struct cert *[]){f->ca, f->ra}, 2);	/* order does not matter */
	struct key *other_key = NULL;
	struct cert *stranger;
	struct why why = {0};

	assert_true(bytes_eq(buf_bytes(&client_ca_top(ca)->der), buf_bytes(&f->ca->der)));
	assert_int_equal(pin(ca, f->me.cert), ERR_REMOTE);	/* not among them */
	assert_int_equal(pin(ca, f->ra), ERR_REMOTE);		/* the RA's is not the CA's */
	assert_null(ca->encrypt);
	assert_int_equal(pin(ca, f->ca), ERR_OK);
	assert_true(bytes_eq(buf_bytes(&ca->encrypt->der), buf_bytes(&f->ra->der)));
	assert_true(bytes_eq(buf_bytes(&ca->issuer->der), buf_bytes(&f->ca->der)));
	client_ca_free(ca);

	/* An "RA" that the pinned CA did not sign is not used, though it names that CA; the CA itself is. */
	assert_int_equal(key_generate("rsa:2048", &other_key, &why), ERR_OK);
	stranger = issue(f, other_key, other_key);
	ca = read_ca((const struct cert *[]){stranger, f->ca}, 2);
	assert_int_equal(pin(ca, f->ca), ERR_OK);
	assert_true(bytes_eq(buf_bytes(&ca->encrypt->der), buf_bytes(&f->ca->der)));
	assert_false(client_ca_signs(ca, stranger));
	assert_true(client_ca_signs(ca, f->ca));
	assert_false(client_ca_signs(ca, f->ra));	/* chains, but the server did not show it */
	client_ca_free(ca);
	cert_free(stranger);
	key_free(other_key);
}

/* Answers f->msg as a server would; the caller frees. */
static struct buf answer_with(const struct fixture *f, const struct scep_reply *reply, const struct scep_signer *by)
{
	static const uint8_t nonce[SCEP_NONCE_SIZE] = {9};
	struct scep_signer ra = {f->ra, f->ra_key};
	struct alg_set algs = alg_set_make(0, 0);
	struct buf out = {0};
	struct why why = {0};

	if (scep_certrep_write(f->msg, reply, by != NULL ? by : &ra, &algs, NOW, nonce, &out, &why) != ERR_OK)
		die("%s", why.text);
	return out;
}

static struct buf success_with(const struct fixture *f, const struct cert *cert, const struct scep_signer *by)
{
	struct bytes list[] = {buf_bytes(&cert->der)};
	struct scep_reply reply = {.status = SCEP_SUCCESS, .certs = list, .n_certs = 1};

	return answer_with(f, &reply, by);
}

static enum err take(const struct fixture *f, struct bytes body, struct client_answer *answer)
{
	struct why why = {0};
	enum err err = client_answer_read(body, f->server, &f->me, &f->req, answer, &why);

	assert_true(err == ERR_OK || (err == ERR_REMOTE && why.err == ERR_REMOTE && why.text[0] != '\0'));
	return err;
}

static void issued(void **state)
{
	const struct fixture *f = *state;
	struct cert *cert = issue(f, f->my_key, f->ca_key);
	struct buf body = success_with(f, cert, NULL);
	struct client_answer answer = {0};

	assert_int_equal(take(f, buf_bytes(&body), &answer), ERR_OK);
	assert_int_equal(answer.status, SCEP_SUCCESS);
	assert_true(bytes_eq(buf_bytes(&answer.cert->der), buf_bytes(&cert->der)));
	client_answer_free(&answer);
	buf_free(&body);
	cert_free(cert);
}

static void not_believed(void **state)
{
	const struct fixture *f = *state;
	struct cert *mine = issue(f, f->my_key, f->ca_key), *others = issue(f, f->ra_key, f->ca_key), *forged = issue(f, f->my_key, f->my_key);
	struct scep_signer stranger = {f->me.cert, f->my_key}, liar = {f->ra, f->my_key};
	struct client_answer answer = {0};
	struct fixture later = *f;
	struct buf bodies[] = {success_with(f, others, NULL), success_with(f, forged, NULL), success_with(f, mine, &stranger),
	    success_with(f, mine, &liar)};

	for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
		assert_int_equal(take(f, buf_bytes(&bodies[i]), &answer), ERR_REMOTE);
		buf_free(&bodies[i]);
	}
	/* a good answer to another request */
	bodies[0] = success_with(f, mine, NULL);
	later.req.nonce[0] ^= 1;
	assert_int_equal(take(&later, buf_bytes(&bodies[0]), &answer), ERR_REMOTE);
	later = *f;
	later.req.txid[0] ^= 1;
	assert_int_equal(take(&later, buf_bytes(&bodies[0]), &answer), ERR_REMOTE);
	buf_free(&bodies[0]);
	/* our own request sent back */
	assert_int_equal(take(f, buf_bytes(&f->req.message), &answer), ERR_REMOTE);
	assert_null(answer.cert);
	cert_free(mine);
	cert_free(others);
	cert_free(forged);
}

/* Another device of the same CA is no CA: what it signed does not chain, though all names and signatures fit. */
static void device_is_no_ca(void **state)
{
	const struct fixture *f = *state;
	struct cert *other = issue(f, f->ra_key, f->ca_key), *mine = issue_below(other->subject, f->my_key, f->ra_key);
	struct bytes list[] = {buf_bytes(&mine->der), buf_bytes(&other->der)};
	struct scep_reply reply = {.status = SCEP_SUCCESS, .certs = list, .n_certs = 2};
	struct buf body = answer_with(f, &reply, NULL);
	struct client_answer answer = {0};

	assert_int_equal(cert_verify_by(mine, other, NULL), ERR_OK);
	assert_true(client_ca_chains(f->server, other, NULL, 0));
	assert_int_equal(take(f, buf_bytes(&body), &answer), ERR_REMOTE);
	buf_free(&body);
	cert_free(mine);
	cert_free(other);
}

static void refused_and_pending(void **state)
{
	const struct fixture *f = *state;
	struct scep_reply reply = {.status = SCEP_FAILURE, .fail_info = FI_BAD_REQUEST, .fail_text = "not\ntoday", .empty_content = true};
	struct buf body = answer_with(f, &reply, NULL);
	struct client_answer answer = {0};
	struct why why = {0};

	assert_int_equal(take(f, buf_bytes(&body), &answer), ERR_OK);
	assert_int_equal(answer.status, SCEP_FAILURE);
	assert_int_equal(client_refused(&answer, &why), ERR_REMOTE);
	assert_non_null(strstr(why.text, "badRequest, \"not\\x0atoday\""));
	client_answer_free(&answer);
	buf_free(&body);
	reply = (struct scep_reply){.status = SCEP_PENDING};
	body = answer_with(f, &reply, NULL);
	assert_int_equal(take(f, buf_bytes(&body), &answer), ERR_OK);
	assert_int_equal(answer.status, SCEP_PENDING);
	client_answer_free(&answer);
	buf_free(&body);
}

/* Cut and flipped everywhere: refused, or (where the bit means nothing) the same certificate. */
static void damaged(void **state)
{
	const struct fixture *f = *state;
	struct cert *cert = issue(f, f->my_key, f->ca_key);
	struct buf body = success_with(f, cert, NULL);
	struct client_answer answer = {0};

	for (size_t n = 0; n < body.n; n += n < 100 ? 1 : 41)
		assert_int_equal(take(f, bytes_of(body.p, n), &answer), ERR_REMOTE);
	for (size_t i = 0; i < body.n; i += i < 100 ? 1 : 17) {
		body.p[i] ^= 0x41;
		if (take(f, buf_bytes(&body), &answer) == ERR_OK) {
			assert_true(bytes_eq(buf_bytes(&answer.cert->der), buf_bytes(&cert->der)));
			client_answer_free(&answer);
		}
		body.p[i] ^= 0x41;
	}
	buf_free(&body);
	cert_free(cert);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(caps), cmocka_unit_test(algorithms), cmocka_unit_test(certificates_read),
		cmocka_unit_test(recipient_picked), cmocka_unit_test(issued), cmocka_unit_test(not_believed), cmocka_unit_test(device_is_no_ca),
		cmocka_unit_test(refused_and_pending), cmocka_unit_test(damaged),
	};

	return cmocka_run_group_tests_name("client", tests, setup, teardown);
}
