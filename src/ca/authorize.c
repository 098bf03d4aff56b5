#include "ca/authorize.h"

#include "ca/hook.h"
#include "ca/signed.h"
#include "ca/tls.h"

const char *authority_name(enum authority a)
{
	static const char *const names[] = {"no challenge", "static challenge", "one-time challenge", "renewal", "operators",
	    "renewal from a former CA", "signed challenge", "web hook", "command", "client certificate"};

	return names[a];
}

static bool is_static(const struct work *w, struct bytes challenge)
{
	return secrets_match(w->env->profile->secrets, challenge);
}

static bool may_be_one_time(const struct work *w, struct bytes challenge)
{
	return challenge.n > 0 && w->env->profile->conf->one_time_challenge;
}

/* In this order: the first that claims a challenge is the only one that judges it. */
static const struct {
	enum authority authority;
	bool (*claims)(const struct work *w, struct bytes challenge);			/* challenge.n == 0: there is none */
	enum err (*judge)(struct work *w, struct bytes challenge, struct why *why);	/* NULL: to claim it is to accept it, or store_admit judges */
} authenticators[] = {
    {AUTHORITY_SIGNED, signed_claims, signed_judge},
    {AUTHORITY_STATIC, is_static, NULL},
    {AUTHORITY_ONE_TIME, may_be_one_time, NULL},
    {AUTHORITY_CLIENT_CERT, tls_authorises, NULL},
    {AUTHORITY_WEBHOOK, webhook_claims, NULL},
    {AUTHORITY_COMMAND, command_claims, NULL},
};

#define N_AUTHENTICATORS (sizeof(authenticators) / sizeof(authenticators[0]))

static enum authority claimed_from(size_t i, struct work *w, struct why *why)
{
	struct bytes challenge = work_password(w);

	for (; i < N_AUTHENTICATORS; i++) {
		if (!authenticators[i].claims(w, challenge))
			continue;
		if (authenticators[i].judge != NULL)
			authenticators[i].judge(w, challenge, why);
		return authenticators[i].authority;
	}
	return AUTHORITY_NONE;
}

/* A challenge that nobody claims is refused by those who would have, had it been right. */
static enum authority nobody(const struct work *w, struct why *why)
{
	const struct profile *p = w->env->profile;

	if (work_password(w).n == 0) {
		fail(why, ERR_CHALLENGE, "the request has no challengePassword");
		return AUTHORITY_NONE;
	}
	if (p->secrets != NULL) {
		fail(why, ERR_CHALLENGE, "the challengePassword is none of the profile's static secrets%s",
		    p->anchors != NULL ? ", and no signed challenge" : "");
		return AUTHORITY_STATIC;
	}
	if (p->anchors != NULL) {
		fail(why, ERR_CHALLENGE, "the challengePassword is no signed challenge, which would be three parts with two dots between them and longer");
		return AUTHORITY_SIGNED;
	}
	fail(why, ERR_CHALLENGE, "the request has a challengePassword, and nobody in this profile takes any; send none, or set static_challenge_file or "
	    "one_time_challenge in [enrol]");
	return AUTHORITY_NONE;
}

enum authority authorize(struct work *w, struct why *why)
{
	enum authority found = claimed_from(0, w, why);

	return found != AUTHORITY_NONE ? found : nobody(w, why);
}

bool authorize_instead(struct work *w, struct why *why)
{
	enum authority found;
	size_t i = 0;

	while (i < N_AUTHENTICATORS && authenticators[i].authority != w->authority)
		i++;
	found = claimed_from(i + 1, w, why);
	if (found == AUTHORITY_NONE)
		return false;
	w->authority = found;
	w->request.challenge = (struct bytes){0};
	return true;
}
