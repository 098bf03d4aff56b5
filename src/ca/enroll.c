/*
 * The story of one enrolment (RFC 8894, section 3): open, verify, unseal, identify, admit, decide, sign, record, answer. Two round trips
 * to the database: admit before the CA key is touched, issue after it. Nothing is sent that was not recorded.
 */
#include "ca/enroll.h"

#include <string.h>

#include "base/codec.h"
#include "ca/authorize.h"
#include "ca/issue.h"
#include "ca/policy.h"
#include "ca/respond.h"
#include "pki/der.h"
#include "pki/name.h"
#include "pki/oid.h"

/* One request on its way; everything here ends with it. */
struct work {
	const struct enroll_env *env;
	struct outcome *out;
	struct scep_msg *msg;
	struct csr *csr;
	struct pubkey *csr_key;
	enum authority authority;
	struct store_request request;
	struct buf identity, device, requester;	/* what request points into */
};

static void work_free(struct work *w)
{
	buf_wipe(&w->identity);	/* holds the CSR, which holds the challenge */
	buf_free(&w->device);
	buf_free(&w->requester);
	pubkey_free(w->csr_key);
	csr_free(w->csr);
	scep_msg_free(w->msg);
}

/* The public key itself, without its AlgorithmIdentifier: the same key may come with NULL or absent parameters. */
static struct bytes key_bits(struct bytes spki)
{
	struct tlv seq, alg, bits = {0};

	if (!der_whole(spki, DER_SEQUENCE, &seq) || !der_next(&seq.body, &alg) || !der_next(&seq.body, &bits))
		return (struct bytes){0};
	return bits.body;
}

static bool same_key(struct bytes spki, struct bytes other)
{
	return key_bits(spki).n > 0 && bytes_eq(key_bits(spki), key_bits(other));
}

/* Only algorithms that the profile permits come this far; using the old ones is told all the same. */
static void note_weak(struct work *w)
{
	const struct digest_row *digest = w->msg->cms->digest;
	const struct cipher_row *cipher = w->msg->envelope->cipher;

	if (digest->class != ALG_STANDARD)
		buf_add_str(&w->out->weak, digest->name);
	if (cipher->class != ALG_STANDARD)
		buf_printf(&w->out->weak, "%s%s", w->out->weak.n > 0 ? ", " : "", cipher->name);
}

static enum err check_keys(const struct work *w, struct why *why)
{
	const struct profile *p = w->env->profile;

	if (pubkey_kind(w->msg->signer_key).type != KEY_RSA)
		return fail(why, ERR_ALG, "the message is signed with a key that cannot receive an encrypted answer; RSA is needed");
	if (p->conf->signer_key_must_match && !same_key(w->csr->spki, w->msg->signer->spki))
		return fail(why, ERR_SIGNER_KEY,
		    "the message is signed by another key than the one to be certified; devices that do so (Windows) need "
		    "'signer_key = any' in [enrol]");
	return ERR_OK;
}

/* Decrypts the message and reads the PKCS#10 in it, with proof of possession (P-116, P-153). */
static enum err read_csr(struct work *w, struct why *why)
{
	const struct profile *p = w->env->profile;
	struct scep_recipient to = {.cert = p->ra_cert, .key = p->ra_key};
	struct buf plain = {0};
	enum err err;

	if ((err = scep_unseal(w->msg, &to, 1, &p->algs, &plain, why)) != ERR_OK)
		goto out;
	note_weak(w);
	if ((err = csr_parse(buf_bytes(&plain), &w->csr, why)) != ERR_OK)
		goto out;
	if ((err = name_text(w->csr->subject, &w->out->subject, why)) != ERR_OK) {
		err = fail(why, ERR_CSR, "the subject of the request cannot be read");
		goto out;
	}
	if ((err = csr_verify(w->csr, &p->limits, &p->algs, &w->csr_key, why)) != ERR_OK)
		goto out;
	err = check_keys(w, why);
out:
	buf_wipe(&plain);
	return err;
}

static void device_id(struct work *w)
{
	struct bytes subject = w->csr->subject;

	switch (w->env->profile->conf->device_id) {
	case DEVICE_ID_CN:
		name_attr(subject, OID_CN, &w->device);
		break;
	case DEVICE_ID_SERIAL_NUMBER:
		name_attr(subject, OID_SERIAL_NUMBER, &w->device);
		break;
	case DEVICE_ID_TRANSACTION:
		buf_add_bytes(&w->device, buf_bytes(&w->out->txid));
		break;
	case DEVICE_ID_SUBJECT:
		break;
	}
	if (w->device.n == 0)	/* the whole subject names it where the attribute is missing */
		buf_add_bytes(&w->device, buf_bytes(&w->out->subject));
}

