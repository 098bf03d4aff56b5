/* Who has to say yes to a request besides the authenticator, or the old certificate, that authorised it. */
#include "ca/hook.h"
#include "ca/tls.h"

/* Asked in this order. One that refuses has the last word, with its error. */
static const struct {
	const char *name;	/* for log and audit; NULL: the end */
	bool (*applies)(const struct work *w);
	enum err (*ask)(struct work *w, struct why *why);	/* may set w->waits, and add to w->values */
} consents[] = {
    {"client certificate", tls_applies, tls_consent},
    {"web hook", webhook_applies, webhook_consents},
    {"command", command_applies, command_consents},
    {NULL, NULL, NULL},
};

enum err work_consent(struct work *w)
{
	enum err err = ERR_OK;

	for (size_t i = 0; consents[i].name != NULL && err == ERR_OK; i++) {
		if (!consents[i].applies(w))
			continue;
		err = consents[i].ask(w, &w->out->why);
		if (err != ERR_OK)
			w->out->refused_by = consents[i].name;
	}
	return err;
}
