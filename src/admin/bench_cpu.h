/* What processes cost, from /proc: CPU of a process and all its descendants, memory of each. */
#ifndef ADMIN_BENCH_CPU_H
#define ADMIN_BENCH_CPU_H

#include <stddef.h>
#include <sys/types.h>

#include "base/err.h"

#define BENCH_MAX_PROCS 512

struct bench_proc {
	pid_t pid;
	long pss_kib;		/* proportional set size; -1: not readable */
};

/*
 * CPU seconds so far of `pid`, its descendants, and those of them that have ended and been waited for: of two readings only the
 * difference means something. Error: CONFIG (no such process).
 */
enum err bench_cpu_read(pid_t pid, double *seconds, struct why *why);

/* `pid` and its descendants with their memory, at most `max`; returns how many. */
size_t bench_procs(pid_t pid, struct bench_proc *out, size_t max);

#endif
