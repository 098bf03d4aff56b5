/*
 * Where to connect: the servers that conninfo names, tried one after the other, never blocking past a deadline. libpq tries several hosts
 * by itself, but without time limit for each when it does not block (PQconnectPoll ignores connect_timeout): one host that swallows
 * packets would hide the others. So each host gets its share of the time here. What libpq cannot do without blocking is to ask for a name:
 * name hosts by address (or in /etc/hosts) where DNS may fail.
 */
#ifndef STORE_TARGET_H
#define STORE_TARGET_H

#include <libpq-fe.h>
#include <stdint.h>

#include "base/err.h"

struct targets;

struct targets *targets_new(const char *conninfo, const char *application);
void targets_free(struct targets *t);	/* NULL is allowed */

/*
 * A connection to the first server that takes one, beginning with the last good one. While none does, again until the deadline; but
 * when the call before failed as well, each server is tried only once: an outage must not hold up every request for the whole time.
 * Errors: DB, CONFIG (conninfo cannot be read).
 */
enum err targets_connect(struct targets *t, int64_t deadline, PGconn **out, struct why *why);

#endif
