/*
 * libfcgi's own accept loop loses signals, lets a kept connection pin the process and takes a read cut short by a signal for the end
 * of the body. So it never accepts here (its listener is -1): connections are accepted below and put into its request, one request
 * each; FCGI_KEEP_CONN is refused by closing, which the protocol allows at any time.
 *
 * Time: the body has a deadline that SO_RCVTIMEO is set to before each read that may block, so that 408 can be answered. What libfcgi
 * reads without asking (parameters, padding, foreign records) is bounded by the guard: a timer whose handler shuts the socket down, first
 * for reading only: a process that was not scheduled for a while finds both times over, and can still answer.
 */
#include "server/fcgi.h"

#include <errno.h>
#include <fcgiapp.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"

#define FIRST_BYTE_MS 2000	/* a web server writes at once; who only connects is not waited for */
#define GUARD_SLACK_MS 500	/* the guard strikes only where the body's deadline did not */
#define GUARD_AGAIN_S 2
#define DRAIN_MAX ((size_t)16 << 20)	/* of an over-long body; then it is answered whatever comes */
#define LINGER_MS 500	/* for the server to take an answer whose request was not read to its end */
#define LINGER_READS 100	/* however much it goes on to send */

struct fcgi {
	FCGX_Request r;
	int listener;
	struct http_limits limits;
};

/* --- the guard ---------------------------------------------------------------------------------------------------- */

static volatile sig_atomic_t guard_fd = -1, guard_how, guard_struck;

static void guard_handler(int sig)
{
	int saved = errno;

	(void)sig;
	guard_struck = 1;
	if (guard_fd >= 0)
		shutdown(guard_fd, guard_how);
	guard_how = SHUT_RDWR;
	errno = saved;
}

/* how: of shutdown, at the first strike. */
static void guard_set(int fd, long ms, int how)
{
	struct itimerval t = {.it_value = {ms / 1000, ms % 1000 * 1000}, .it_interval = {.tv_sec = GUARD_AGAIN_S}};

	guard_fd = fd;
	guard_how = how;
	setitimer(ITIMER_REAL, &t, NULL);
}

static void guard_off(void)
{
	setitimer(ITIMER_REAL, &(struct itimerval){0}, NULL);
	guard_fd = -1;
}

static long now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* --- opening ------------------------------------------------------------------------------------------------------ */

struct fcgi *fcgi_open(int listener, const struct http_limits *limits)
{
	struct sigaction alarm_action = {.sa_handler = guard_handler, .sa_flags = SA_RESTART}, ignore = {.sa_handler = SIG_IGN};
	struct sigaction term, usr1;
	struct fcgi *f = mem_alloc(sizeof(*f));

	f->listener = listener;
	f->limits = *limits;
	fcntl(listener, F_SETFL, fcntl(listener, F_GETFL) | O_NONBLOCK);
	/* FCGX_Init puts its own handlers where it finds the defaults: keep what the caller has. */
	sigaction(SIGTERM, NULL, &term);
	sigaction(SIGUSR1, NULL, &usr1);
	FCGX_Init();
	sigaction(SIGTERM, &term, NULL);
	sigaction(SIGUSR1, &usr1, NULL);
	sigaction(SIGPIPE, &ignore, NULL);
	sigaction(SIGALRM, &alarm_action, NULL);
	FCGX_InitRequest(&f->r, -1, FCGI_FAIL_ACCEPT_ON_INTR);
	return f;
}

void fcgi_close(struct fcgi *f)
{
	free(f);
}

/* --- one request -------------------------------------------------------------------------------------------------- */

/* False when the deadline has passed. */
static bool read_timeout_set(int fd, long deadline)
{
	long rest = deadline - now_ms();
	struct timeval t = {rest / 1000, rest % 1000 * 1000};

	return rest > 0 && setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &t, sizeof(t)) == 0;
}

/* At least one octet, blocking at most once; 0 at the end or on an error. */
static size_t read_some(FCGX_Stream *in, uint8_t *p, size_t n)
{
	int c = FCGX_GetChar(in), more;
	size_t there = (size_t)(in->stop - in->rdNext);

	if (c == EOF)
		return 0;
	p[0] = (uint8_t)c;
	more = FCGX_GetStr((char *)p + 1, (int)(there < n - 1 ? there : n - 1), in);
	return 1 + (more > 0 ? (size_t)more : 0);
}

/*
 * Reads FCGI_STDIN to its end, whatever CONTENT_LENGTH says: it may be absent, empty or stale (chunked uploads). What is over the cap is
 * read and dropped, so that the web server takes the answer.
 */
static enum err body_read(struct fcgi *f, long deadline, struct buf *body)
{
	FCGX_Stream *in = f->r.in;
	size_t got = 0, n;
	uint8_t chunk[8192];

