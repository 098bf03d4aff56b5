/*
 * The verbs of the command line, in one table (admin/verbs.c). Each verb lives in its own file and parses its options with
 * admin/opts.h, so that --help comes with it.
 */
#ifndef ADMIN_VERB_H
#define ADMIN_VERB_H

#include "base/err.h"

/* Exit codes, documented in scepter(1). */
enum exit_code {
	EXIT_OK = 0,
	EXIT_FAILED = 1,	/* the operation was refused or failed; the reason is on stderr */
	EXIT_USAGE = 2,		/* wrong options */
	EXIT_CONFIG = 3,	/* configuration, key or database not usable */
	EXIT_PENDING = 4	/* enroll: the request waits for approval */
};

struct verb {
	const char *name;	/* "ca init", "enroll" */
	const char *summary;	/* one line for `scepter help` */
	int (*run)(int argc, char **argv);	/* argv[0] is "scepter NAME"; returns an enum exit_code */
};

extern const struct verb verbs[];	/* ends with a NULL name */

/* Finds the verb that the command line names and runs it; returns the exit code. */
int verbs_main(int argc, char **argv);

/* Says on stderr why a verb ends, and returns the exit code for it: EXIT_CONFIG when our side is broken, else EXIT_FAILED. */
int verb_failed(const struct why *why);

/* Says on stderr what is wrong with the options and how to get help; returns EXIT_USAGE. */
int verb_misused(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* A remark on stderr for a human: not a result, not an error. */
void verb_note(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
