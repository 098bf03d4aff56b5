/*
 * What this worker remembers of limits that are exceeded, so that a flood costs neither the private key nor the database anything. Only to save
 * work: the database decides, and is asked again after a while.
 */
#ifndef CA_OVERLOAD_H
#define CA_OVERLOAD_H

#include <stdint.h>

struct overload;

struct overload *overload_new(void);
void overload_free(struct overload *o);		/* NULL is allowed */

/* A limit of this kind, for `of` in `profile`, has no room for so many seconds. o NULL: nothing is remembered. */
void overload_note(struct overload *o, const char *profile, const char *kind, const char *of, int seconds, int64_t now_ms);

/* The seconds until it has room again; 0: nothing is known, ask the database. o NULL: 0. */
int overload_left(const struct overload *o, const char *profile, const char *kind, const char *of, int64_t now_ms);

/* Of a clock that nobody sets. */
int64_t overload_now(void);

#endif
