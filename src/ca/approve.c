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

	if (conf->approval == APPROVAL_AUTO)
		return false;
	if (w->renews)
		return conf->approve_renewals;
	return conf->approval == APPROVAL_MANUAL || w->authority != AUTHORITY_ONE_TIME;
}

/* Queued ::= SEQUENCE { oldSerial OCTET STRING, renews BOOLEAN, pkcs10 OCTET STRING }; the PKCS#10 holds the challenge. */
static void write_secret(const struct work *w, struct buf *out)
{
	size_t at = der_open(out);

	der_tlv(out, DER_OCTET_STRING, w->request.old_serial);
	der_bool(out, w->renews);
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

static enum err read_secret(struct work *w, struct bytes secret, struct tlv *old, struct tlv *renews)
{
	struct tlv seq, csr;

	if (!der_whole(secret, DER_SEQUENCE, &seq) || !der_expect(&seq.body, DER_OCTET_STRING, old) ||
	    !der_expect(&seq.body, DER_BOOLEAN, renews) || !der_expect(&seq.body, DER_OCTET_STRING, &csr))
		return fail(&w->out->why, ERR_DB, "the stored request is not one of this program's");
	return csr_parse(csr.body, &w->csr, &w->out->why);
}

enum err approve_recall(struct work *w, struct bytes secret)
{
	struct tlv old, renews;

	return read_secret(w, secret, &old, &renews);
}

enum err approve_resume(struct work *w, struct bytes secret)
{
	const struct profile *p = w->env->profile;
	struct why *why = &w->out->why;
	struct tlv old, renews;
	enum err err;

	if ((err = read_secret(w, secret, &old, &renews)) != ERR_OK ||
	    (err = csr_verify(w->csr, &p->limits, &p->algs, &w->csr_key, why)) != ERR_OK)
		return err;
	if ((err = work_note_subject(w)) != ERR_OK)
		return err;
	work_identify(w, old.body);
	work_approved(w, renews.body.n == 1 && renews.body.p[0] != 0);
	return ERR_OK;
}