/* What makes this request this request: the key that signed and the octets that were signed for (P-138 to P-140). */
static void identify(struct work *w)
{
	device_id(w);
	buf_add_str(&w->identity, "PKCSReq");
	buf_add_bytes(&w->identity, w->msg->signer->spki);
	buf_add_bytes(&w->identity, buf_bytes(&w->csr->der));
	buf_printf(&w->requester, "%s from %s", authority_name(w->authority), w->env->peer);
	if (w->out->weak.n > 0)
		buf_printf(&w->requester, " with %s", buf_str(&w->out->weak));
	w->request = (struct store_request){
	    .profile = w->env->profile->conf->name,
	    .txid = w->msg->txid,
	    .digest_of = buf_bytes(&w->identity),
	    .signer_spki = w->msg->signer->spki,
	    .challenge = w->authority == AUTHORITY_ONE_TIME ? buf_bytes(&w->csr->challenge) : (struct bytes){0},
	    .device = buf_str(&w->device),
	    .subject = buf_str(&w->out->subject),
	};
}

static enum err decide(const struct work *w, struct template *template, struct why *why)
{
	const struct profile *p = w->env->profile;
	struct facts facts = {
	    .csr = w->csr,
	    .key = pubkey_kind(w->csr_key),
	    .key_is_ours = same_key(w->csr->spki, p->ca_cert->spki) || same_key(w->csr->spki, p->ra_cert->spki),
	    .ca_not_after = p->ca_cert->not_after,
	};

	return policy_decide(p->conf, &facts, w->env->now, template, why);
}

static void note_serial(struct outcome *out, struct bytes serial)
{
	struct buf hex = {0};

	hex_encode(&hex, bytes_cut(serial, 0, STORE_SERIAL_SIZE));
	memcpy(out->serial, hex.p, hex.n + 1);
	buf_free(&hex);
}

/* The stored certificate goes out again: a new envelope, never a new certificate (P-129). */
static enum err answer_again(const struct work *w, struct bytes der)
{
	struct cert *cert = NULL;
	enum err err = cert_parse(der, &cert, &w->out->why);

	if (err != ERR_OK)
		return fail_in(&w->out->why, "the stored certificate");
	w->out->repeated = true;
	note_serial(w->out, cert->serial);
	cert_free(cert);
	return respond_success(w->env, w->msg, der, w->out);
}

/* A verdict that ends the request; GO_ON does not come here. */
static enum err settle(const struct work *w, const struct store_answer *answer, struct why *why)
{
	switch (answer->verdict) {
	case STORE_ISSUED:
		return answer_again(w, buf_bytes(&answer->cert));
	case STORE_PENDING:
		return respond_pending(w->env, w->msg, w->out);
	case STORE_REJECTED:
		return fail(why, ERR_REJECTED, "an operator rejected this request");
	case STORE_OTHER_PENDING:
		return fail(why, ERR_TXN_PENDING, "another request is pending under the same transaction id");
	case STORE_CHALLENGE:
		why->err = ERR_CHALLENGE;	/* the store's sentence tells which rule it broke */
		return ERR_CHALLENGE;
	case STORE_GO_ON:
		break;
	}
	return fail(why, ERR_INTERNAL, "the store gave a verdict that does not fit");
}

/* Records what was signed, and sends it if, and only if, the database took it. */
static enum err record(const struct work *w, const struct template *t, struct bytes serial, struct bytes der)
{
	struct store_cert cert = {
	    .issuer = buf_bytes(&w->env->profile->ca_cert->der),
	    .der = der,
	    .not_before = t->not_before,
	    .not_after = t->not_after,
	    .sans = buf_str(&t->sans_text),
	    .spki = w->csr->spki,
	    .requester = buf_str(&w->requester),
	};
	struct store_answer answer = {0};
	enum err err;

	memcpy(cert.serial, serial.p, sizeof(cert.serial));
	if ((err = store_issue(w->env->store, &w->request, &cert, &answer, &w->out->why)) != ERR_OK)
		goto out;
	if (answer.verdict != STORE_GO_ON) {
		err = settle(w, &answer, &w->out->why);
		goto out;
	}
	note_serial(w->out, serial);
	err = respond_success(w->env, w->msg, der, w->out);
out:
	buf_free(&answer.cert);
	return err;
}

