#include "store/wait.h"

#include <errno.h>
#include <poll.h>
#include <time.h>

int64_t clock_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

bool wait_socket(int fd, short events, int64_t deadline)
{
	struct pollfd pfd = {.fd = fd, .events = events};
	int64_t left;
	int r;

	do {
		left = deadline - clock_ms();
		if (left <= 0)
			return false;
		r = poll(&pfd, 1, left > INT32_MAX ? INT32_MAX : (int)left);
	} while (r == 0 || (r < 0 && errno == EINTR));
	return true;
}

bool wait_back_off(int attempt, int64_t deadline)
{
	struct timespec ts;
	int64_t ms, left;

	clock_gettime(CLOCK_MONOTONIC, &ts);	/* its nanoseconds are random enough to part company by */
	ms = attempt < 4 ? 20L << attempt : 300;
	ms = ms / 2 + ts.tv_nsec / 1000 % (ms / 2 + 1);
	left = deadline - clock_ms();
	if (left <= ms)
		return false;
	ts = (struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
	while (nanosleep(&ts, &ts) != 0 && errno == EINTR)
		;
	return true;
}
