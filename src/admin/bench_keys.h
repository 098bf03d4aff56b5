/* The CPU of the private-key operations that one enrolment needs, measured on a profile's own keys. */
#ifndef ADMIN_BENCH_KEYS_H
#define ADMIN_BENCH_KEYS_H

#include "ca/profile.h"

/* CPU seconds of one operation each. */
struct bench_key_cost {
	double unwrap;		/* the RA's key opens the request */
	double ca_sign;		/* the CA's key signs the certificate */
	double ra_sign;		/* the RA's key signs the answer */
};

/* Repeats each for about half a second of CPU. Errors: KEY, CA_KEY. */
enum err bench_keys_measure(const struct profile *p, struct bench_key_cost *out, struct why *why);

#endif
