#include "auth/command.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "auth/hook_json.h"

#define DRAIN_READS 40	/* more than a pipe holds */
#define SAID_MAX 150	/* octets of its standard error that a sentence quotes */

/* From here on: our ends of its three pipes, -1 once closed. */
struct run {
	pid_t pid;
	int pidfd, in, out, err;
	struct bytes left;	/* of the input */
	struct buf answer;
	char said[SAID_MAX + 1];
	size_t n_said;
	bool ended, too_late, too_large;
	int status;		/* of waitpid */
};

enum err command_check(const char *path, struct why *why)
{
	struct stat st;

	if (path[0] != '/')
		return fail(why, ERR_FILE, "'%s' is not an absolute path", path);
	if (stat(path, &st) != 0)
		return fail(why, ERR_FILE, "cannot look at '%s': %s", path, strerror(errno));
	if (!S_ISREG(st.st_mode))
		return fail(why, ERR_FILE, "'%s' is not a regular file", path);
	if ((st.st_mode & 0111) == 0)
		return fail(why, ERR_FILE, "'%s' cannot be run (mode %04o): chmod 755 %s", path, (unsigned)st.st_mode & 07777, path);
	if ((st.st_mode & 022) != 0)
		return fail(why, ERR_FILE, "'%s' can be written by others than its owner (mode %04o): chmod go-w %s", path,
		    (unsigned)st.st_mode & 07777, path);
	return ERR_OK;
}

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static long now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* --- birth -------------------------------------------------------------------------------------------------------- */

/* Signals as a program expects them: a worker blocks some and ignores one. */
static void set_attributes(posix_spawnattr_t *attr)
{
	sigset_t none, all;

	sigemptyset(&none);
	sigfillset(&all);
	posix_spawnattr_setflags(attr, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	posix_spawnattr_setpgroup(attr, 0);
	posix_spawnattr_setsigmask(attr, &none);
	posix_spawnattr_setsigdefault(attr, &all);
}

/* It gets three descriptors and nothing else of ours: not the database, not the client. */
static int spawn(const char *path, const int ends[3], pid_t *pid)
{
	static char search[] = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", locale[] = "LC_ALL=C.UTF-8";
	char *const environment[] = {search, locale, NULL}, *const arguments[] = {(char *)path, NULL};
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attr;
	int error;

	posix_spawn_file_actions_init(&actions);
	posix_spawnattr_init(&attr);
	set_attributes(&attr);
	for (int i = 0; i < 3; i++)
		posix_spawn_file_actions_adddup2(&actions, ends[i], i);
	posix_spawn_file_actions_addclosefrom_np(&actions, STDERR_FILENO + 1);
	posix_spawn_file_actions_addchdir_np(&actions, "/");
	error = posix_spawn(pid, path, &actions, &attr, arguments, environment);
	posix_spawnattr_destroy(&attr);
	posix_spawn_file_actions_destroy(&actions);
	return error;
}

/* Above the standard ones, which a dup2 in the child would else overwrite before it is its turn. */
static bool open_pipe(int ends[2])
{
	int low[2];

	if (pipe2(low, O_CLOEXEC) != 0)
		return false;
	for (int i = 0; i < 2; i++) {
		ends[i] = fcntl(low[i], F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
		close(low[i]);
	}
	if (ends[0] >= 0 && ends[1] >= 0)
		return true;
	close_fd(&ends[0]);
	close_fd(&ends[1]);
	return false;
}

/* The group first: while its leader has not been waited for, no other group can have that number. */
static void end(struct run *r)
{
	kill(-r->pid, SIGKILL);
	while (waitpid(r->pid, &r->status, 0) < 0 && errno == EINTR)
		;
	close_fd(&r->pidfd);
	close_fd(&r->in);
	close_fd(&r->out);
	close_fd(&r->err);
}

static enum err start(struct run *r, const char *path, struct why *why)
{
	int pipes[3][2] = {{-1, -1}, {-1, -1}, {-1, -1}}, *ours[3] = {&r->in, &r->out, &r->err}, ends[3], error = 0;

	for (int i = 0; i < 3 && error == 0; i++) {
		if (!open_pipe(pipes[i])) {
			error = errno;
			break;
		}
		ends[i] = pipes[i][i == 0 ? 0 : 1];
		*ours[i] = pipes[i][i == 0 ? 1 : 0];
		fcntl(*ours[i], F_SETFL, O_NONBLOCK);
	}
	signal(SIGCHLD, SIG_DFL);	/* an ignored one, inherited from a web server, would take its status */
	if (error == 0)
		error = spawn(path, ends, &r->pid);
	for (int i = 0; i < 3; i++)
		close_fd(&pipes[i][i == 0 ? 0 : 1]);
	if (error != 0)
		return fail(why, ERR_HOOK, "'%s' cannot be run: %s", path, strerror(error));
	r->pidfd = pidfd_open(r->pid, 0);
	if (r->pidfd >= 0)
		return ERR_OK;
	error = errno;
	end(r);
	return fail(why, ERR_HOOK, "'%s' cannot be waited for: %s", path, strerror(error));
}

/* --- life --------------------------------------------------------------------------------------------------------- */

static void feed(struct run *r)
{
	ssize_t n = write(r->in, r->left.p, r->left.n);

	if (n > 0)
		r->left = bytes_cut(r->left, (size_t)n, r->left.n);
	if (r->left.n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))	/* EPIPE: it does not want to read */
		close_fd(&r->in);
}

static void hear(struct run *r)
{
	uint8_t chunk[4096];
	ssize_t n = read(r->out, chunk, sizeof(chunk));

	if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) {
		close_fd(&r->out);
	} else if (n > 0 && (size_t)n > HOOK_ANSWER_MAX - r->answer.n) {
		r->too_large = true;
	} else if (n > 0) {
		buf_add(&r->answer, chunk, (size_t)n);
	}
}

