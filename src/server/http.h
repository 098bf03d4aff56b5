/* One HTTP exchange as the web server hands it over (RFC 3875 variables), and the answer. */
#ifndef SERVER_HTTP_H
#define SERVER_HTTP_H

#include <time.h>

#include "base/buf.h"
#include "base/err.h"

/* The value of an RFC 3875 variable, the first where there are several; NULL: not there. *twice, unless NULL: there are several. */
typedef const char *(*http_var)(void *ctx, const char *name, bool *twice);

/* Borrowed from whoever read it; valid during one request. No field is NULL (absent is ""). */
struct http_req {
	const char *method;		/* REQUEST_METHOD */
	const char *path;		/* SCRIPT_NAME and PATH_INFO joined (else REQUEST_URI), percent-decoded once; "" when malformed */
	struct bytes query;		/* QUERY_STRING, still encoded */
	const char *content_type;	/* CONTENT_TYPE */
	const char *peer;		/* REMOTE_ADDR */
	const char *if_none_match;	/* HTTP_IF_NONE_MATCH */
	const char *user;		/* REMOTE_USER: whom the web server has authenticated; never a header; "" when there are two */
	const char *accept;		/* HTTP_ACCEPT */
	const char *origin, *host;	/* HTTP_ORIGIN and HTTP_HOST: where a browser's request comes from, and goes to */
	struct bytes body;
	enum err err;			/* what went wrong while it was read (BODY_LARGE, BODY_CUT, TIMEOUT, QUERY_LONG), or OK */
	http_var var;			/* for variables that few requests are about */
	void *vars;			/* its ctx */
};

struct http_resp {
	int status;
	const char *type;		/* Content-Type, static */
	const char *allow;		/* Allow header, NULL: none */
	const char *authenticate;	/* WWW-Authenticate header, which every 401 has (RFC 9110, 15.5.2), NULL: none */
	int retry_after;		/* seconds; 0: no such header */
	bool head;			/* answers a HEAD: Content-Length as for GET, and no body */
	long max_age;			/* seconds that caches may keep it; 0: not at all */
	time_t modified;		/* with max_age: Last-Modified */
	char etag[40];			/* with max_age: quoted */
	struct buf body;
};

/* What a request may cost. */
struct http_limits {
	size_t max_body, max_query;	/* octets */
	long read_timeout_ms;		/* for the whole request, however it trickles in */
	long write_timeout_ms;		/* for the whole answer */
};

/* Answers one request; the caller frees resp->body. */
typedef void (*http_handler)(void *ctx, const struct http_req *req, struct http_resp *resp);

/* An http_var for a list of "NAME=value", which ends with NULL; ctx is its address. */
const char *http_var_in(void *envp, const char *name, bool *twice);

/* Fills `req`, all but the body, from the variables; `path` owns req->path. req->err is QUERY_LONG or OK. */
void http_req_read(http_var var, void *ctx, const struct http_limits *limits, struct buf *path, struct http_req *req);

/*
 * CONTENT_LENGTH as servers send it: absent, "" and digits (RFC 3875, 4.1.2). *known is false when there is none.
 * False when it is something else.
 */
bool http_content_length(const char *text, bool *known, size_t *n);

/* What reading a body to its end has shown: BODY_LARGE, BODY_CUT (not the announced length) or OK. */
enum err http_body_check(const char *content_length, size_t got, const struct http_limits *limits);

/* The CGI response header block for `resp`: Status, Content-Type, Content-Length, Cache-Control: no-store (P-22) and the rest. */
void http_head_write(const struct http_resp *resp, struct buf *out);

/* A short text answer for an error, from its row; 503 carries Retry-After. Never quotes the request. */
void http_resp_error(enum err err, struct http_resp *resp);

#endif
