#include "admin/progress.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/time.h>
#include <unistd.h>

#define LINE_MAX_ 200

static struct {
	const char *what;
	volatile sig_atomic_t seconds;
	volatile sig_atomic_t done, total;
	struct sigaction before;
	bool on;
} now;

/* Only what a signal handler may do: no stdio. */
static size_t add_text(char *line, size_t n, const char *text)
{
	while (*text != '\0' && n < LINE_MAX_)
		line[n++] = *text++;
	return n;
}

static size_t add_number(char *line, size_t n, long v)
{
	char digits[24];
	size_t i = sizeof(digits) - 1;

	digits[i] = '\0';
	do {
		digits[--i] = (char)('0' + v % 10);
		v /= 10;
	} while (v > 0);
	return add_text(line, n, digits + i);
}

static void tick(int signum)
{
	char line[LINE_MAX_];
	int saved = errno;
	size_t n = 0;

	(void)signum;
	now.seconds = now.seconds + 1;
	n = add_text(line, n, "\r\033[K");
	n = add_text(line, n, now.what);
	n = add_text(line, n, " ... ");
	if (now.total > 0) {
		n = add_number(line, n, now.done);
		n = add_text(line, n, " of ");
		n = add_number(line, n, now.total);
		n = add_text(line, n, ", ");
	}
	n = add_number(line, n, now.seconds);
	n = add_text(line, n, " s");
	if (write(STDERR_FILENO, line, n) < 0)
		now.total = 0;	/* the terminal went away: nobody is watching */
	errno = saved;
}

static void set_timer(time_t seconds)
{
	struct itimerval t = {.it_interval = {.tv_sec = seconds}, .it_value = {.tv_sec = seconds}};

	setitimer(ITIMER_REAL, &t, NULL);
}

void progress_start(const char *what)
{
	struct sigaction sa = {.sa_handler = tick, .sa_flags = SA_RESTART};

	if (!isatty(STDERR_FILENO))
		return;
	now.what = what;
	now.seconds = now.done = now.total = 0;
	now.on = sigaction(SIGALRM, &sa, &now.before) == 0;
	if (now.on)
		set_timer(1);
}

void progress_count(long done, long total)
{
	now.done = (sig_atomic_t)done;
	now.total = (sig_atomic_t)total;
}

void progress_stop(void)
{
	static const char wipe[] = "\r\033[K";

	if (!now.on)
		return;
	set_timer(0);
	sigaction(SIGALRM, &now.before, NULL);
	now.on = false;
	if (now.seconds > 0 && write(STDERR_FILENO, wipe, sizeof(wipe) - 1) < 0)
		now.seconds = 0;
}
