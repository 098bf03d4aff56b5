/* The process that serves nothing itself: it keeps the listener open and the workers running. */
#ifndef SERVER_MASTER_H
#define SERVER_MASTER_H

#include <stdbool.h>

#define MASTER_WORKERS_MAX 1024
#define MASTER_EXIT_CONFIG 78	/* a worker's status (EX_CONFIG): it cannot work as configured; tried again seldom */

struct master_ops {
	int (*work)(void *ctx, int listener);	/* in a fresh child: serves until told to stop; gives its exit status */
	bool (*reload)(void *ctx);		/* SIGHUP: makes a new configuration current, or says why not and keeps the old */
	unsigned (*workers)(void *ctx);		/* how many there should be: 1 to MASTER_WORKERS_MAX */
};

/*
 * Forks the workers and minds them until SIGTERM: the dead are replaced, SIGHUP reloads (new workers start, old ones finish their request and
 * go), SIGTERM drains, with SIGKILL for stragglers before mod_fcgid would send it. worker_signals() was called. Returns the exit status.
 */
int master_run(const struct master_ops *ops, void *ctx, int listener);

#endif
