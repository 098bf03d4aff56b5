/* The responder's way through the database: admit before the CA's key does any work, issue after it, poll. */
#ifndef STORE_ENROL_H
#define STORE_ENROL_H

#include "store/limit.h"
#include "store/store.h"

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
	const char *const *sans;	/* requested names as "dns:a.example", NULL-terminated, for challenges bound to names; NULL: none */
	struct store_once once;		/* spent as a challenge is */
	int max_active;			/* valid certificates of this device in this profile, with the new one; 0: any number */
	bool revoke_oldest;		/* too many: the oldest are revoked as superseded; else MAX_ACTIVE refuses */
	struct bytes signer_cert;	/* with old_serial, DER: a request that the certificate may authorise counts as accepted */
	bool refused;			/* store_admit: the caller has refused its challenge already */
	const struct store_rate *rates;	/* store_admit: counted and held against their limits; see struct store_rate */
	size_t n_rates;
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
	STORE_QUEUE_FULL,		/* store_pend: too many wait already */
	STORE_THROTTLED,		/* store_admit: over a limit, `why` says which; retry_after */
	STORE_REPLAY,			/* the nonce was used, `why` says when */
	STORE_HOLDER_LIMIT,		/* too many nonces of this holder */
	STORE_MAX_ACTIVE		/* store_issue: too many valid certificates */
};

struct store_answer {
	enum store_verdict verdict;
	struct buf cert;		/* DER, with ISSUED */
	char *reason;			/* with REJECTED: what the operator said, or NULL */
	char *subject;			/* of store_poll: the request's */
	struct buf secret;		/* with APPROVED, and of store_poll with ISSUED for a key that is not RSA: what store_pend was given */
	const struct store_rate *limit;	/* with THROTTLED: which of the request's ... */
	int retry_after;		/* ... seconds until it has room again */
	bool first;			/* with THROTTLED: nobody else was turned away in this window before */
	char **values;			/* of store_admit, with GO_ON by a challenge: "name", "text" in turn that it carries, "id" first; NULL-terminated; NULL: none */
	struct store_old old;		/* of store_admit, with GO_ON and CHALLENGE */
};

void store_answer_free(struct store_answer *a);

/* Changes nothing but what r->rates count. The error is DB; every verdict, refusal included, is ERR_OK with the reason in `why` where there is one. */
enum err store_admit(struct store *s, const struct store_request *r, struct store_answer *out, struct why *why);

struct store_cert {			/* what was signed */
	uint8_t serial[STORE_SERIAL_SIZE];
	struct bytes issuer;		/* the CA certificate's DER */
	struct bytes authority;		/* its subject and key, which outlive it: see store/crl.h; n == 0: the certificate stands for them */
	struct bytes der;
	time_t not_before, not_after;
	const char *subject;		/* where a template made another than the request's; NULL: that */
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

#endif
