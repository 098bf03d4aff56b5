/*
 * The web hook's wire: one POST, signed, over TLS that is always verified, within one deadline. Bodies are octets here; auth/hook_json.h has what
 * they say.
 */
#ifndef AUTH_WEBHOOK_H
#define AUTH_WEBHOOK_H

#include <time.h>

#include "base/buf.h"
#include "conf/hook_conf.h"
#include "base/err.h"

/* A profile's web hook, loaded. */
struct webhook;

/* Reads the secret, looks at the files. Errors: FILE, CONFIG, CERT, SYNTAX; *key: the setting that it is about. `why` is not NULL. */
enum err webhook_load(const struct webhook_conf *conf, struct webhook **out, const char **key, struct why *why);
void webhook_free(struct webhook *hook);	/* NULL is allowed */

/* A process's connections to all web hooks, kept open between requests. Belongs to one process: open after fork. Costs nothing until it is used. */
struct web;

struct web *web_open(void);
void web_close(struct web *web);	/* NULL is allowed */

/*
 * Posts `body` and gives the body of an answer with a status 2xx. id: the Idempotency-Key, the same in every attempt. Error: HOOK (no connection,
 * no trust, too late, another status, larger than HOOK_ANSWER_MAX).
 */
enum err webhook_post(struct web *web, const struct webhook *hook, const char *id, struct bytes body, struct buf *answer, struct why *why);

/* The value of X-Scepter-Signature: "t=1800000000,v1=" and HMAC-SHA256 of "1800000000." and the body, in hex. */
void webhook_sign(struct bytes secret, time_t now, struct bytes body, struct buf *out);

#endif
