/* One-time challenges to be made: what operators, and programs for them, ask for, checked before it is stored. */
#ifndef AUTH_ONETIME_H
#define AUTH_ONETIME_H

#include "store/challenge.h"

#define ONETIME_USES_MAX 30000
#define ONETIME_SANS_MAX 64
#define ONETIME_VALUES_MAX 32
#define ONETIME_DEVICE_MAX 256		/* octets */
#define ONETIME_LIFE_MAX (10L * 365 * 86400)	/* seconds */
#define ONETIME_LIFE 86400L		/* what nobody says otherwise */

/*
 * These fill a store_challenge whose strings and lists are its own; it ends with onetime_free. A refused one leaves it as it was. Errors:
 * INPUT, SUBJECT.
 */
enum err onetime_set_subject(struct store_challenge *c, const char *text, struct why *why);	/* as the responder writes a request's */
enum err onetime_set_device(struct store_challenge *c, const char *text, struct why *why);
enum err onetime_set_uses(struct store_challenge *c, long uses, struct why *why);
enum err onetime_set_life(struct store_challenge *c, time_t now, time_t expires, struct why *why);	/* sets created and expires */
enum err onetime_add_san(struct store_challenge *c, const char *text, struct why *why);		/* "dns:a.example" */
enum err onetime_add_value(struct store_challenge *c, const char *name, const char *text, struct why *why);

/* Makes the secret and stores its digest; c->id is set. Errors: INTERNAL, CONFLICT, DB. */
enum err onetime_make(struct store *s, struct store_challenge *c, struct buf *secret, struct why *why);

void onetime_free(struct store_challenge *c);

#endif
