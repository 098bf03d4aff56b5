#include "crew.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static pthread_barrier_t *barrier;
static pid_t pids[CREW];
static int n_pids;

void *crew_memory(size_t size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		abort();
	return p;
}

static void start(int n, int n_waiting, void (*work)(int number))
{
	pthread_barrierattr_t attr;

	barrier = crew_memory(sizeof(*barrier));
	pthread_barrierattr_init(&attr);
	pthread_barrierattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
	pthread_barrier_init(barrier, &attr, (unsigned)n_waiting);
	fflush(stdout);
	for (n_pids = 0; n_pids < n; n_pids++) {
		pids[n_pids] = fork();
		if (pids[n_pids] == 0) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			alarm(1800);	/* the others may have failed: do not wait for them for ever */
			work(n_pids);
			_exit(0);
		}
	}
}

void crew_start(int n, void (*work)(int number))
{
	start(n, n, work);
}

void crew_start_with_us(int n, void (*work)(int number))
{
	start(n, n + 1, work);
}

void crew_together(void)
{
	pthread_barrier_wait(barrier);
}

int crew_wait(void)
{
	int i, status, bad = 0;

	for (i = 0; i < n_pids; i++) {
		if (waitpid(pids[i], &status, 0) != pids[i] || status != 0)
			bad++;
	}
	return bad;
}
