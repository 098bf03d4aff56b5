/* Who may have a certificate: the challengePassword against what the profile accepts. */
#ifndef CA_AUTHORIZE_H
#define CA_AUTHORIZE_H

#include "ca/profile.h"

struct work;

enum authority {
	AUTHORITY_NONE,		/* nobody whom the request could appeal to */
	AUTHORITY_STATIC,	/* one of the profile's static secrets */
	AUTHORITY_ONE_TIME,	/* to be found, and consumed, in the database */
	AUTHORITY_RENEWAL,	/* the certificate that is renewed */
	AUTHORITY_OPERATOR,	/* people have approved it */
	AUTHORITY_FORMER,	/* the certificate that is renewed, of a former CA */
	AUTHORITY_SIGNED,	/* a token that somebody signed whom the profile trusts */
	AUTHORITY_WEBHOOK,	/* the profile's web hook, to be asked */
	AUTHORITY_COMMAND,	/* its command, to be asked */
	AUTHORITY_CLIENT_CERT	/* a TLS client certificate, without a challenge */
};

const char *authority_name(enum authority a);	/* "static challenge" */

/*
 * Which authority the request's challenge appeals to: the first authenticator of the profile that claims it. A wrong one and an unknown one
 * look the same: both become AUTHORITY_ONE_TIME and are looked up, where the profile has one-time challenges (P-104). why: the reason when it
 * is refused already, and AUTHORITY_NONE or the one that refuses comes back; why->err is ERR_OK otherwise.
 */
enum authority authorize(struct work *w, struct why *why);

/*
 * The database refused the challenge: is there anybody after it in the profile who claims it? True: w->authority is that one, no challenge will be
 * spent, and why is as above. False: nothing changed.
 */
bool authorize_instead(struct work *w, struct why *why);

#endif
