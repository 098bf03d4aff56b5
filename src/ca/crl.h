/*
 * The CRL of a profile's CA: kept in each process, fetched from the database when that has a newer one, and signed anew, by whichever worker
 * notices first, when it gets old or a revocation waits. Profiles of the same CA share one.
 */
#ifndef CA_CRL_H
#define CA_CRL_H

#include "ca/profile.h"
#include "store/store.h"

struct ca_crl;

struct ca_crl *ca_crl_new(const struct cert *ca);
struct ca_crl *ca_crl_share(struct ca_crl *crl);	/* the same, for one more owner */
void ca_crl_free(struct ca_crl *crl);			/* NULL is allowed */

/* Name and key of the CA, as store/crl.h wants them. */
struct bytes ca_crl_authority(const struct ca_crl *crl);

/* The profile's CA has CRLs here: [crl] enabled, and its certificate lets it sign them. */
bool ca_crl_enabled(const struct profile *p);

struct crl_view {
	struct bytes der;	/* until the next call */
	long number;
	time_t this_update, next_update;
};

/*
 * A CRL that is valid at `now`. Asks the database at most every few seconds; when that is away the last one serves until its end. With
 * ERR_OK, why->err other than OK says what kept it from being fresh. Errors: NOT_FOUND (not enabled), DB, CA_KEY.
 */
enum err ca_crl_serve(const struct profile *p, struct store *store, time_t now, struct crl_view *out, struct why *why);

/* Signs the next CRL if it is due and nobody else does; *made is its number, 0: nothing was due. Errors: DB, CA_KEY. */
enum err ca_crl_tend(const struct profile *p, struct store *store, long *made, struct why *why);

/* Signs the next CRL whether it is due or not. Errors: DB, CA_KEY. */
enum err ca_crl_make(const struct profile *p, struct store *store, long *made, struct why *why);

#endif