	while (got < f->limits.max_body + DRAIN_MAX) {
		if (in->rdNext == in->stop && !read_timeout_set(f->r.ipcFd, deadline))
			return ERR_TIMEOUT;
		n = read_some(in, chunk, sizeof(chunk));
		if (n == 0 && FCGX_GetError(in) == EINTR && !guard_struck) {
			/* SIGSTOP and SIGCONT, or a container that was frozen, cut a read that has a time-out: signal(7) */
			FCGX_ClearError(in);
			in->isClosed = 0;	/* which that leaves to us */
			continue;
		}
		if (n == 0)
			break;
		got += n;
		if (got <= f->limits.max_body)
			buf_add(body, chunk, n);
	}
	if (guard_struck || FCGX_GetError(in) == EAGAIN)
		return ERR_TIMEOUT;
	/* A peer that went away or broke the protocol looks like an end otherwise. */
	if (FCGX_GetError(in) != 0)
		return ERR_BODY_CUT;
	return http_body_check(FCGX_GetParam("CONTENT_LENGTH", f->r.envp), got, &f->limits);
}

static void respond(struct fcgi *f, const struct http_resp *resp)
{
	struct buf head = {0};

	http_head_write(resp, &head);
	guard_set(f->r.ipcFd, f->limits.write_timeout_ms, SHUT_RDWR);
	FCGX_PutStr((const char *)head.p, (int)head.n, f->r.out);
	if (!resp->head && resp->body.n > 0)
		FCGX_PutStr((const char *)resp->body.p, (int)resp->body.n, f->r.out);
	buf_free(&head);
}

/*
 * Closes by ourselves: libfcgi would wait up to two seconds for a server that keeps connections to close its end. Only when the
 * request was not read to its end is there something to wait for, or the kernel would drop the answer with the unread rest.
 */
static void connection_finish(struct fcgi *f, bool unread)
{
	struct pollfd p = {.fd = f->r.ipcFd, .events = POLLIN};
	long deadline = now_ms() + LINGER_MS, rest;
	int fd = f->r.ipcFd, reads = unread ? LINGER_READS : 0;
	char trash[8192];

	FCGX_FClose(f->r.err);
	FCGX_FClose(f->r.out);
	FCGX_Free(&f->r, 0);
	f->r.ipcFd = -1;
	guard_off();
	shutdown(fd, SHUT_WR);
	while (reads-- > 0 && (rest = deadline - now_ms()) > 0 && poll(&p, 1, (int)rest) > 0)
		if (recv(fd, trash, sizeof(trash), MSG_DONTWAIT) <= 0)
			break;
	close(fd);
}

static void connection_serve(struct fcgi *f, int fd, http_handler handle, void *ctx)
{
	struct pollfd first = {.fd = fd, .events = POLLIN};
	long deadline = now_ms() + f->limits.read_timeout_ms;
	struct http_req req;
	struct http_resp resp = {0};
	struct buf path = {0}, body = {0};
	enum err err;

	if (poll(&first, 1, FIRST_BYTE_MS) <= 0) {
		close(fd);
		return;
	}
	guard_struck = 0;
	guard_set(fd, f->limits.read_timeout_ms + GUARD_SLACK_MS, SHUT_RD);
	f->r.ipcFd = fd;
	f->r.keepConnection = 1;	/* or FCGX_Accept_r would begin with closing it */
	if (FCGX_Accept_r(&f->r) != 0) {	/* it has closed the connection */
		guard_off();
		f->r.ipcFd = -1;
		return;
	}
	http_req_read(http_var_in, f->r.envp, &f->limits, &path, &req);
	err = body_read(f, deadline, &body);
	guard_off();
	if (req.err == ERR_OK)
		req.err = err;
	req.body = buf_bytes(&body);
	handle(ctx, &req, &resp);
	respond(f, &resp);
	connection_finish(f, err != ERR_OK);
	buf_wipe(&resp.body);	/* a new challenge, or a bare request with one, may be in them */
	buf_wipe(&body);
	buf_free(&path);
}

enum fcgi_event fcgi_serve(struct fcgi *f, const sigset_t *mask, int timeout_ms, http_handler handle, void *ctx)
{
	struct timespec timeout = {timeout_ms / 1000, timeout_ms % 1000 * 1000000L};
	struct pollfd p = {.fd = f->listener, .events = POLLIN};
	int fd, ready = ppoll(&p, 1, timeout_ms < 0 ? NULL : &timeout, mask);

	if (ready == 0)
		return FCGI_NONE;
	if (ready < 0)
		return errno == EINTR ? FCGI_NONE : FCGI_BROKEN;
	fd = accept4(f->listener, NULL, NULL, SOCK_CLOEXEC);
	if (fd >= 0) {
		connection_serve(f, fd, handle, ctx);
		return FCGI_SERVED;
	}
	switch (errno) {
	case EBADF:
	case EINVAL:
	case ENOTSOCK:
	case EOPNOTSUPP:
		return FCGI_BROKEN;
	case EMFILE:
	case ENFILE:
	case ENOBUFS:
	case ENOMEM:
		/* The connection stays in the queue and poll would spin on it. */
		ppoll(NULL, 0, &(struct timespec){.tv_nsec = 100 * 1000000}, mask);
		return FCGI_NONE;
	default:
		return FCGI_NONE;
	}
}
