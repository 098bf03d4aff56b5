/* Several processes that do the same thing at the same time, each with its own store, and memory that they share. */
#ifndef TESTS_CREW_H
#define TESTS_CREW_H

#include <stdbool.h>
#include <stddef.h>

#define CREW 16

/* Zeroed memory shared with all crews started later. */
void *crew_memory(size_t size);

/* Starts `n` processes (at most CREW) that run `work` with their number; a failed assertion or a crash there counts in crew_wait. */
void crew_start(int n, void (*work)(int number));
void crew_start_with_us(int n, void (*work)(int number));	/* the caller counts as one of them in crew_together */
void crew_together(void);	/* called by all of a crew: returns when the last one has come */
int crew_wait(void);		/* the number of processes that did not end well */

#endif