static enum err issue(const struct work *w)
{
	struct why *why = &w->out->why;
	struct template template = {0};
	uint8_t serial[STORE_SERIAL_SIZE];
	struct buf der = {0};
	enum err err;

	if ((err = decide(w, &template, why)) != ERR_OK)
		return err;
	buf_add_bytes(&w->out->left_out, buf_bytes(&template.left_out));
	if ((err = store_serial(w->env->now, serial, why)) != ERR_OK)
		goto out;
	if ((err = issue_certificate(w->env->profile, &template, w->csr->spki, bytes_of(serial, sizeof(serial)), &der, why)) != ERR_OK)
		goto out;
	err = record(w, &template, bytes_of(serial, sizeof(serial)), buf_bytes(&der));
out:
	buf_free(&der);
	template_free(&template);
	return err;
}

/* PKCSReq (RFC 8894, 3.3.1). A resend is found by admit before its challenge is judged: it was consumed the first time. */
static enum err pkcsreq(struct work *w)
{
	struct store_answer answer = {0};
	struct why *why = &w->out->why, unauthorized = {0};
	enum err err;

	if ((err = read_csr(w, why)) != ERR_OK)
		return err;
	w->authority = authorize(w->env->profile, w->csr, &unauthorized);
	identify(w);
	if ((err = store_admit(w->env->store, &w->request, &answer, why)) != ERR_OK)
		goto out;
	if (answer.verdict != STORE_GO_ON)
		err = settle(w, &answer, why);
	else if (w->authority == AUTHORITY_NONE)
		err = fail(why, unauthorized.err, "%s", unauthorized.text);
	else
		err = issue(w);
out:
	buf_free(&answer.cert);
	return err;
}

/* CertPoll (RFC 8894, 3.3.3): answered by transaction id and signing key; the envelope need not be opened (P-134). */
static enum err certpoll(struct work *w)
{
	struct store_answer answer = {0};
	struct why *why = &w->out->why;
	enum err err;

	if (pubkey_kind(w->msg->signer_key).type != KEY_RSA)
		return fail(why, ERR_ALG, "the message is signed with a key that cannot receive an encrypted answer; RSA is needed");
	err = store_poll(w->env->store, w->env->profile->conf->name, w->msg->txid, w->msg->signer->spki, &answer, why);
	if (err == ERR_OK && answer.verdict == STORE_GO_ON)
		err = fail(why, ERR_NO_TXN, "no request of this key is known under this transaction id");
	else if (err == ERR_OK)
		err = settle(w, &answer, why);
	buf_free(&answer.cert);
	return err;
}

static enum err answer(struct work *w)
{
	const struct profile *p = w->env->profile;
	enum err err = scep_verify(w->msg, &p->limits, &p->algs, &w->out->why);

	if (err != ERR_OK)
		return err;
	switch (w->msg->type) {
	case SCEP_PKCSREQ:
		return pkcsreq(w);
	case SCEP_CERTPOLL:
		return certpoll(w);
	default:
		return fail(&w->out->why, ERR_TYPE, "message type %d (%s) is not served by this profile", w->msg->type,
		    scep_type_name(w->msg->type));
	}
}

/* A refusal that the client may read: a signed FAILURE, and its row in the audit trail. */
static enum err refuse(const struct work *w, enum err err)
{
	struct outcome *out = w->out;
	struct store_event event = {
	    .kind = "refuse",
	    .profile = w->env->profile->conf->name,
	    .reason = err_row(err)->label,
	    .actor = w->env->peer,
	    .txid = buf_str(&out->txid),
	    .detail = out->why.text,
	};
	enum err failed;

	store_audit(w->env->store, &event, &out->audit);
	failed = respond_failure(w->env, w->msg, err, out);
	return failed == ERR_OK ? err : failed;
}

void enroll(const struct enroll_env *env, struct bytes body, struct outcome *out)
{
	struct work w = {.env = env, .out = out};

	*out = (struct outcome){0};
	out->err = scep_open(body, &w.msg, &out->why);
	if (out->err == ERR_OK) {
		out->type = w.msg->type;
		escape_text(&out->txid, w.msg->txid, SCEP_TXID_MAX);
		out->err = answer(&w);
		if (err_row(out->err)->fail_info != FI_NONE)
			out->err = refuse(&w, out->err);
	}
	work_free(&w);
}

void outcome_free(struct outcome *o)
{
	buf_free(&o->body);
	buf_free(&o->txid);
	buf_free(&o->subject);
	buf_free(&o->weak);
	buf_free(&o->left_out);
}
