/* What a web hook and a command are asked, and what they answer, as JSON: doc/HOOKS.md has the schema of both. */
#ifndef AUTH_HOOK_JSON_H
#define AUTH_HOOK_JSON_H

#include <time.h>

#include "auth/values.h"
#include "pki/cert.h"
#include "pki/csr.h"

#define HOOK_VERSION 1
#define HOOK_ANSWER_MAX ((size_t)64 << 10)	/* as much as is taken off the wire; what auth/json.h reads */
#define HOOK_REASON_MAX 200	/* octets that are kept of a reason */

/* One question. Texts are UTF-8. */
struct hook_event {
	const char *id;			/* of this question: the same when it is asked again after a failure */
	bool judges;			/* role challenge: is told the challenge */
	const char *profile, *transaction, *source, *message;
	bool light;			/* a bare PKCS#10 */
	time_t time;
	const char *subject, *device;
	const struct csr *csr;
	struct key_kind key;		/* of the CSR */
	const struct cert *renews;	/* NULL: no renewal */
	const char *accepted_by;	/* who has said yes; NULL: nobody yet */
	const struct cert *tls_client;	/* the TLS client's certificate; NULL: none */
	const struct values *values;	/* what the others know of the device */
};

/* Where it is not the hook that judges the challenge, the CSR's holds '*' in its place. */
void hook_event_write(const struct hook_event *e, struct buf *out);

enum hook_decision { HOOK_ALLOW, HOOK_DENY, HOOK_PENDING };

struct hook_answer {
	enum hook_decision decision;
	char reason[HOOK_REASON_MAX + 1];	/* without control characters; "": none given */
};

/* Strict: an answer is this or an error. Its values become SOURCE.NAME; none is added on failure. Error: HOOK. */
enum err hook_answer_read(struct bytes json, const char *source, struct values *values, struct hook_answer *out, struct why *why);

#endif
