/* What holds a request back in the database: nonces, and limits of so many in so much time. */
#ifndef STORE_LIMIT_H
#define STORE_LIMIT_H

#include <time.h>

#include "base/buf.h"

/* What may be used once, and by its holder only so often: the nonce of a signed challenge. Kept until `until`, logged, never UNLOGGED. */
struct store_once {
	struct bytes nonce;		/* n == 0: none */
	time_t until;			/* when it expires by itself: no need to remember it longer */
	struct bytes holder;		/* whose; n == 0: not counted */
	int most;			/* so many by one holder ... */
	int window_s;			/* ... within so many seconds, sliding; 0: any number */
};

enum store_rate_when { RATE_ALWAYS, RATE_ACCEPTED, RATE_REFUSED };	/* which requests count: all, those whose challenge is right, those whose is wrong */

/*
 * A sliding window that all workers and hosts share. Of two with the same kind, thing and window only one may be in a list. store_admit counts those
 * of RATE_ALWAYS and RATE_ACCEPTED; those of RATE_REFUSED it only holds against their limits: whether a renewal makes up for a wrong challenge is
 * not known there, so store_refuse counts them.
 */
struct store_rate {
	enum store_rate_when when;
	const char *kind;		/* "source", "device", "profile", "source of wrong challenges": goes into the key and the sentence */
	const char *of;			/* what is counted, as text: an address, a device */
	int most, window_s;		/* so many in so many seconds */
};

#endif
