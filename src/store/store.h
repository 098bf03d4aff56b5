/*
 * State shared by all workers and hosts: PostgreSQL through libpq, used here only. One call is one round trip (and, where it writes,
 * one commit). A connection belongs to one process: open after fork. All functions reconnect by themselves; error DB means that the
 * database could not answer in time, and nothing is known to have happened.
 */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include <time.h>

#include "base/buf.h"
#include "base/err.h"

#define STORE_DIGEST_SIZE 16
#define STORE_SERIAL_SIZE 16

struct store;

struct store_conf {
	const char *conninfo;		/* libpq's; several hosts allowed */
	long timeout_ms;		/* one round trip, reconnecting included */
	struct bytes pepper;		/* keys the digests; at least 32 octets */
	const char *application;	/* application_name */
};

struct store *store_open(const struct store_conf *conf);	/* copies it; connects with the first call */
void store_close(struct store *s);				/* NULL is allowed */

/* Keyed digest of a labelled value: what the database holds in place of secrets and transaction ids. */
void store_digest(const struct store *s, const char *label, struct bytes value, uint8_t out[STORE_DIGEST_SIZE]);

/* A serial number: 32-bit time prefix, 96 random bits; positive, no leading zero octet. Error: INTERNAL (no randomness). */
enum err store_serial(time_t now, uint8_t out[STORE_SERIAL_SIZE], struct why *why);

/*
 * Housekeeping, for any process to call every hour or so: removes up to `limit` expired requests and as many old challenges, makes the
 * partitions of coming years. When *removed reaches `limit` there may be more to remove.
 */
enum err store_maintain(struct store *s, int limit, int *removed, struct why *why);

#endif
