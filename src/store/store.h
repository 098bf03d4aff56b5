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

/* Never connects; the first call does. The conf's strings and pepper are copied. */
struct store *store_open(const struct store_conf *conf);
void store_close(struct store *s);	/* NULL is allowed */

/* Keyed digest of a labelled value: what the database holds in place of secrets and transaction ids. */
void store_digest(const struct store *s, const char *label, struct bytes value, uint8_t out[STORE_DIGEST_SIZE]);

/* A serial number: 32-bit time prefix, 96 random bits; positive, no leading zero octet. Error: INTERNAL (no randomness). */
enum err store_serial(time_t now, uint8_t out[STORE_SERIAL_SIZE], struct why *why);

/* --- one enrolment: admit before the CA's key work, record after it ------------------------------------------------ */

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

/* --- audit -------------------------------------------------------------------------------------------------------- */

struct store_event {
	const char *kind;		/* "refuse", "challenge.new", ...: at most 40 characters */
	const char *profile;		/* NULL: none */
	const char *reason;		/* an error's label, or "" */
	const char *actor;		/* who: address or operator */
	const char *txid;		/* printable; NULL: none */
	const char *detail;		/* a sentence; never a secret */
};

enum err store_audit(struct store *s, const struct store_event *e, struct why *why);

/*
 * Housekeeping, for any process to call every hour or so: removes up to `limit` expired requests and as many old challenges, makes the
 * partitions of coming years. When *removed reaches `limit` there may be more to remove.
 */
enum err store_maintain(struct store *s, int limit, int *removed, struct why *why);

/* --- operators ---------------------------------------------------------------------------------------------------- */

struct store_challenge {
	char *id;			/* short public name of a challenge: what list prints and revoke takes */
	char *profile, *subject, *device;	/* NULL: any */
	char *created_by;
	time_t created, expires, consumed;	/* consumed 0: never */
	int uses_left;
	bool revoked;
};

/* Stores the digest of `secret`, bound as `c` says (profile, subject, device, expires, uses_left, created_by); sets c->id (the caller
 * frees) and writes the audit row. Errors: CONFLICT, DB. */
enum err store_challenge_add(struct store *s, struct bytes secret, struct store_challenge *c, struct why *why);
/* profile NULL: all. all: also used, expired and revoked ones. *list is freed with store_challenge_list_free. */
enum err store_challenge_list(struct store *s, const char *profile, bool all, struct store_challenge **list, size_t *n,
    struct why *why);
void store_challenge_list_free(struct store_challenge *list, size_t n);
enum err store_challenge_revoke(struct store *s, const char *id, const char *actor, struct why *why);	/* NOT_FOUND */

struct store_cert_row {
	char *serial;			/* hex */
	char *profile, *subject, *sans, *device, *txid, *requester, *fingerprint;
	time_t issued, not_before, not_after;
	bool revoked;
	time_t revoked_at;		/* may lie in the future; 0: not revoked */
	int reason;			/* RFC 5280, 5.3.1 */
	struct buf der;			/* empty in lists */
};

struct store_cert_filter {		/* NULL and 0: any */
	const char *profile;
	const char *subject_like;	/* part of the subject, or a LIKE pattern when it has a '%'; case does not matter */
	const char *device;		/* exactly */
	time_t expires_before;
	int limit;			/* newest first */
};

enum err store_cert_list(struct store *s, const struct store_cert_filter *f, struct store_cert_row **list, size_t *n, struct why *why);
enum err store_cert_show(struct store *s, const char *serial_hex, struct store_cert_row **out, struct why *why);	/* NOT_FOUND */
void store_cert_list_free(struct store_cert_row *list, size_t n);

/* --- schema ------------------------------------------------------------------------------------------------------- */

struct store_status {
	int version;			/* 0: no schema yet */
	int newest;			/* what this program carries */
	int server_version;		/* PostgreSQL's, e.g. 150018 */
	long n_certs, n_challenges;	/* estimates are fine for large tables */
};

/* Creates roles (scep_owner, scep_responder, scep_admin; NOLOGIN groups) and schema in the database that conninfo names; made to be
 * repeated. Then migrates, and remembers a digest of the pepper (if there is one) for store_check. Needs a superuser, or CREATEROLE and a
 * database of one's own. */
enum err store_init(struct store *s, struct why *why);
/* Makes a login role a member of a group, and makes it when it is missing. Made to be repeated. Needs what store_init needs. */
enum store_role { STORE_RESPONDER, STORE_ADMIN };
enum err store_grant(struct store *s, const char *role, enum store_role group, struct why *why);
/* Applies what is missing, under a lock; *from and *to are versions. */
enum err store_migrate(struct store *s, int *from, int *to, struct why *why);
enum err store_status(struct store *s, struct store_status *out, struct why *why);
/* For start-up: reachable, the schema is what this program needs, the role may enrol, the pepper is the right one. Errors: DB and CONFIG,
 * with a sentence that names the remedy. */
enum err store_check(struct store *s, struct why *why);

#endif
