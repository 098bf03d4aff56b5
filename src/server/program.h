/*
 * A program that answers FastCGI, from its options to its exit status: which way it was started, and what runs then. What differs from
 * one such program to the other is in a struct program.
 */
#ifndef SERVER_PROGRAM_H
#define SERVER_PROGRAM_H

#include <time.h>

#include "base/log.h"
#include "base/problems.h"
#include "server/http.h"

#define PROGRAM_EXIT_USAGE 64	/* EX_USAGE, as argp's */
#define PROGRAM_EXIT_CONFIG 78	/* EX_CONFIG: no use in starting it again unchanged */

/* What the configuration says about serving; the strings are the configuration's. */
struct program_settings {
	struct http_limits limits;
	const char *listen;	/* NULL: nowhere by itself */
	unsigned listen_mode;
	long workers;		/* 0: one per processor, one where a web server starts us */
	bool syslog;
	enum log_level log_level;
	unsigned profiles;	/* how many it serves, for systemd's status line; 0: it does not serve by profiles */
};

struct program {
	const char *name;	/* in the log: "scep.fcgi" */
	const char *doc;	/* for --help */
	const char *how;	/* how to start it, for somebody who has started it in no way that makes sense */
	/* Loads what it serves with, without touching the database; NULL when there is an error among the problems. before: what a reload
	 * replaces; NULL at start. */
	void *(*load)(const char *conf_file, time_t now, const void *before, struct problems *problems);
	void (*free)(void *loaded);					/* NULL is allowed */
	void (*settings)(const void *loaded, struct program_settings *out);
	enum err (*open)(void *loaded, struct why *why);		/* after the last fork: what belongs to one process */
	bool (*check)(const char *conf_file, time_t now, struct problems *problems);	/* --check: loads, opens and asks */
	void (*report)(const void *loaded);				/* logs what is going to be served; NULL: nothing to say */
	http_handler handle;						/* its ctx is what load gave; so is tend's */
	void (*tend)(void *loaded);					/* see worker.h; NULL: nothing to tend */
};

/* The program's main. */
int program_main(const struct program *program, int argc, char **argv);

#endif
