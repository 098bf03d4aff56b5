/*
 * The verbs of the command line, in one table (admin/verbs.c). Each verb lives in its own file and parses its options with argp, so
 * that --help comes with it.
 */
#ifndef ADMIN_VERB_H
#define ADMIN_VERB_H

#include <stdbool.h>

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

#endif
