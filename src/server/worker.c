#include "server/worker.h"

#include <signal.h>
#include <stddef.h>

#include "server/fcgi.h"

#define TEND_MS 2000

static volatile sig_atomic_t got_stop, got_reload;

static void handler(int sig)
{
	if (sig == SIGHUP)
		got_reload = 1;
	else
		got_stop = 1;
}

void worker_signals(void)
{
	static const int signals[] = {SIGTERM, SIGINT, SIGUSR1, SIGHUP};
	struct sigaction action = {.sa_handler = handler};	/* no SA_RESTART: ppoll is to return */
	sigset_t block;

	sigemptyset(&block);
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
		sigaddset(&block, signals[i]);
		sigaction(signals[i], &action, NULL);
	}
	sigprocmask(SIG_BLOCK, &block, NULL);
	signal(SIGPIPE, SIG_IGN);
}

/*
 * ppoll delivers a signal only when no connection is ready: in a queue that never gets empty none would ever come through, and the
 * worker would go on with the old configuration.
 */
static void deliver_pending(const sigset_t *none)
{
	sigset_t blocked;

	sigprocmask(SIG_SETMASK, none, &blocked);
	sigprocmask(SIG_SETMASK, &blocked, NULL);
}

enum worker_end worker_loop(int listener, const struct http_limits *limits, const struct worker_ops *ops, void *ctx)
{
	struct fcgi *f = fcgi_open(listener, limits);
	enum fcgi_event event = FCGI_NONE;
	sigset_t none;

	sigemptyset(&none);
	got_reload = 0;
	while (event != FCGI_BROKEN) {
		if (ops->tend != NULL)
			ops->tend(ctx);
		deliver_pending(&none);
		if (got_stop || got_reload)
			break;
		event = fcgi_serve(f, &none, ops->tend != NULL ? TEND_MS : -1, ops->handle, ctx);
	}
	fcgi_close(f);
	if (got_stop)
		return WORKER_STOP;
	return got_reload ? WORKER_RELOAD : WORKER_BROKEN;
}
