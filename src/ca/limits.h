/* [limits]: in what a request is counted, and what becomes of one that is too many. Needs ca/work.h. */
#ifndef CA_LIMITS_H
#define CA_LIMITS_H

#include "store/audit.h"

struct work;

#define LIMITS_MAX 5
#define LIMITS_SOURCE_SIZE 64

/* What the request's rates are in, and point into. */
struct limits {
	struct store_rate rates[LIMITS_MAX];
	char source[LIMITS_SOURCE_SIZE];
	char key[2 * 32 + 1];
	bool admitted;		/* store_admit has counted the request */
};

/* What an address counts as: "192.0.2.1", "2001:db8:0:1::/64"; "" for what is no address. */
void limits_source(const char *peer, char out[LIMITS_SOURCE_SIZE]);

/* Before anything is read, and before anything is decrypted that needs a challenge: THROTTLED when this worker knows that there is no room. */
enum err limits_recall(struct work *w);
enum err limits_recall_challenge(struct work *w);

/* Fills w->request.rates for store_admit. challenged: what its authenticator said. */
void limits_fill(struct work *w, enum err challenged);

/* Of w->request.rates only those of accepted requests, for another store_admit; old certificates count in the first one. */
void limits_keep_accepted(struct work *w);

/* Writes a refusal's audit row and counts it. Error: THROTTLED, which is to be answered in its place; nothing was written then. */
enum err limits_refuse(struct work *w, enum err err, const struct store_event *event);

/* What a verdict of THROTTLED comes to: remembered, written to the audit trail once in its window, told by w->out. Returns THROTTLED. */
enum err limits_exceeded(struct work *w, const struct store_answer *answer);

#endif
