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

struct store_request {			/* identifies a request (P-138 to P-140) */
	const char *profile;
	struct bytes txid;		/* as received */
	struct bytes digest_of;		/* what makes it the same request: the caller's canonical bytes (type, signer key, CSR) */
	struct bytes signer_spki;	/* who may poll for it */
	struct bytes challenge;		/* one-time challenge to check and consume; n == 0: none */
	const char *device;		/* device id */
	const char *subject;		/* RFC 4514 text */
	struct bytes old_serial;	/* of the signer's certificate, when it may be one of ours; n == 0: none */
	bool revoke_old;		/* store_issue: revoke it as superseded ... */
	int revoke_old_after;		/* ... in so many seconds */
};

/* The certificate called old_serial, as it is stored. */
struct store_old {
	struct buf cert;		/* DER; empty: there is none */
	char *profile;
	bool revoked;
};

enum store_verdict {
	STORE_GO_ON,			/* nothing known of it: go on */
	STORE_ISSUED,			/* already issued: `cert` is its certificate */
	STORE_PENDING,			/* waits for approval */
	STORE_REJECTED,			/* was rejected by an operator */
	STORE_OTHER_PENDING,		/* another request is pending under this transaction id */
	STORE_CHALLENGE,		/* challenge refused: `why` says how (unknown, expired, used, bound to ...) */
	STORE_OLD_REVOKED,		/* store_issue: old_serial was revoked meanwhile */
	STORE_APPROVED,			/* operators approved it: to be signed now */
	STORE_QUEUE_FULL		/* store_pend: too many wait already */
};

struct store_answer {
	enum store_verdict verdict;
	struct buf cert;		/* DER, with ISSUED */
	char *reason;			/* with REJECTED: what the operator said, or NULL */
	char *subject;			/* of store_poll: the request's */
	struct buf secret;		/* of store_poll, with APPROVED, and with ISSUED for a key that is not RSA: what store_pend was given */
	struct store_old old;		/* of store_admit, with GO_ON and CHALLENGE */
};

void store_answer_free(struct store_answer *a);

/* Reads only. The error is DB; every verdict, refusal included, is ERR_OK with the reason in `why` where there is one. */
enum err store_admit(struct store *s, const struct store_request *r, struct store_answer *out, struct why *why);

struct store_cert {			/* what was signed */
	uint8_t serial[STORE_SERIAL_SIZE];
	struct bytes issuer;		/* the CA certificate's DER */
	struct bytes authority;		/* its subject and key, which outlive it: see store/crl.h; n == 0: the certificate stands for them */
	struct bytes der;
	time_t not_before, not_after;
	const char *sans;		/* text, "" for none */
	struct bytes spki;
	const char *requester;		/* where it came from: address, TLS client, authenticator */
};

/*
 * Everything or nothing: idempotency row, challenge consumed, device, certificate, audit row. verdict: GO_ON (recorded: send ours), ISSUED
 * (somebody was first: send `cert`, drop ours), or a refusal. A lost connection is retried with the same arguments once; if the outcome
 * stays unknown the error is DB and the client's own retry finds out.
 */
enum err store_issue(struct store *s, const struct store_request *r, const struct store_cert *c, struct store_answer *out,
    struct why *why);

/* CertPoll: the newest request of this transaction signed by this key. GO_ON: there is none. */
enum err store_poll(struct store *s, const char *profile, struct bytes txid, struct bytes signer_spki, struct store_answer *out,
    struct why *why);

/*
 * Housekeeping, for any process to call every hour or so: removes up to `limit` expired requests and as many old challenges, makes the
 * partitions of coming years. When *removed reaches `limit` there may be more to remove.
 */
enum err store_maintain(struct store *s, int limit, int *removed, struct why *why);

#endif
