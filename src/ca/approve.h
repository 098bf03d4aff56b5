/* Manual approval (RFC 8894, 2.4, 2.5): which requests wait for people, and how they wait. */
#ifndef CA_APPROVE_H
#define CA_APPROVE_H

#include "ca/work.h"

/* May a request that brings no challenge at all be put before an operator? */
bool approve_asks_operators(const struct work *w);

/* Does what has been authorised still have to wait? */
bool approve_waits(const struct work *w);

/* Asks the policy, queues the request, and answers PENDING. */
enum err approve_queue(struct work *w);

/* Brings back what approve_queue stored: the PKCS#10 and who authorised it; then work_sign can go on. Errors: DB. */
enum err approve_resume(struct work *w, struct bytes secret);

/* The same when the request itself is there again: what the authenticators knew of the device, and the certificate that it renews. Errors: DB. */
enum err approve_resend(struct work *w, struct bytes secret);

/* Of the same only the PKCS#10, for the challenge in it (work_password). Errors: DB. */
enum err approve_recall(struct work *w, struct bytes secret);

#endif
