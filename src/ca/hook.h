/* The operator's own web hook and command in the story of an enrolment: what they are asked, and what becomes of their answers. */
#ifndef CA_HOOK_H
#define CA_HOOK_H

#include "ca/work.h"

/* Do they judge this challenge (n == 0: there is none)? For ca/authorize.c; they are asked later, with the rest that is known by then. */
bool webhook_claims(const struct work *w, struct bytes challenge);
bool command_claims(const struct work *w, struct bytes challenge);

/* Are they to be asked about what has been authorised, or claimed? For ca/consent.c. */
bool webhook_applies(const struct work *w);
bool command_applies(const struct work *w);

/* Asks. Errors: HOOK (no answer, or a bad one: nothing is issued), COMPLIANCE or CHALLENGE (it said no). Sets w->waits when it says so. */
enum err webhook_consents(struct work *w, struct why *why);
enum err command_consents(struct work *w, struct why *why);

/* Loads what [webhook] and [command] name; everything wrong goes to `problems`. *out NULL: no web hook. */
void hook_load(const struct profile_conf *conf, struct webhook **out, struct problems *problems);

#endif
