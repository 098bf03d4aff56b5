/* The challengePassword: static secrets of the profile, and one-time challenges of the database. */
#ifndef AUTH_CHALLENGE_H
#define AUTH_CHALLENGE_H

#include "base/buf.h"
#include "base/err.h"

/* The secrets of one file, one a line (blank lines and '#' comments skipped), kept as SHA-256 digests. */
struct secrets;

/* Errors: FILE (missing, readable by group or others), CONFIG (empty, or a secret shorter than 8 octets). */
enum err secrets_read(const char *path, struct secrets **out, struct why *why);
void secrets_free(struct secrets *s);

/* Does `challenge` equal one of them? Every secret is compared, in constant time. s NULL: false. */
bool secrets_match(const struct secrets *s, struct bytes challenge);

/* A fresh one-time challenge: 160 random bits as 32 lower-case base32 characters. Error: INTERNAL. */
enum err challenge_generate(struct buf *out, struct why *why);

#endif
