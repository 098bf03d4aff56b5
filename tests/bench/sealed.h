/* Requests of 1 MiB that are signed and sealed as they should be, with something inside that takes long: for bench_hostile. */
#ifndef TESTS_BENCH_SEALED_H
#define TESTS_BENCH_SEALED_H

#include "pki/key.h"

struct sealed {
	const char *name;
	void (*make)(const struct key *device, struct buf *plain);	/* what the envelope holds */
};

extern const struct sealed sealed_list[];
extern const size_t sealed_count;

#endif
