/* Deadlines: milliseconds of the monotonic clock. */
#ifndef STORE_WAIT_H
#define STORE_WAIT_H

#include <stdbool.h>
#include <stdint.h>

int64_t clock_ms(void);

/* Waits for `events` of poll(2). False when the deadline came first. */
bool wait_socket(int fd, short events, int64_t deadline);

/* Sleeps a random time that grows with `attempt` (20 to 300 ms), so that a fleet does not come back as one. False, without sleeping:
 * the deadline would pass. */
bool wait_back_off(int attempt, int64_t deadline);

#endif
