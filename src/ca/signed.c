#include "ca/signed.h"

#include <stdlib.h>

#include "base/mem.h"
#include "ca/work.h"

/* Why the new ones cannot be used, and what goes on. */
static void keep(struct profile *p, const struct profile *before, const char *where, const struct why *why, struct problems *problems)
{
	if (before == NULL || before->anchors == NULL) {
		problem_why(problems, where, why);
		return;
	}
	p->anchors = anchors_share(before->anchors);
	problem_add(problems, PROBLEM_WARNING, where, "%s; the trust anchors read before stay in use", why->text);
}

void signed_load(struct profile *p, const struct profile *before, time_t now, struct problems *problems)
{
	const struct signed_conf *conf = &p->conf->signed_challenge;
	struct why why = {0};
	char *where;

	if (conf->anchors == NULL)
		return;
	where = mem_printf("%s [signed_challenge] anchors", p->conf->file);
	if (anchors_read(conf->anchors, now, &p->anchors, &why) != ERR_OK)
		keep(p, before, where, &why, problems);
	if (p->anchors != NULL)
		anchors_warn(p->anchors, where, now, problems);
	if (conf->audience == NULL)
		problem_add(problems, PROBLEM_WARNING, where,
		    "without an audience a token for any other profile or server is good here, too; set 'audience'");
	free(where);
}

bool signed_claims(const struct work *w, struct bytes challenge)
{
	return w->env->profile->anchors != NULL && jws_looks_like(challenge);
}

enum err signed_judge(struct work *w, struct bytes challenge, struct why *why)
{
	const struct profile *p = w->env->profile;
	struct signed_rules rules = {.conf = &p->conf->signed_challenge, .anchors = p->anchors, .now = w->env->now};

	return signed_check(&rules, challenge, w->csr, &w->token, why);
}

struct store_once signed_once(const struct work *w)
{
	const struct conf_rate *rate = &w->env->profile->conf->signed_challenge.per_device;
	struct store_once once = {.nonce = buf_bytes(&w->token.nonce), .until = w->token.until};

	if (rate->most > 0) {
		once.holder = buf_bytes(&w->token.holder);
		once.most = (int)rate->most;
		once.window_s = (int)rate->window_s;
	}
	return once;
}

enum err signed_take_values(struct work *w)
{
	if (values_move(&w->values, &w->token.values))
		return ERR_OK;
	return fail(&w->out->why, ERR_SIGNED_FORM, "more is known of the device than the %d values that templates can use", VALUES_MAX);
}
