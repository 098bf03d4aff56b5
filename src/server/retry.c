#include "server/retry.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/random.h>

#define SPAN_MIN_S 10
#define SPAN_MAX_S 600
#define STEP 2654435769u	/* the golden section of 2^32: each next point falls into one of the widest gaps that the ones before have left */

int retry_spread(int seconds)
{
	static bool seeded;
	static uint32_t at;
	int span = seconds < SPAN_MAX_S - SPAN_MIN_S ? seconds + SPAN_MIN_S : SPAN_MAX_S;

	if (!seeded) {		/* else all workers would tell the same times */
		if (getrandom(&at, sizeof(at), GRND_NONBLOCK) != (ssize_t)sizeof(at))
			at = 0;
		seeded = true;
	}
	at += STEP;
	return seconds + (int)((uint64_t)at * (unsigned)span >> 32);
}
