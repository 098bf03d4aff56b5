/* Messages that a stranger could send to keep a decoder busy, 1 MiB each: for the bench that times them and the test that counts. */
#ifndef TESTS_BENCH_HOSTILE_H
#define TESTS_BENCH_HOSTILE_H

#include "base/buf.h"

struct hostile {
	const char *name;
	void (*make)(struct buf *out);
	bool passes;		/* the guard lets it pass: it is the decoder's turn */
};

extern const struct hostile hostile_list[];
extern const size_t hostile_count;

#endif
