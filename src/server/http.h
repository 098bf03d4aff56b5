/* One HTTP exchange as the web server hands it over (RFC 3875 variables), and the answer. */
#ifndef SERVER_HTTP_H
#define SERVER_HTTP_H

#include "base/buf.h"
#include "base/err.h"

/* Borrowed from whoever read it; valid during one request. No field is NULL (absent is ""). */
struct http_req {
	const char *method;		/* REQUEST_METHOD */
	const char *path;		/* SCRIPT_NAME and PATH_INFO joined, percent-decoded once */
	struct bytes query;		/* QUERY_STRING, still encoded */
	const char *peer;		/* REMOTE_ADDR */
	struct bytes body;
	enum err err;			/* what went wrong while it was read (BODY_LARGE, BODY_CUT, TIMEOUT, QUERY_LONG), or OK */
};

struct http_resp {
	int status;
	const char *type;		/* Content-Type, static */
	const char *allow;		/* Allow header, NULL: none */
	int retry_after;		/* seconds; 0: no such header */
	struct buf body;
};

/* The CGI response header block for `resp`: Status, Content-Type, Content-Length, Cache-Control: no-store (P-22) and the rest. */
void http_head_write(const struct http_resp *resp, struct buf *out);

/* A short text answer for an error, from its row; 503 carries Retry-After. Never quotes the request. */
void http_resp_error(enum err err, struct http_resp *resp);

#endif
