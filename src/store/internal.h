/* What the files of this layer share. */
#ifndef STORE_INTERNAL_H
#define STORE_INTERNAL_H

#include "store/conn.h"
#include "store/store.h"

#define STORE_PEPPER_MIN 32

struct store {
	struct conn *conn;
	int64_t timeout_ms;
	struct buf pepper;
};

/* One call within the store's time; the call is freed. */
enum err store_call(struct store *s, struct call *call, PGresult **out, struct why *why);

/* The digest of a label and parts that do not run into each other: each is preceded by its length. */
void store_digest_parts(const struct store *s, const char *label, const struct bytes *parts, size_t n, uint8_t out[STORE_DIGEST_SIZE]);

/* Refuses to work without a pepper: CONFIG. */
enum err store_need_pepper(const struct store *s, struct why *why);

#endif
