/*
 * A profile's CAs and RAs over time (RFC 8894, 4.7): [ca] and [ra], the next ones, and old ones that devices may still know. Which of them
 * answer goes by the clock alone, so that all workers on all hosts switch at the same moment, without a restart.
 */
#ifndef CA_ROLLOVER_H
#define CA_ROLLOVER_H

#include "ca/profile.h"

/*
 * Loads and checks what [next_ca], [next_ra], [old_ra], [older_ra] and [old_ca] name; p->rollover stays NULL when they name nothing. Called by
 * profile_load for a profile whose own pairs are loaded (those that could be).
 */
void rollover_load(struct profile *p, time_t now, struct problems *problems);
void rollover_free(struct rollover *r);	/* NULL is allowed */

/* After fork: opens the other token keys, and signs the answer to GetNextCACert. Errors: KEY, FILE, CA_KEY. */
enum err rollover_open_keys(struct profile *p, struct why *why);

/* The profile as it is at `now`: with its own CA and RA, or after the switch with the next ones. */
const struct profile *rollover_at(const struct profile *p, time_t now);

/* What takes over from it; NULL: nothing. */
const struct profile *rollover_next(const struct profile *p);

/* While there are two CAs: the profile with the one that p, which may be any view of it, does not have. NULL: there is one. */
const struct profile *rollover_other(const struct profile *p);

/* Itself or what takes over from it, whichever has the CA with this key identifier (ca/ca_urls.h); NULL: neither. */
const struct profile *rollover_of_ca(const struct profile *p, struct bytes key_id);

/* The body of GetCACaps at `now`, and of GetNextCACert: n == 0 when there is no next CA to show. */
struct bytes rollover_caps(const struct profile *p, time_t now);
struct bytes rollover_next_ca(const struct profile *p, time_t now);

/*
 * The profile with the CA and RA that a message is for. The recipient named in its envelope decides (P-48): a device that encrypts to the next
 * CA's RA is answered and issued for by those already before the switch, one that still encrypts to those before the switch by them until the
 * overlap ends; messages to an old RA are answered with that. Whatever names none of them is for rollover_at. `view`: room for the result,
 * which lives as long as p and view do.
 */
const struct profile *rollover_for(const struct profile *p, const struct scep_msg *msg, time_t now, struct profile *view);

/* All that may open a message at `now`. Gives their number. */
#define ROLLOVER_RECIPIENTS (2 + OLD_RAS)
size_t rollover_recipients(const struct profile *p, time_t now, struct scep_recipient to[ROLLOVER_RECIPIENTS]);

/* The certificates of all CAs, RAs and parents of the profile, whether they answer at this moment or not. Gives their number. */
#define ROLLOVER_OWN_MAX (2 * (3 + CMS_MAX_CERTS) + OLD_RAS + 1)
size_t rollover_own_certs(const struct profile *p, const struct cert *own[ROLLOVER_OWN_MAX]);

#endif
