/* One request to scep-admin.fcgi, and what answers it. */
#ifndef API_CALL_H
#define API_CALL_H

#include "api/json.h"
#include "api/site.h"
#include "server/http.h"

struct call {
	const struct admin_site *site;
	const struct http_req *req;
	time_t now;
	const char *op;		/* for the log: "challenge.new"; "" before it is known */
	struct bytes id;	/* the last part of the path, where there is one */
	bool plain;		/* the answer is to be text, not JSON */
	char *subject;		/* for the log: the challenge's id; owned */
	struct why why;		/* of an error */
};

/* Answers with `o`, which is freed, or leaves it to the caller to tell the error. */
void call_answer(struct http_resp *resp, int status, struct json_object *o);

/* api/challenges.c. Errors: those of the store, INPUT, FORBIDDEN, NOT_FOUND, CONFLICT. */
enum err challenges_make(struct call *call, struct http_resp *resp);
enum err challenges_list(struct call *call, struct http_resp *resp);
enum err challenges_revoke(struct call *call, struct http_resp *resp);

/* api/route.c: the handler of scep-admin.fcgi; ctx is a struct admin_site. */
void admin_route(void *ctx, const struct http_req *req, struct http_resp *resp);

#endif
