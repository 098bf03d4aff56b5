/* Requests that wait for an operator (RFC 8894, 2.5: PENDING): queued by the responder, decided by people. */
#ifndef STORE_REQUEST_H
#define STORE_REQUEST_H

#include "store/enrol.h"

struct store_pend {		/* what is kept of a request besides what identifies it */
	struct bytes secret;	/* what signing it later needs; encrypted with a key made of the pepper before it is stored */
	const char *sans;	/* text, "" for none */
	const char *key;	/* "RSA 2048" */
	const char *requester;
	int approvals;		/* by so many different people */
	int64_t keep_s;		/* then it expires */
	int most;		/* so many may wait in the profile */
};

/*
 * Queues the request and consumes its challenge. verdict: PENDING, or what is known of the request already, or a refusal; QUEUE_FULL with the
 * sentence in `why`. Error: DB.
 */
enum err store_pend(struct store *s, const struct store_request *r, const struct store_pend *p, struct store_answer *out,
    struct why *why);

enum store_request_state { REQUEST_PENDING, REQUEST_APPROVED, REQUEST_ISSUED, REQUEST_REJECTED, REQUEST_EXPIRED };

struct store_request_row {
	char *id, *profile, *subject, *sans, *key, *device, *txid, *requester;
	char *reason;		/* why it was rejected; NULL: none given */
	char *approved_by;	/* NULL: nobody yet */
	char *serial;		/* hex, of the certificate; NULL: none */
	enum store_request_state state;
	time_t created, expires;
	int approvals;		/* needed */
};

/* profile, id NULL: any. all: decided and expired ones too. Freed with store_request_list_free. */
enum err store_request_list(struct store *s, const char *profile, const char *id, bool all, struct store_request_row **list, size_t *n,
    struct why *why);
void store_request_list_free(struct store_request_row *list, size_t n);

/* One person's decision; *final: nobody else has to approve. Errors: NOT_FOUND, CONFLICT (decided, expired, approved by this person before). */
enum err store_request_decide(struct store *s, const char *id, bool approve, const char *actor, const char *reason, bool *final,
    struct why *why);

#endif
