/* CertPoll (RFC 8894, 3.3.3, 4.4): found by transaction id and signing key, held to the names in it, answered with what was decided. */
#include <strings.h>

#include "ca/approve.h"
#include "ca/rollover.h"
#include "ca/weak.h"
#include "pki/name.h"

/* Clients name the RA, the CA or the root as issuer. */
static bool is_issuer_of_ours(const struct profile *p, struct bytes issuer)
{
	const struct cert *own[ROLLOVER_OWN_MAX];
	size_t n = rollover_own_certs(p, own);

	for (size_t i = 0; i < n; i++) {
		if (name_eq(issuer, own[i]->subject))
			return true;
	}
	return false;
}

static enum err check_names(const struct work *w, struct bytes plain, const char *subject)
{
	struct why *why = &w->out->why;
	struct bytes issuer, wanted;
	struct buf text = {0};
	enum err err;

	if ((err = scep_issuer_and_subject(plain, &issuer, &wanted, why)) != ERR_OK || (err = name_text(wanted, &text, why)) != ERR_OK)
		return err == ERR_SYNTAX ? fail(why, ERR_UNSEAL, "the subject in the poll cannot be read") : err;
	buf_add_bytes(&w->out->subject, buf_bytes(&text));
	if (!is_issuer_of_ours(w->env->profile, issuer))
		err = fail(why, ERR_NO_TXN, "the poll names an issuer that is none of this profile's");
	else if (strcasecmp(buf_str(&text), subject != NULL ? subject : "") != 0)
		err = fail(why, ERR_NO_TXN, "the poll names another subject than the request, which is '%s'", subject);
	buf_free(&text);
	return err;
}

static enum err open_poll(struct work *w, const char *subject)
{
	const struct profile *p = w->env->profile;
	struct scep_recipient to = {.cert = p->ra_cert, .key = p->ra_key};
	struct buf plain = {0};
	enum err err = scep_unseal(w->msg, &to, 1, &p->algs, &plain, &w->out->why);

	if (err == ERR_OK) {
		weak_note_message(w);
		err = check_names(w, buf_bytes(&plain), subject);
	}
	if (err == ERR_UNSEAL)	/* as for wrong names: the envelope may be another message's, and nothing in it is vouched for (P-85) */
		w->told = ERR_NO_TXN;
	buf_wipe(&plain);
	return err;
}

static enum err answer_poll(struct work *w, const struct store_answer *answer)
{
	enum err err;

	if (answer->verdict == STORE_GO_ON)
		return fail(&w->out->why, ERR_NO_TXN, "no request of this key is known under this transaction id");
	if ((err = open_poll(w, answer->subject)) != ERR_OK)
		return err;
	if (answer->verdict == STORE_ISSUED && answer->secret.n > 0 && (err = approve_recall(w, buf_bytes(&answer->secret))) != ERR_OK)
		return err;
	if (answer->verdict != STORE_APPROVED)
		return work_settle(w, answer);
	buf_cut(&w->out->subject, 0);
	err = approve_resume(w, buf_bytes(&answer->secret));
	return err == ERR_OK ? work_sign(w) : err;
}

enum err work_poll(struct work *w)
{
	enum err err = store_poll(w->env->store, w->env->profile->conf->name, w->msg->txid, w->msg->signer->spki, &w->answer, &w->out->why);

	return err == ERR_OK ? answer_poll(w, &w->answer) : err;
}
