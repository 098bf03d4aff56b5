/* The bench's readings of /proc, of processes whose cost is known. */
#include "unit.h"

#include <signal.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "admin/bench_cpu.h"

static double cpu_of(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void burn(double seconds)
{
	double start = cpu_of(CLOCK_PROCESS_CPUTIME_ID);

	while (cpu_of(CLOCK_PROCESS_CPUTIME_ID) - start < seconds)
		;
}

static double reading(pid_t pid)
{
	struct why why = {0};
	double seconds = 0;

	assert_int_equal(bench_cpu_read(pid, &seconds, &why), ERR_OK);
	return seconds;
}

/* A child's CPU counts while it lives and after it was waited for. */
static void family_counts(void **state)
{
	double before = reading(getpid()), alive;
	struct bench_proc procs[8];
	int ready[2];
	pid_t child;
	char c;

	(void)state;
	assert_int_equal(pipe(ready), 0);
	child = fork();
	if (child == 0) {
		burn(0.3);
		(void)!write(ready[1], "x", 1);
		pause();
		_exit(0);
	}
	assert_int_equal(read(ready[0], &c, 1), 1);
	burn(0.2);
	alive = reading(getpid()) - before;
	assert_true(alive > 0.45 && alive < 0.8);
	assert_int_equal(bench_procs(getpid(), procs, 8), 2);
	assert_int_equal(procs[0].pid, getpid());
	assert_int_equal(procs[1].pid, child);
	assert_true(procs[0].pss_kib > 0);
	kill(child, SIGKILL);
	assert_int_equal(waitpid(child, NULL, 0), child);
	alive = reading(getpid()) - before;
	assert_true(alive > 0.45 && alive < 0.8);
	assert_int_equal(bench_procs(getpid(), procs, 8), 1);
	close(ready[0]);
	close(ready[1]);
}

static void nobody(void **state)
{
	struct why why = {0};
	double seconds = 7;
	pid_t child = fork();

	(void)state;
	if (child == 0)
		_exit(0);
	assert_int_equal(waitpid(child, NULL, 0), child);
	assert_int_equal(bench_cpu_read(child, &seconds, &why), ERR_CONFIG);
	assert_true(seconds == 7);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(family_counts), cmocka_unit_test(nobody)};

	return cmocka_run_group_tests_name("bench_cpu", tests, NULL, NULL);
}
