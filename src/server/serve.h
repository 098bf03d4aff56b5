/* scep.fcgi from its options to its exit status: which way it was started, and what runs then. */
#ifndef SERVER_SERVE_H
#define SERVER_SERVE_H

#include <stdbool.h>

#define SERVE_EXIT_USAGE 64	/* EX_USAGE, as argp's */
#define SERVE_EXIT_CONFIG 78	/* EX_CONFIG: no use in starting it again unchanged */

struct serve_options {
	const char *conf;	/* --conf; NULL: $SCEPTER_CONF or the default */
	const char *listen;	/* --listen; NULL: find out */
	unsigned workers;	/* --workers; 0: as configured */
};

/* Serves as the way it was started wants; returns the exit status. */
int serve(const struct serve_options *options);

/* --check: prints everything that is wrong with the configuration and all it names; 0 or 1. */
int serve_check(const struct serve_options *options);

#endif
