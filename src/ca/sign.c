/* What was authorised becomes a certificate: decide, sign, record, answer. Nothing is sent that was not recorded. */
#include <string.h>

#include "base/codec.h"
#include "base/mem.h"
#include "ca/crl.h"
#include "ca/issue.h"
#include "ca/respond.h"
#include "ca/tls.h"
#include "ca/work.h"
#include "pki/name.h"

void work_note_serial(struct outcome *out, struct bytes serial)
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
	enum err err = work_can_answer(w);

	if (err != ERR_OK)
		return err;
	if ((err = cert_parse(der, &cert, &w->out->why)) != ERR_OK)
		return fail_in(&w->out->why, "the stored certificate");
	w->out->repeated = true;
	work_note_serial(w->out, cert->serial);
	cert_free(cert);
	return respond_success(w->env, w->msg, der, work_password(w), w->out);
}

/* Refusals whose sentence is the store's: it tells which rule was broken. */
static const struct {
	enum store_verdict verdict;
	enum err err;
	bool of_challenge;	/* somebody else was faster with it */
} refusals[] = {
    {STORE_CHALLENGE, ERR_CHALLENGE, true}, {STORE_QUEUE_FULL, ERR_QUEUE_FULL, false}, {STORE_THROTTLED, ERR_THROTTLED, false},
    {STORE_REPLAY, ERR_REPLAY, true}, {STORE_HOLDER_LIMIT, ERR_SIGNED_RATE, true}, {STORE_MAX_ACTIVE, ERR_MAX_ACTIVE, false},
};

static enum err refused(const struct work *w, const struct store_answer *answer)
{
	struct outcome *out = w->out;

	for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
		if (refusals[i].verdict != answer->verdict)
			continue;
		out->why.err = refusals[i].err;
		if (refusals[i].of_challenge)
			out->refused_by = authority_name(w->authority);
		return refusals[i].err;
	}
	return fail(&out->why, ERR_INTERNAL, "the store gave a verdict that does not fit");
}

enum err work_settle(struct work *w, const struct store_answer *answer)
{
	struct why *why = &w->out->why;

	switch (answer->verdict) {
	case STORE_ISSUED:
		return answer_again(w, buf_bytes(&answer->cert));
	case STORE_PENDING:
		return respond_pending(w->env, w->msg, w->out);
	case STORE_REJECTED:
		w->fail_text = mem_strdup(answer->reason);
		return fail(why, ERR_REJECTED, "an operator rejected this request%s%s", answer->reason != NULL ? ": " : "",
		    answer->reason != NULL ? answer->reason : "");
	case STORE_OTHER_PENDING:
		return fail(why, ERR_TXN_PENDING, "another request is pending under the same transaction id");
	case STORE_OLD_REVOKED:
		return fail(why, ERR_RENEWAL, "the certificate that signed was revoked meanwhile");
	case STORE_THROTTLED:
		return limits_exceeded(w, answer);
	default:
		return refused(w, answer);
	}
}

enum err work_decide(struct work *w)
{
	const struct profile *p = w->env->profile;
	const struct cert *renewed = work_renewed(w);
	struct facts facts = {
	    .csr = w->csr,
	    .key = pubkey_kind(w->csr_key),
	    .key_is_ours = work_key_is_ours(w, w->csr->spki),
	    .ca_not_after = p->ca_cert->not_after,
	    .values = &w->values,
	    .renews = renewed,
	    .foreign = renewed != NULL && w->request.old_serial.n == 0,
	};

	if (w->template.subject.n > 0)
		return ERR_OK;
	return policy_decide(p->policy, &facts, w->env->now, &w->template, &w->out->why);
}

/* Which certificate of which CA: this database knows nothing else of it. */
static void note_former(struct work *w)
{
	struct buf issuer = {0};

	if (name_text(w->msg->signer->issuer, &issuer, NULL) == ERR_OK) {
		buf_printf(&w->requester, " '%.200s', serial ", buf_str(&issuer));
		hex_encode(&w->requester, bytes_cut(w->msg->signer->serial, 0, 40));
	}
	buf_free(&issuer);
}

void work_note_requester(struct work *w)
{
	buf_add_str(&w->requester, authority_name(w->authority));
	if (w->authority == AUTHORITY_FORMER)
		note_former(w);
	if (w->env->client_cert != NULL) {
		buf_add_str(&w->requester, " with ");
		tls_describe(w->env->client_cert, &w->requester);
	}
	buf_printf(&w->requester, " from %s%s", w->env->peer, w->out->light ? " as a bare request" : "");
	if (w->out->weak.n > 0)
		buf_printf(&w->requester, " with %s", buf_str(&w->out->weak));
	if (w->asked_for.n > 0)
		buf_printf(&w->requester, "; %s", buf_str(&w->asked_for));
}

/* The subject that a template made, as text; nothing where it is the request's. */
static void made_subject(const struct template *t, struct buf *out)
{
	if (t->own_subject.n > 0)
		name_text(t->subject, out, NULL);
}

/* Records what was signed, and sends it if, and only if, the database took it. */
static enum err record(struct work *w, struct bytes serial, struct bytes der)
{
	const struct template *t = &w->template;
	struct store_cert cert = {
	    .issuer = buf_bytes(&w->env->profile->ca_cert->der),
	    .authority = ca_crl_authority(w->env->profile->crl),
	    .der = der,
	    .not_before = t->not_before,
	    .not_after = t->not_after,
	    .sans = buf_str(&t->sans_text),
	    .spki = w->csr->spki,
	    .requester = buf_str(&w->requester),
	};
	struct store_answer answer = {0};
	struct buf subject = {0};
	enum err err;

	made_subject(t, &subject);
	cert.subject = subject.n > 0 ? buf_str(&subject) : NULL;
	memcpy(cert.serial, serial.p, sizeof(cert.serial));
	if ((err = store_issue(w->env->store, &w->request, &cert, &answer, &w->out->why)) != ERR_OK)
		goto out;
	if (answer.verdict != STORE_GO_ON) {
		err = work_settle(w, &answer);
		goto out;
	}
	work_note_serial(w->out, serial);
	err = respond_success(w->env, w->msg, der, work_password(w), w->out);
out:
	store_answer_free(&answer);
	buf_free(&subject);
	return err;
}

enum err work_sign(struct work *w)
{
	struct why *why = &w->out->why;
	uint8_t serial[STORE_SERIAL_SIZE];
	struct buf der = {0};
	enum err err;

	if ((err = work_decide(w)) != ERR_OK)
		return err;
	work_note_requester(w);
	buf_add_bytes(&w->out->left_out, buf_bytes(&w->template.left_out));
	if ((err = store_serial(w->env->now, serial, why)) != ERR_OK)
		return err;
	err = issue_certificate(w->env->profile, &w->template, w->csr->spki, bytes_of(serial, sizeof(serial)), &der, why);
	if (err == ERR_OK)
		err = record(w, bytes_of(serial, sizeof(serial)), buf_bytes(&der));
	buf_free(&der);
	return err;
}
