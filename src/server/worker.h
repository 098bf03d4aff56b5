/* The process that serves: one request after the other, until a signal comes between two. */
#ifndef SERVER_WORKER_H
#define SERVER_WORKER_H

#include "server/http.h"

enum worker_end {
	WORKER_STOP,	/* SIGTERM, SIGINT or SIGUSR1 */
	WORKER_RELOAD,	/* SIGHUP */
	WORKER_BROKEN	/* the listener is not usable */
};

/*
 * Blocks the signals that end or reload a process and installs their handlers. First thing in main: from then on none is lost, and none
 * can cut a request short. Masters take them with sigtimedwait, workers in ppoll.
 */
void worker_signals(void);

struct worker_ops {
	http_handler handle;
	void (*tend)(void *ctx);	/* between requests, every few seconds at least; NULL: nothing to tend */
};

/* Serves the listener's requests until a signal arrived; a request under way is finished first. */
enum worker_end worker_loop(int listener, const struct http_limits *limits, const struct worker_ops *ops, void *ctx);

#endif
