/* A profile ready to serve: its configuration, keys and certificates, and the answers that never change, as bytes. */
#ifndef CA_PROFILE_H
#define CA_PROFILE_H

#include "auth/anchors.h"
#include "auth/challenge.h"
#include "auth/client_cert.h"
#include "auth/webhook.h"
#include "base/problems.h"
#include "ca/former.h"
#include "ca/policy.h"
#include "conf/conf.h"
#include "scep/msg.h"

struct profile {
	const struct profile_conf *conf;	/* outlives the profile */
	struct cert *ca_cert;
	struct key *ca_key;
	struct cert *ra_cert;		/* the same as ca_cert when the CA answers itself */
	struct key *ra_key;
	struct cert *sign_cert;		/* what signs answers: the same as ra_cert without [ra_sign] */
	struct key *sign_key;
	struct cert **chain;		/* the CA's parents */
	size_t n_chain;
	struct secrets *secrets;	/* NULL: no static challenge */
	struct anchors *anchors;	/* who signs challenges; NULL: nobody */
	struct webhook *webhook;	/* NULL: none */
	struct client_trust *client_trust;	/* of TLS client certificates; NULL: it takes none */
	struct former *former;		/* NULL: none */
	struct policy *policy;		/* what its certificates may be */
	struct alg_set algs;
	struct key_limits limits;
	struct rollover *rollover;	/* its other CAs and RAs: ca/rollover.h; NULL: none */
	struct buf caps;		/* GetCACaps body ... */
	struct buf caps_next;		/* ... while a next CA is announced */
	struct buf ca_body;		/* GetCACert body */
	const char *ca_type;		/* its content type */
	struct ca_crl *crl;		/* of its CA (ca/crl.h) */
	char **crl_urls, **ca_issuers_urls, **ocsp_urls;	/* for the certificates it issues; NULL: none (ca/ca_urls.h) */
};

/*
 * Loads everything the profile names and checks it: files, modes, key and certificate belong together, dates, key usage, RA issued
 * by the CA, key sizes. Every problem goes to `problems`; NULL when there is an error among them. Token keys are not opened
 * here but by profile_open_keys. before: the profile of that name that a reload replaces, from which goes on what could not be read anew and
 * may (ca/signed.h); NULL at start.
 */
struct profile *profile_load(const struct profile_conf *conf, time_t now, const struct profile *before, struct problems *problems);
/* The same for the part of it that takes over: `conf` has the pairs of [next_ca] and [next_ra] in place of its own. No secrets. */
struct profile *profile_load_next(const struct profile_conf *conf, time_t now, struct problems *problems);
void profile_free(struct profile *p);	/* NULL is allowed */

/* After fork: opens PKCS#11 sessions (file keys are there already). Errors: KEY, FILE. */
enum err profile_open_keys(struct profile *p, struct why *why);

#endif
