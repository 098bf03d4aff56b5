#include "server/master.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "server/listen.h"

#define CHILDREN_MAX (4 * MASTER_WORKERS_MAX)	/* with those that are leaving after reloads */
#define QUICK_MS 250	/* who dies younger than this makes the next one wait */
#define BACKOFF_MIN_MS 50
#define BACKOFF_MAX_MS 10000
#define KILLED_MAX_MS 800	/* what killed it may be one client's request: the others do not wait for long */
#define KILL_AFTER_MS 6500	/* mod_fcgid kills us 8 s after its SIGTERM; then nobody would kill the workers */
#define IDLE_MS 60000

struct child {
	pid_t pid;
	long born;
	bool leaving;	/* told to stop: is not replaced */
};

struct master {
	const struct master_ops *ops;
	void *ctx;
	int listener;
	struct child children[CHILDREN_MAX];
	size_t n;
	unsigned quick_deaths;	/* in a row */
	long fork_after;	/* back-off: no fork before this time */
	long kill_at;		/* while stopping; 0: not stopping */
};

static long now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static unsigned n_staying(const struct master *m)
{
	unsigned n = 0;

	for (size_t i = 0; i < m->n; i++)
		n += !m->children[i].leaving;
	return n;
}

/* --- birth -------------------------------------------------------------------------------------------------------- */

static void worker_main(struct master *m, pid_t master_pid)
{
	/* A worker without its master would serve an old configuration for ever, and hold the socket. */
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getppid() != master_pid)
		exit(EXIT_SUCCESS);
	exit(m->ops->work(m->ctx, m->listener));
}

static void fork_one(struct master *m)
{
	pid_t master_pid = getpid(), pid = fork();

	if (pid == 0)
		worker_main(m, master_pid);
	if (pid < 0) {
		log_error("cannot fork a worker: %s", strerror(errno));
		m->fork_after = now_ms() + BACKOFF_MAX_MS;
		return;
	}
	m->children[m->n++] = (struct child){.pid = pid, .born = now_ms()};
	log_debug("worker %ld started", (long)pid);
}

static void fork_missing(struct master *m)
{
	unsigned want = m->ops->workers(m->ctx);

	while (m->kill_at == 0 && now_ms() >= m->fork_after && n_staying(m) < want && m->n < CHILDREN_MAX)
		fork_one(m);
}

/* --- death -------------------------------------------------------------------------------------------------------- */

/* For how many ms nobody is forked. */
static long back_off(struct master *m, const struct child *c, int status)
{
	long delay = 0, now = now_ms(), most = WIFSIGNALED(status) ? KILLED_MAX_MS : BACKOFF_MAX_MS;

	m->quick_deaths = now - c->born < QUICK_MS ? m->quick_deaths + 1 : 0;
	if (WIFEXITED(status) && WEXITSTATUS(status) == MASTER_EXIT_CONFIG)
		delay = BACKOFF_MAX_MS;	/* a wrong PIN, tried often, locks the token */
	else if (m->quick_deaths > 0)
		delay = BACKOFF_MIN_MS << (m->quick_deaths < 9 ? m->quick_deaths - 1 : 8);
	delay = delay < most ? delay : most;
	m->fork_after = now + delay;
	return delay;
}

/* delay: before the next one is forked, in ms; -1: nobody takes its place */
static void say_death(const struct child *c, int status, long delay)
{
	char next[60] = "";

	if (delay >= 0)
		snprintf(next, sizeof(next), "; the next one starts in %ld ms", delay);
	if (WIFSIGNALED(status))
		log_error("worker %ld was killed by signal %d (%s)%s", (long)c->pid, WTERMSIG(status), strsignal(WTERMSIG(status)), next);
	else if (WEXITSTATUS(status) != 0)
		log_error("worker %ld ended with status %d%s", (long)c->pid, WEXITSTATUS(status), next);
	else if (!c->leaving)
		log_info("worker %ld ended%s", (long)c->pid, next);
}

static void reap(struct master *m)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		for (size_t i = 0; i < m->n; i++) {
			struct child c = m->children[i];

			if (c.pid != pid)
				continue;
			m->children[i] = m->children[--m->n];
			say_death(&c, status, c.leaving ? -1 : back_off(m, &c, status));
			break;
		}
	}
}

/* They are not counted any more, and not replaced. */
static void mark_leaving(struct master *m)
{
	for (size_t i = 0; i < m->n; i++)
		m->children[i].leaving = true;
}

static void dismiss_leaving(const struct master *m)
{
	for (size_t i = 0; i < m->n; i++) {
		if (m->children[i].leaving)
			kill(m->children[i].pid, SIGTERM);
	}
}

/* --- signals ------------------------------------------------------------------------------------------------------ */

static void reload(struct master *m)
{
	struct timespec t;
	char state[64];

	clock_gettime(CLOCK_MONOTONIC, &t);
	snprintf(state, sizeof(state), "RELOADING=1\nMONOTONIC_USEC=%lld", (long long)t.tv_sec * 1000000 + t.tv_nsec / 1000);
	listen_notify(state);
	if (m->ops->reload(m->ctx)) {
		/* the new ones first: the queue of connections is never without somebody who takes from it */
		mark_leaving(m);
		m->quick_deaths = 0;
		m->fork_after = 0;
		fork_missing(m);
		dismiss_leaving(m);
	}
	listen_notify("READY=1");
}

static void stop(struct master *m)
{
	if (m->kill_at == 0) {
		listen_notify("STOPPING=1");
		log_info("stopping");
		m->kill_at = now_ms() + KILL_AFTER_MS;
	}
	mark_leaving(m);
	dismiss_leaving(m);
}

/* Until when there is nothing to do but wait for a signal. */
static long wait_ms(const struct master *m)
{
	long now = now_ms(), until = now + IDLE_MS;

	if (m->kill_at != 0)
		until = m->kill_at;
	else if (n_staying(m) < m->ops->workers(m->ctx) && m->n < CHILDREN_MAX)
		until = m->fork_after;
	return until > now ? until - now : 0;
}

static void handle_signal(struct master *m, int sig)
{
	switch (sig) {
	case SIGHUP:
		if (m->kill_at == 0)
			reload(m);
		break;
	case SIGTERM:
	case SIGINT:
	case SIGUSR1:
		stop(m);
		break;
	}
	reap(m);	/* SIGCHLD, and whoever died meanwhile */
	if (m->kill_at != 0 && now_ms() >= m->kill_at) {
		log_warn("%zu workers did not stop within %d ms: killed", m->n, KILL_AFTER_MS);
		for (size_t i = 0; i < m->n; i++)
			kill(m->children[i].pid, SIGKILL);
		m->kill_at = now_ms() + KILL_AFTER_MS;
	}
}

int master_run(const struct master_ops *ops, void *ctx, int listener)
{
	struct master m = {.ops = ops, .ctx = ctx, .listener = listener};
	sigset_t signals;

	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGUSR1);
	sigaddset(&signals, SIGHUP);
	sigaddset(&signals, SIGCHLD);
	signal(SIGCHLD, SIG_DFL);	/* an inherited SIG_IGN would take our children's statuses */
	sigprocmask(SIG_BLOCK, &signals, NULL);
	fork_missing(&m);
	listen_notify("READY=1");
	while (m.kill_at == 0 || m.n > 0) {
		long ms = wait_ms(&m);
		struct timespec t = {ms / 1000, ms % 1000 * 1000000};

		handle_signal(&m, sigtimedwait(&signals, NULL, &t));
		fork_missing(&m);
	}
	return EXIT_SUCCESS;
}
