/* What must hold between a profile's certificates and keys, each violation a problem with its remedy. Used by profile_load. */
#ifndef CA_PROFILE_CHECK_H
#define CA_PROFILE_CHECK_H

#include "ca/profile.h"

/* One of [ca] and [ra]: the certificate, and its key as opened for the check. */
struct key_pair {
	const char *where;	/* "default.ini [ra]" */
	const char *what;	/* "CA" or "RA" */
	const struct cert *cert;
	const struct key *key;
};

/* Key and certificate belong together, dates hold at `now`, the key is strong enough. */
void check_pair(const struct key_pair *pair, time_t now, struct problems *problems);
/* Its certificate may sign certificates (RFC 5280, 4.2.1.3, 4.2.1.9). */
void check_ca(const struct key_pair *ca, struct problems *problems);
/* Its certificate may open envelopes and sign answers, with an RSA key (P-39). */
void check_recipient(const struct key_pair *pair, struct problems *problems);
/* The RA's certificate is by the CA, and the chain leads upwards from it. */
void check_chain(const struct key_pair *ra, const struct profile *p, struct problems *problems);

#endif
