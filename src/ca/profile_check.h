/* What must hold between a profile's certificates and keys, each violation a problem with its remedy. Used by profile_load. */
#ifndef CA_PROFILE_CHECK_H
#define CA_PROFILE_CHECK_H

#include "ca/profile.h"

/* One of [ca], [ra] and [ra_sign]: the certificate, and its key as opened for the check. What could not be read is NULL, and the rest is
 * checked all the same: everything that is wrong is said at once. */
struct key_pair {
	const char *where;	/* "default.ini [ra]" */
	const char *what;	/* "CA", "RA" or "signing RA" */
	const struct cert *cert;
	const struct key *key;
};

/* Reads what the settings name (NULL: nothing) for the check, and tells what cannot be read. */
void read_pair(const struct key_conf *conf, const char *where, struct cert **cert, struct key **key, struct problems *problems);

#define DATES_UNCHECKED ((time_t)-1)	/* in place of the time: what has had its day may be past it */

/* Somebody can say yes to a first request: a profile that nobody could ever enrol in is a mistake. */
void check_authenticators(const struct profile_conf *conf, struct problems *problems);
/* Who that is, for lists: "one-time challenges, operators". */
void list_authenticators(const struct profile_conf *conf, struct buf *out);

/* A file that a setting of the section names cannot be used: the problem's place is "default.ini [ra] key". */
void check_file(const char *section, const char *key, const struct why *why, struct problems *problems);

/* Key and certificate belong together, dates hold at `now`, the key is strong enough. */
void check_pair(const struct key_pair *pair, time_t now, struct problems *problems);
/* Its certificate may sign certificates (RFC 5280, 4.2.1.3, 4.2.1.9). */
void check_ca(const struct key_pair *ca, struct problems *problems);
/* Its key can sign as [certificate] signature and digest say. */
void check_signature(const struct key_pair *ca, const struct profile_conf *conf, struct problems *problems);
/* Its certificate may open envelopes, with an RSA key, and sign answers (P-39) unless another does (signs false: P-38). */
void check_recipient(const struct key_pair *pair, bool signs, struct problems *problems);
/* Its certificate may sign answers, and nobody will encrypt to it. */
void check_answerer(const struct key_pair *pair, struct problems *problems);
/* The certificate is by the CA. */
void check_issuer(const struct key_pair *ra, const struct cert *ca, struct problems *problems);
/* The chain leads upwards from the CA. */
void check_chain(const char *where, const struct profile *p, struct problems *problems);

#endif
