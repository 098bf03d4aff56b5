/* What the files of this layer share. */
#ifndef STORE_INTERNAL_H
#define STORE_INTERNAL_H

#include "store/conn.h"
#include "store/enrol.h"

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

/* Encrypts for, and decrypts from, the database. Errors: INTERNAL; DB (damaged, or sealed with another pepper). */
enum err store_seal(const struct store *s, struct bytes plain, struct buf *out, struct why *why);
enum err store_unseal(const struct store *s, struct bytes sealed, struct buf *out, struct why *why);

/* What identifies a request in the database. */
struct request_ids {
	uint8_t txid[STORE_DIGEST_SIZE], request[STORE_DIGEST_SIZE], signer[STORE_DIGEST_SIZE];
	uint8_t challenge[STORE_DIGEST_SIZE], device[STORE_DIGEST_SIZE];
	uint8_t nonce[STORE_DIGEST_SIZE], holder[STORE_DIGEST_SIZE];
};

void store_digest_request(const struct store *s, const struct store_request *r, struct request_ids *ids);

/* The first parameters of admit, issue and pend, and the one that follows in the latter two. */
void store_add_request(struct call *call, const struct store_request *r, const struct request_ids *ids);
void store_add_until(struct call *call, const struct store_request *r);

/* Verdict, certificate and reason, from columns 0, der_column and reason_column (-1: none). */
void store_take_answer(const PGresult *r, int der_column, int reason_column, struct store_answer *out);

/* A verdict that comes as an exception, from its error; false: it is no verdict. */
bool store_verdict_of(enum err err, struct store_answer *out);

/* A bytea or uuid column in hexadecimal; the caller frees. NULL: NULL or empty. */
char *store_row_hex(const PGresult *r, int row, int column);

/* 40 random bits in lower-case base32 (RFC 4648, section 6): to be typed, not to be secret. */
#define STORE_ID_LENGTH 8
enum err store_make_id(char id[STORE_ID_LENGTH + 1], struct why *why);

/* The id of an issuer's certificate or of an authority. */
void store_public_id(struct bytes of, uint8_t id[32]);

/* Refuses to work without a pepper: CONFIG. */
enum err store_need_pepper(const struct store *s, struct why *why);

#endif
