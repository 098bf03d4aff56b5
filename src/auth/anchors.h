/* Whose signed challenges are trusted: the certificates and public keys of one PEM bundle. */
#ifndef AUTH_ANCHORS_H
#define AUTH_ANCHORS_H

#include <time.h>

#include "auth/jws.h"
#include "base/problems.h"

#define ANCHORS_MAX 32	/* every wrong token is checked against all of them */
#define ANCHOR_ID_SIZE 32

struct anchors;

/*
 * Reads the bundle. Each anchor is an RSA key of 2048 bits or more or an EC key on P-256, in a certificate or alone, and one at least is valid
 * at `now`. Errors: FILE, CERT (the sentence names the file).
 */
enum err anchors_read(const char *path, time_t now, struct anchors **out, struct why *why);

/* The same anchors for another holder: each of them ends with anchors_free. */
struct anchors *anchors_share(struct anchors *a);
void anchors_free(struct anchors *a);	/* NULL is allowed */

/* A warning for each that is out of date at `now`, or soon will be. */
void anchors_warn(const struct anchors *a, const char *where, time_t now, struct problems *problems);

/* Is the token signed by one of those that are valid at `now`? id: which key that is, in whichever bundle. Error: SIGNED_SIG. */
enum err anchors_verify(const struct anchors *a, const struct jws *token, time_t now, uint8_t id[ANCHOR_ID_SIZE], struct why *why);

#endif
