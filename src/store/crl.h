/*
 * CRLs in the database: read what is to be listed, sign outside, publish. Numbers of one authority go up and are never used twice, whoever
 * races, and whatever backup the database was restored from: they are the database's seconds since 1970, or the last one and 1. An authority is a name and a key: its octets here are the CA's subject and
 * SubjectPublicKeyInfo, DER, one after the other.
 */
#ifndef STORE_CRL_H
#define STORE_CRL_H

#include "store/store.h"

/* Makes a CA certificate and its authority known. Made to be repeated. */
enum err store_issuer_add(struct store *s, struct bytes issuer, struct bytes authority, struct why *why);

#define STORE_CRL_NO_OCTETS (-1L)

struct store_crl {
	long number;			/* of the last CRL; 0: none was published yet */
	time_t this_update, next_update;
	bool waits;			/* a revocation is on no CRL yet */
	time_t now;			/* the database's clock, which revocations go by */
	struct buf der;			/* {0} unless its number is not the one known; the caller frees */
};

/* The last CRL. known: the number whose octets the caller has, or STORE_CRL_NO_OCTETS. Error: NOT_FOUND (the authority is not known). */
enum err store_crl_check(struct store *s, struct bytes authority, long known, struct store_crl *out, struct why *why);

/* Sets *taken when the caller is the one to sign the CRL after `number`: others are kept off for so many seconds. */
enum err store_crl_take(struct store *s, struct bytes authority, long number, int seconds, bool *taken, struct why *why);

struct store_crl_entry {
	uint8_t serial[STORE_SERIAL_SIZE];
	time_t revoked, invalid_since;	/* invalid_since 0: not known */
	int reason;
	bool fresh;			/* on no CRL yet */
};

struct store_crl_list {
	long number;			/* that the next CRL gets */
	long after;			/* of the CRL that it comes after; 0: none */
	time_t now;
	struct store_crl_entry *entries;
	size_t n;
};

/* What the next CRL has to list. Freed with store_crl_list_free. Error: NOT_FOUND. */
enum err store_crl_entries(struct store *s, struct bytes authority, struct store_crl_list *out, struct why *why);
void store_crl_list_free(struct store_crl_list *list);

struct store_crl_signed {
	const struct store_crl_list *list;
	time_t this_update, next_update;
	struct bytes der;
	const char *actor;
};

/* *won: this is the CRL of that number now. Otherwise somebody was faster, and this one must be given to nobody. */
enum err store_crl_publish(struct store *s, struct bytes authority, const struct store_crl_signed *crl, bool *won, struct why *why);

#endif
