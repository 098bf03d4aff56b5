/* What has to be done without anybody asking: CRLs that get old or wait for an entry, and housekeeping in the database. */
#ifndef CA_TEND_H
#define CA_TEND_H

#include "ca/site.h"

/* When what is due in this process; {0} before the first time. */
struct tend {
	time_t crl, maintain;
	unsigned failures;	/* in a row: they make the next attempt later */
};

/* What was done, for the log. */
struct tend_done {
	long crl_number;	/* of the CRL that was signed; 0: none */
	const char *profile;	/* whose CA's it is */
	int removed;		/* rows of the database; 0: none */
};

/*
 * Does what is due at `now`: one query for each CA, and housekeeping every hour or so. Any number of processes may do it at the same time. Errors:
 * DB, CA_KEY.
 */
enum err tend_site(const struct site *site, time_t now, struct tend *when, struct tend_done *out, struct why *why);

#endif
