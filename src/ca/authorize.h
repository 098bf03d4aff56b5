/* Who may have a certificate: the challengePassword against what the profile accepts. */
#ifndef CA_AUTHORIZE_H
#define CA_AUTHORIZE_H

#include "ca/profile.h"

enum authority {
	AUTHORITY_NONE,		/* refused: the sentence says why */
	AUTHORITY_STATIC,	/* one of the profile's static secrets */
	AUTHORITY_ONE_TIME,	/* to be found, and consumed, in the database */
	AUTHORITY_RENEWAL,	/* the certificate that is renewed */
	AUTHORITY_OPERATOR,	/* people have approved it */
	AUTHORITY_FORMER	/* the certificate that is renewed, of a former CA */
};

const char *authority_name(enum authority a);	/* "static challenge" */

/*
 * Which authority the request's challenge appeals to. A wrong one and an unknown one look the same: both become AUTHORITY_ONE_TIME
 * and are looked up, where the profile has one-time challenges (P-104). why: the reason for AUTHORITY_NONE.
 */
enum authority authorize(const struct profile *p, const struct csr *csr, struct why *why);

#endif
