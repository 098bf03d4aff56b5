/* Signed challenges in a profile: its trust anchors, and the authenticator of ca/authorize.c's table. */
#ifndef CA_SIGNED_H
#define CA_SIGNED_H

#include "ca/profile.h"

struct work;

/*
 * Reads the profile's anchors. Those that cannot be used are an error, except at a reload: then the ones of the profile `before` it stay, and a
 * warning says so, for a bundle that was half written must not stop enrolments nor the rest of the reload. before NULL: there was none.
 */
void signed_load(struct profile *p, const struct profile *before, time_t now, struct problems *problems);

/* Is the challenge meant to be a token, and does the profile take tokens? */
bool signed_claims(const struct work *w, struct bytes challenge);

/* Judges it; what it leaves to be done goes to w->token. Errors: those of signed_check. */
enum err signed_judge(struct work *w, struct bytes challenge, struct why *why);

/* The token authorised the request: what it says of the device goes to w->values. Error: SIGNED_FORM, too many values. */
enum err signed_take_values(struct work *w);

/* What the database has to spend for w->token; empty where there is none. */
struct store_once signed_once(const struct work *w);

#endif
