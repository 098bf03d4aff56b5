/* FastCGI requests of one listening socket, read through libfcgi: the only file that knows that library. */
#ifndef SERVER_FCGI_H
#define SERVER_FCGI_H

#include <signal.h>

#include "server/http.h"

struct fcgi;

/*
 * Makes a reader of `listener`, which becomes non-blocking. One per process, after the last fork. The signals that end or reload
 * this process must be blocked by now: they are delivered while fcgi_serve waits for a connection, never inside a request.
 */
struct fcgi *fcgi_open(int listener, const struct http_limits *limits);
void fcgi_close(struct fcgi *f);	/* NULL is allowed; leaves the listener open */

enum fcgi_event {
	FCGI_SERVED,	/* a connection was taken and answered, or dropped */
	FCGI_NONE,	/* nothing: another process took it, a signal came, or nobody within the time */
	FCGI_BROKEN	/* the listener cannot be used any more */
};

/* Waits with `mask` as signal mask for a connection (timeout_ms; -1: for ever), reads its request, has it answered and closes it. */
enum fcgi_event fcgi_serve(struct fcgi *f, const sigset_t *mask, int timeout_ms, http_handler handle, void *ctx);

#endif
