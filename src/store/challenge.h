/* One-time challenges, as operators make and see them; enrolments check and spend them in store.h. */
#ifndef STORE_CHALLENGE_H
#define STORE_CHALLENGE_H

#include "store/store.h"

struct store_challenge {
	char *id;			/* short public name of a challenge: what list prints and revoke takes */
	char *profile, *subject, *device;	/* NULL: any */
	char **sans;			/* a request may ask for these names only, as san_key (pki/name.h) writes them; NULL-terminated; NULL: any */
	char **values;			/* "name", "text" in turn, for the templates: challenge.NAME; NULL-terminated; NULL: none */
	char *created_by;
	time_t created, expires, consumed;	/* consumed 0: never */
	int uses_left;
	bool revoked;
};

/* Stores the digest of `secret`, bound as `c` says (profile, subject, device, sans, values, expires, uses_left, created_by), made at c->created (0:
 * now); sets c->id (the caller frees) and writes the audit row. Errors: CONFLICT, DB. */
enum err store_challenge_add(struct store *s, struct bytes secret, struct store_challenge *c, struct why *why);
/* profile NULL: all. all: also used, expired and revoked ones. most: the oldest so many, 0: all. *list is freed with store_challenge_list_free. */
enum err store_challenge_list(struct store *s, const char *profile, bool all, int most, struct store_challenge **list, size_t *n,
    struct why *why);
void store_challenge_list_free(struct store_challenge *list, size_t n);
/* Which profile a challenge is for, NULL: any; the caller frees. Error: NOT_FOUND. */
enum err store_challenge_profile(struct store *s, const char *id, char **profile, struct why *why);
enum err store_challenge_revoke(struct store *s, const char *id, const char *actor, struct why *why);	/* NOT_FOUND */

#endif
