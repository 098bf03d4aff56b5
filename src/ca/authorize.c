#include "ca/authorize.h"

const char *authority_name(enum authority a)
{
	static const char *const names[] = {"no challenge", "static challenge", "one-time challenge", "renewal", "operators",
	    "renewal from a former CA"};

	return names[a];
}

enum authority authorize(const struct profile *p, const struct csr *csr, struct why *why)
{
	if (!csr->has_challenge || csr->challenge.n == 0) {
		fail(why, ERR_CHALLENGE, "the request has no challengePassword");
		return AUTHORITY_NONE;
	}
	if (secrets_match(p->secrets, buf_bytes(&csr->challenge)))
		return AUTHORITY_STATIC;
	if (p->conf->one_time_challenge)
		return AUTHORITY_ONE_TIME;
	fail(why, ERR_CHALLENGE, "the challengePassword is none of the profile's static secrets");
	return AUTHORITY_NONE;
}
