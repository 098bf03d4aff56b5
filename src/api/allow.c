#include "api/allow.h"

#include <string.h>

enum err allow_user(const struct admin_conf *conf, const char *user, struct why *why)
{
	if (*user == '\0')
		return fail(why, ERR_LOGIN, "the web server does not say who asks (REMOTE_USER): it has to authenticate whoever comes here");
	for (char **p = conf->users; p != NULL && *p != NULL; p++) {
		if (strcmp(*p, user) == 0 || strcmp(*p, ADMIN_USERS_ANY) == 0)
			return ERR_OK;
	}
	return fail(why, ERR_FORBIDDEN, "user '%.80s' is not among 'users' in [admin]", user);
}

/* The profile of a pair of this user's; NULL: the pair is somebody else's. */
static const char *pair_profile(const char *pair, const char *user)
{
	size_t n = strlen(user);

	return strncmp(pair, user, n) == 0 && pair[n] == ':' && strchr(pair + n + 1, ':') == NULL ? pair + n + 1 : NULL;
}

bool allow_is_bound(const struct admin_conf *conf, const char *user)
{
	for (char **p = conf->challenge_profiles; p != NULL && *p != NULL; p++) {
		if (pair_profile(*p, user) != NULL)
			return true;
	}
	return false;
}

enum err allow_profile(const struct admin_conf *conf, const char *user, const char *profile, struct why *why)
{
	if (!allow_is_bound(conf, user))
		return ERR_OK;
	for (char **p = conf->challenge_profiles; profile != NULL && *p != NULL; p++) {
		const char *one = pair_profile(*p, user);

		if (one != NULL && strcmp(one, profile) == 0)
			return ERR_OK;
	}
	if (profile == NULL)
		return fail(why, ERR_FORBIDDEN, "user '%.80s' may see challenges of some profiles only ('challenge_profiles' in [admin]): name one", user);
	return fail(why, ERR_FORBIDDEN, "user '%.80s' may not make, see or revoke challenges of profile '%.80s' ('challenge_profiles' in [admin])", user,
	    profile);
}