/* Its first line is kept; the rest is read, so that it does not wait for us. */
static void hear_errors(struct run *r)
{
	char chunk[1024];
	ssize_t n = read(r->err, chunk, sizeof(chunk));

	for (ssize_t i = 0; i < n && r->n_said < SAID_MAX; i++) {
		if (chunk[i] == '\n')
			r->n_said = SAID_MAX;
		else
			r->said[r->n_said++] = chunk[i];
	}
	if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
		close_fd(&r->err);
}

/* What a poll said of each descriptor; closed ones are -1, of which poll says nothing. */
static void serve(struct run *r, const struct pollfd fds[4])
{
	if (fds[0].revents != 0)
		r->ended = true;
	if (fds[1].revents != 0)
		feed(r);
	if (fds[2].revents != 0)
		hear(r);
	if (fds[3].revents != 0)
		hear_errors(r);
}

/* Until it ended or its time is over. Whether its pipes are still open says nothing: a process that it left behind may hold them. */
static void wait_for_end(struct run *r, long timeout_ms)
{
	long end = now_ms() + timeout_ms, left = timeout_ms;

	while (!r->ended && !r->too_large && left > 0) {
		struct pollfd fds[4] = {
		    {.fd = r->pidfd, .events = POLLIN}, {.fd = r->in, .events = POLLOUT}, {.fd = r->out, .events = POLLIN},
		    {.fd = r->err, .events = POLLIN},
		};

		if (poll(fds, 4, (int)left) > 0)
			serve(r, fds);
		left = end - now_ms();
	}
	r->too_late = !r->ended && !r->too_large;
}

/* What it wrote before it ended, and is still in the pipes; not what somebody whom it left behind goes on to write. */
static void drain(struct run *r)
{
	for (int n = 0; n < DRAIN_READS && !r->too_large; n++) {
		struct pollfd fds[4] = {{.fd = -1}, {.fd = -1}, {.fd = r->out, .events = POLLIN}, {.fd = r->err, .events = POLLIN}};

		if (poll(fds, 4, 0) <= 0)
			return;
		serve(r, fds);
	}
}

/* --- death -------------------------------------------------------------------------------------------------------- */

static enum err judge(const struct run *r, const char *path, long timeout_ms, struct why *why)
{
	const char *said = r->said[0] != '\0' ? r->said : "nothing";

	if (r->too_large)
		return fail(why, ERR_HOOK, "'%s' answered with more than %zu KiB", path, HOOK_ANSWER_MAX >> 10);
	if (r->too_late)
		return fail(why, ERR_HOOK, "'%s' did not end within 'timeout' in [command], which is %ld ms; it said: %s", path, timeout_ms, said);
	if (WIFSIGNALED(r->status))
		return fail(why, ERR_HOOK, "'%s' was killed by signal %d; it said: %s", path, WTERMSIG(r->status), said);
	if (WEXITSTATUS(r->status) != 0)
		return fail(why, ERR_HOOK, "'%s' ended with exit code %d; it said: %s", path, WEXITSTATUS(r->status), said);
	return ERR_OK;
}

enum err command_run(const char *path, long timeout_ms, struct bytes input, struct buf *answer, struct why *why)
{
	struct run r = {.pidfd = -1, .in = -1, .out = -1, .err = -1, .left = input};
	enum err err = start(&r, path, why);

	if (err == ERR_OK) {
		wait_for_end(&r, timeout_ms);
		drain(&r);
		end(&r);
		err = judge(&r, path, timeout_ms, why);
	}
	if (err == ERR_OK)
		buf_add_bytes(answer, buf_bytes(&r.answer));
	close_fd(&r.in);
	close_fd(&r.out);
	close_fd(&r.err);
	buf_free(&r.answer);
	return err;
}
