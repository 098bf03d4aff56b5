/* Renewal: what the certificate that signed a request allows (RFC 8894, 2.3 and 3.3.1; P-150 to P-155, P-203). */
#ifndef CA_RENEW_H
#define CA_RENEW_H

#include "ca/work.h"

/* Does the signer's certificate claim to be by one of this profile's CAs, the present, the next or an old one? Then its serial number is looked up. */
bool renew_claims(const struct work *w);

/* Is the signer's certificate the very one that the database knows under its serial number? A claim alone proves nothing. */
bool renew_is_ours(const struct work *w, const struct store_old *old);

/*
 * May the certificate that the database knows under the signer's serial number be renewed by this request? It has to be the very
 * certificate, of this profile, not revoked, inside its window, and to have every name that is asked for. Errors: RENEWAL, with
 * the rule that was broken; those of policy_within.
 */
enum err renew_judge(struct work *w, const struct store_old *old, struct why *why);

#endif
