#include "server/cgi.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"

#define DRAIN_MAX ((size_t)16 << 20)	/* of an over-long body */

static long now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Like read(2) of standard input, but not past the deadline: -1 with ETIMEDOUT. */
static ssize_t read_until(long deadline, uint8_t *p, size_t n)
{
	for (;;) {
		struct pollfd in = {.fd = STDIN_FILENO, .events = POLLIN};
		long rest = deadline - now_ms();
		int ready = poll(&in, 1, rest > 0 ? (int)rest : 0);
		ssize_t got;

		if (ready == 0) {
			errno = ETIMEDOUT;
			return -1;
		}
		got = ready > 0 ? read(STDIN_FILENO, p, n) : -1;
		if (got >= 0 || errno != EINTR)
			return got;
	}
}

/*
 * Reads CONTENT_LENGTH octets: a server need not close its end after them (RFC 3875, 4.2). Without a length there is no body, unless
 * a chunked one was passed on (Apache): that one ends where the input does.
 */
static enum err body_read(const struct http_limits *limits, struct buf *body)
{
	const char *length = getenv("CONTENT_LENGTH");
	long deadline = now_ms() + limits->read_timeout_ms;
	size_t want, got = 0;
	uint8_t chunk[8192];
	ssize_t n = 1;
	bool known;

	if (!http_content_length(length, &known, &want))
		return ERR_BODY_CUT;
	if (!known)
		want = getenv("HTTP_TRANSFER_ENCODING") != NULL ? SIZE_MAX : 0;
	while (got < want && got < limits->max_body + DRAIN_MAX) {
		n = read_until(deadline, chunk, want - got < sizeof(chunk) ? want - got : sizeof(chunk));
		if (n <= 0)
			break;
		got += (size_t)n;
		if (got <= limits->max_body)
			buf_add(body, chunk, (size_t)n);
	}
	if (n < 0)
		return errno == ETIMEDOUT ? ERR_TIMEOUT : ERR_BODY_CUT;
	return http_body_check(length, got, limits);
}

bool cgi_serve(const struct http_limits *limits, http_handler handle, void *ctx)
{
	struct http_req req;
	struct http_resp resp = {0};
	struct buf path = {0}, body = {0}, out = {0};
	enum err err;
	bool ok;

	signal(SIGPIPE, SIG_IGN);
	http_req_read(http_var_in, environ, limits, &path, &req);
	err = body_read(limits, &body);
	if (req.err == ERR_OK)
		req.err = err;
	req.body = buf_bytes(&body);
	handle(ctx, &req, &resp);
	http_head_write(&resp, &out);
	if (!resp.head)
		buf_add_bytes(&out, buf_bytes(&resp.body));
	ok = file_write_all(STDOUT_FILENO, buf_bytes(&out));
	buf_free(&out);
	buf_wipe(&resp.body);	/* a new challenge, or a bare request with one, may be in them */
	buf_wipe(&body);
	buf_free(&path);
	return ok;
}
