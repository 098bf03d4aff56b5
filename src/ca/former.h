/*
 * Former CAs: what another product issued may renew into a profile until a date ([renewal] renew_from). They are trusted for nothing else.
 */
#ifndef CA_FORMER_H
#define CA_FORMER_H

#include "base/problems.h"
#include "conf/conf.h"
#include "pki/cert.h"

struct former;

/* Reads the CAs and CRLs that the profile names. Everything wrong goes to `problems`; NULL when nothing is configured or nothing can be used. */
struct former *former_load(const struct profile_conf *conf, time_t now, struct problems *problems);
void former_free(struct former *f);	/* NULL is allowed */

/* Is `cert` signed by one of them? f NULL: no. */
bool former_issued(const struct former *f, const struct cert *cert);

/*
 * May `cert` renew at `now`, as far as its origin goes: issued by one of them, no CA itself, signed with a digest that the profile accepts, before
 * the date, and, where the profile names CRLs, not on that of its CA, which is there and has not ended. Its own dates and names are the caller's business. Error: RENEWAL.
 */
enum err former_check(const struct former *f, const struct cert *cert, time_t now, struct why *why);

#endif
