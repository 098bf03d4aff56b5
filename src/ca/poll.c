/* CertPoll (RFC 8894, 3.3.3): answered by transaction id and signing key; the envelope need not be opened (P-134). */
#include "ca/work.h"

enum err work_poll(struct work *w)
{
	struct store_answer answer = {0};
	struct why *why = &w->out->why;
	enum err err;

	if ((err = work_can_answer(w)) != ERR_OK)
		return err;
	err = store_poll(w->env->store, w->env->profile->conf->name, w->msg->txid, w->msg->signer->spki, &answer, why);
	if (err == ERR_OK && answer.verdict == STORE_GO_ON)
		err = fail(why, ERR_NO_TXN, "no request of this key is known under this transaction id");
	else if (err == ERR_OK)
		err = work_settle(w, &answer);
	store_answer_free(&answer);
	return err;
}
