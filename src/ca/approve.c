#include "ca/approve.h"

#include "pki/der.h"
#include "store/request.h"

bool approve_asks_operators(const struct work *w)
{
	bool has_challenge = w->csr->has_challenge && w->csr->challenge.n > 0;

	return w->env->profile->conf->approval != APPROVAL_AUTO && !has_challenge && w->msg->type == SCEP_PKCSREQ;
}

bool approve_waits(const struct work *w)
{
	const struct profile_conf *conf = w->env->profile->conf;

	if (w->waits)
		return true;
	if (conf->approval == APPROVAL_AUTO)
		return false;
	if (w->renews)
		return conf->approve_renewals;
	return conf->approval == APPROVAL_MANUAL || w->authority != AUTHORITY_ONE_TIME;
}

/*
 * Queued ::= SEQUENCE { claimed OCTET STRING, oldSerial OCTET STRING, renewed OCTET STRING, values OCTET STRING, pkcs10 OCTET STRING }. claimed: the
 * serial number that is part of the request's identity; oldSerial: that of the certificate of ours that the new one replaces. renewed: the certificate,
 * empty in a first request: who polls may sign with another certificate of the same key. The PKCS#10 holds the challenge.
 */
static void write_secret(const struct work *w, struct buf *out)
{
	size_t at = der_open(out), values;

	der_tlv(out, DER_OCTET_STRING, work_claimed_serial(w));
	der_tlv(out, DER_OCTET_STRING, w->request.old_serial);
	der_tlv(out, DER_OCTET_STRING, w->renews ? buf_bytes(&w->msg->signer->der) : (struct bytes){0});
	values = der_open(out);
	values_write(&w->values, out);
	der_close(out, values, DER_OCTET_STRING);
	der_tlv(out, DER_OCTET_STRING, buf_bytes(&w->csr->der));
	der_close(out, at, DER_SEQUENCE);
}

static void key_text(struct key_kind kind, struct buf *out)
{
	static const char *const names[] = {[KEY_RSA] = "RSA", [KEY_EC] = "EC", [KEY_ED25519] = "Ed25519", [KEY_OTHER] = "unknown"};

	buf_add_str(out, names[kind.type]);
	if (kind.type == KEY_RSA || kind.type == KEY_EC)
		buf_printf(out, " %u", kind.bits);
}

enum err approve_queue(struct work *w)
{
	const struct profile_conf *conf = w->env->profile->conf;
	struct buf secret = {0}, key = {0};
	struct store_answer answer = {0};
	enum err err = work_decide(w);

	if (err != ERR_OK)
		return err;
	work_note_requester(w);
	write_secret(w, &secret);
	key_text(pubkey_kind(w->csr_key), &key);
	struct store_pend pend = {
	    .secret = buf_bytes(&secret),
	    .sans = buf_str(&w->template.sans_text),
	    .key = buf_str(&key),
	    .requester = buf_str(&w->requester),
	    .approvals = (int)conf->approvals,
	    .keep_s = conf->approval_keep_s,
	    .most = (int)conf->max_pending,
	};
	err = store_pend(w->env->store, &w->request, &pend, &answer, &w->out->why);
	if (err == ERR_OK)
		err = work_settle(w, &answer);
	store_answer_free(&answer);
	buf_wipe(&secret);
	buf_free(&key);
	return err;
}

struct queued {
	struct tlv claimed, old_serial, renewed, values, pkcs10;
};

static enum err read_secret(struct bytes secret, struct queued *q, struct why *why)
{
	struct tlv seq;

	if (der_whole(secret, DER_SEQUENCE, &seq) && der_expect(&seq.body, DER_OCTET_STRING, &q->claimed) &&
	    der_expect(&seq.body, DER_OCTET_STRING, &q->old_serial) && der_expect(&seq.body, DER_OCTET_STRING, &q->renewed) &&
	    der_expect(&seq.body, DER_OCTET_STRING, &q->values) && der_expect(&seq.body, DER_OCTET_STRING, &q->pkcs10))
		return ERR_OK;
	return fail(why, ERR_DB, "the stored request is not one of this program's");
}

/* What was known of the device, and the certificate that it renews: what is said of them now does not count. */
static enum err take_queued(struct work *w, const struct queued *q)
{
	values_free(&w->values);
	if (!values_read(q->values.body, &w->values))
		return fail(&w->out->why, ERR_DB, "the stored request's values cannot be read");
	return q->renewed.body.n > 0 ? cert_parse(q->renewed.body, &w->renewed, &w->out->why) : ERR_OK;
}

enum err approve_resend(struct work *w, struct bytes secret)
{
	struct queued q;
	enum err err = read_secret(secret, &q, &w->out->why);

	if (err == ERR_OK && (err = take_queued(w, &q)) == ERR_OK) {
		w->request.old_serial = q.old_serial.body;
		work_approved(w, w->renewed != NULL);
	}
	return err;
}

enum err approve_recall(struct work *w, struct bytes secret)
{
	struct queued q;
	enum err err = read_secret(secret, &q, &w->out->why);

	return err == ERR_OK ? csr_parse(q.pkcs10.body, &w->csr, &w->out->why) : err;
}

enum err approve_resume(struct work *w, struct bytes secret)
{
	const struct profile *p = w->env->profile;
	struct why *why = &w->out->why;
	struct queued q;
	enum err err;

	if ((err = read_secret(secret, &q, why)) != ERR_OK || (err = take_queued(w, &q)) != ERR_OK ||
	    (err = csr_parse(q.pkcs10.body, &w->csr, why)) != ERR_OK ||
	    (err = csr_verify(w->csr, &p->limits, &p->algs, &w->csr_key, why)) != ERR_OK)
		return err;
	if ((err = work_note_subject(w)) != ERR_OK)
		return err;
	work_identify(w, q.claimed.body);
	w->request.old_serial = q.old_serial.body;
	work_approved(w, w->renewed != NULL);
	return ERR_OK;
}
