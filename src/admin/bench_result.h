/* What `scepter bench` found out, and how it is told. */
#ifndef ADMIN_BENCH_RESULT_H
#define ADMIN_BENCH_RESULT_H

#include <json-c/json_object.h>

#include "admin/bench_cpu.h"
#include "admin/bench_keys.h"
#include "admin/bench_load.h"

struct bench_result {
	size_t n, ok, pending, refused, broken;	/* broken: no answer, or one that does not stand the check */
	struct why first;			/* of the first request that was not ok */
	double seconds;
	double p50, p95, p99, slowest;		/* seconds, of the requests that were ok */
	double responder_cpu, postgres_cpu;	/* seconds altogether; < 0: not asked for */
	bool has_keys;
	struct bench_key_cost keys;
	struct bench_proc procs[BENCH_MAX_PROCS];
	size_t n_procs;
};

/* Checks every answer as `scepter enroll` does, and that no two certificates have one serial; fills the counts and latencies. */
void bench_check(const struct bench_load *load, const struct client_server *server, struct bench_result *out);

struct json_object *bench_result_json(const struct bench_result *r);

#endif
