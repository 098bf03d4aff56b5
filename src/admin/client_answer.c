
#include "admin/client_msg.h"
#include "base/codec.h"
#include "conf/conf.h"

#define FAIL_TEXT_MAX 255

/* All that a server may answer with: what we never write, it may be older than us. Single DES and MD5 stay out. */
static struct alg_set answer_algs(void)
{
	return alg_set_make(LEGACY_SHA1 | LEGACY_DES3, 0);
}

/* Whatever is wrong with the answer, it is the server's doing: one error, the sentence says what. */
static enum err remote(struct why *why)
{
	if (why != NULL)
		why->err = ERR_REMOTE;
	fail_in(why, "the server's answer");
	return ERR_REMOTE;
}

static enum err open_answer(struct bytes body, const struct client_ca *ca, const struct client_request *req,
    struct scep_msg **out, struct why *why)
{
	static const struct key_limits limits = {.min_rsa = 1024, .max_rsa = 16384};
	struct alg_set algs = answer_algs();
	struct scep_msg *msg = NULL;
	enum err err;

	err = scep_open(body, &msg, why);
	if (err == ERR_OK && (msg->signer == NULL || !client_ca_signs(ca, msg->signer)))
		err = fail(why, ERR_REMOTE, "it is signed by a certificate that is not one of the server's RA or CA certificates");
	if (err == ERR_OK)
		err = scep_verify(msg, &limits, &algs, why);
	if (err == ERR_OK)
		err = scep_answer_check(msg, bytes_str(req->txid), req->nonce, why);
	if (err != ERR_OK) {
		scep_msg_free(msg);
		return remote(why);
	}
	*out = msg;
	return ERR_OK;
}

/* The certificate for our key; the others that came with it may help to build its chain. */
static enum err pick_cert(const struct cms_signed *cms, const struct client_ca *ca, const struct key *key, struct cert **out,
    struct why *why)
{
	struct cert *certs[CMS_MAX_CERTS], *mine = NULL;
	size_t n = 0;
	enum err err = ERR_OK;

	for (size_t i = 0; i < cms->n_certs; i++) {
		if (cert_parse(cms->certs[i], &certs[n], NULL) != ERR_OK)
			continue;
		if (mine == NULL && bytes_eq(certs[n]->spki, key_spki(key)))
			mine = certs[n];
		n++;
	}
	if (mine == NULL)
		err = fail(why, ERR_REMOTE, "none of its %zu certificates is for our key", cms->n_certs);
	else if (!client_ca_chains(ca, mine, certs, n))
		err = fail(why, ERR_REMOTE, "the certificate does not chain to the pinned CA");
	for (size_t i = 0; i < n; i++)
		if (err != ERR_OK || certs[i] != mine)
			cert_free(certs[i]);
	if (err == ERR_OK)
		*out = mine;
	return err;
}

static enum err open_success(struct scep_msg *msg, const struct client_ca *ca, const struct client_id *me, struct cert **out,
    struct why *why)
{
	struct scep_recipient to = {me->cert, me->key};
	struct alg_set algs = answer_algs();
	struct cms_signed *cms = NULL;
	struct buf plain = {0};
	enum err err;

	/* RFC 8894, 3.1: a key that cannot decrypt gets its answer under the challenge */
	err = key_kind(me->key).type == KEY_RSA ? scep_unseal(msg, &to, 1, &algs, &plain, why)
						: scep_unseal_password(msg, me->password, &algs, &plain, why);
	if (err == ERR_OK)
		err = cms_signed_parse(buf_bytes(&plain), &cms, why);
	if (err == ERR_OK)
		err = pick_cert(cms, ca, me->key, out, why);
	cms_signed_free(cms);
	buf_free(&plain);
	return err == ERR_OK ? ERR_OK : remote(why);
}

enum err client_answer_read(struct bytes body, const struct client_ca *ca, const struct client_id *me,
    const struct client_request *req, struct client_answer *out, struct why *why)
{
	struct client_answer answer = {.fail_info = -1};
	struct scep_msg *msg = NULL;
	enum err err;

	err = open_answer(body, ca, req, &msg, why);
	if (err != ERR_OK)
		return err;
	answer.status = (enum scep_status)msg->status;
	if (answer.status == SCEP_SUCCESS)
		err = open_success(msg, ca, me, &answer.cert, why);
	if (answer.status == SCEP_FAILURE) {
		answer.fail_info = msg->fail_info;
		escape_text(&answer.fail_text, msg->fail_info_text, FAIL_TEXT_MAX);
	}
	scep_msg_free(msg);
	if (err == ERR_OK)
		*out = answer;
	return err;
}

void client_answer_free(struct client_answer *answer)
{
	cert_free(answer->cert);
	buf_free(&answer->fail_text);
	answer->cert = NULL;
}

enum err client_refused(const struct client_answer *answer, struct why *why)
{
	static const char *const hints[] = {
	    "it does not accept the key or an algorithm: try another --key-type, --digest or --cipher",
	    "it could not verify the message: is its CA certificate the one that GetCACert gives?",
	    "the challenge may be wrong, used or expired, or the subject not allowed",
	    "the clocks differ too much",
	    "it knows no such request",
	};
	const char *hint = answer->fail_info >= 0 && answer->fail_info < 5 ? hints[answer->fail_info] : "its log knows more";

	return fail(why, ERR_REMOTE, "the server refused the request: %s%s%s%s (%s)", scep_fail_info_name(answer->fail_info),
	    answer->fail_text.n > 0 ? ", \"" : "", answer->fail_text.n > 0 ? (const char *)answer->fail_text.p : "",
	    answer->fail_text.n > 0 ? "\"" : "", hint);
}
