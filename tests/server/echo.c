/*
 * The responder without SCEP: sockets, FastCGI, CGI, master and workers around a handler that says what it was given. For tests/server.
 *
 *	echo [--listen WHERE] [--workers N] [--max-body N] [--read-ms N] [--write-ms N] [--state FILE] [--hold FILE]
 *
 * --read-ms, --write-ms: ten minutes unless told, so that a test of a time-out waits for nothing else.
 * --state: the first word of FILE is printed in answers; a reload with "bad" in it is refused; a worker that finds "die" exits at once.
 * --hold: requests with hold=1 say so in the log and are under way as long as there is FILE.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/codec.h"
#include "base/log.h"
#include "server/cgi.h"
#include "server/listen.h"
#include "server/master.h"
#include "server/worker.h"

struct echo {
	struct http_limits limits;
	unsigned workers;
	const char *state_file, *hold_file;
	char state[64];
};

static bool state_read(struct echo *e)
{
	char word[64] = "";
	FILE *f = e->state_file == NULL ? NULL : fopen(e->state_file, "r");

	if (f != NULL) {
		if (fscanf(f, "%63s", word) != 1)
			word[0] = '\0';
		fclose(f);
	}
	if (strcmp(word, "bad") == 0)
		return false;
	memcpy(e->state, word, sizeof(word));
	return true;
}

static long number_of(struct bytes query, const char *name)
{
	struct bytes v;
	char text[20] = "";

	if (query_param(query, name, &v) && v.n < sizeof(text))
		memcpy(text, v.p, v.n);
	return strtol(text, NULL, 10);
}

static void hold(const struct echo *e)
{
	struct timespec t = {.tv_nsec = 2000000};

	log_info("holding");
	while (access(e->hold_file, F_OK) == 0)
		nanosleep(&t, NULL);
}

static void handle(void *ctx, const struct http_req *req, struct http_resp *resp)
{
	const struct echo *e = ctx;
	long ms = number_of(req->query, "sleep"), size = number_of(req->query, "size");
	struct timespec t = {ms / 1000, ms % 1000 * 1000000};

	nanosleep(&t, NULL);
	if (e->hold_file != NULL && number_of(req->query, "hold"))
		hold(e);
	if (number_of(req->query, "crash"))
		abort();
	if (req->err != ERR_OK) {
		http_resp_error(req->err, resp);
		return;
	}
	resp->status = 200;
	resp->type = "text/plain";
	resp->head = strcmp(req->method, "HEAD") == 0;
	buf_printf(&resp->body, "pid=%ld state=%s method=%s path=%s peer=%s query=%zu body=%zu\n", (long)getpid(), e->state,
	    req->method, req->path, req->peer, req->query.n, req->body.n);
	if (size > 0)
		memset(buf_grow(&resp->body, (size_t)size), 'x', (size_t)size);
	else
		buf_add_bytes(&resp->body, req->body);
}

static const struct worker_ops serving = {handle, NULL};

static int work(void *ctx, int listener)
{
	struct echo *e = ctx;

	if (strcmp(e->state, "die") == 0)
		return 1;
	return worker_loop(listener, &e->limits, &serving, e) == WORKER_BROKEN;
}

static bool reload(void *ctx)
{
	bool ok = state_read(ctx);

	log_info(ok ? "reloaded" : "not reloaded");
	return ok;
}

static unsigned n_workers(void *ctx)
{
	return ((struct echo *)ctx)->workers;
}

static int run(struct echo *e, const char *where)
{
	static const struct master_ops ops = {work, reload, n_workers};
	enum start start = listen_detect(where);
	struct why why = {0};
	enum err err = ERR_OK;
	int fd = STDIN_FILENO;

	if (start == START_CGI)
		return !cgi_serve(&e->limits, handle, e);
	if (start == START_SYSTEMD)
		err = listen_systemd(&fd, &why);
	else if (start == START_LISTEN)
		err = listen_open(where, 0660, &fd, &why);
	else if (start == START_NOTHING)
		err = fail(&why, ERR_CONFIG, "nothing to serve");
	if (err != ERR_OK) {
		log_error("%s", why.text);
		return EXIT_FAILURE;
	}
	if (e->workers > 0)
		return master_run(&ops, e, fd);
	while (worker_loop(fd, &e->limits, &serving, e) == WORKER_RELOAD)
		reload(e);
	return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
	    {"listen", required_argument, NULL, 'l'}, {"workers", required_argument, NULL, 'w'},
	    {"max-body", required_argument, NULL, 'b'}, {"read-ms", required_argument, NULL, 'r'},
	    {"write-ms", required_argument, NULL, 't'}, {"state", required_argument, NULL, 's'},
	    {"hold", required_argument, NULL, 'h'}, {0}};
	struct echo e = {.limits = {.max_body = 1 << 20, .max_query = 16384, .read_timeout_ms = 600000, .write_timeout_ms = 600000}};
	const char *where = NULL;
	int c;

	worker_signals();
	log_open(LOG_TO_STDERR, LOG_DEBUG_, "echo");
	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c == 'l')
			where = optarg;
		else if (c == 'w')
			e.workers = (unsigned)strtoul(optarg, NULL, 10);
		else if (c == 'b')
			e.limits.max_body = strtoul(optarg, NULL, 10);
		else if (c == 'r')
			e.limits.read_timeout_ms = strtol(optarg, NULL, 10);
		else if (c == 't')
			e.limits.write_timeout_ms = strtol(optarg, NULL, 10);
		else if (c == 's')
			e.state_file = optarg;
		else if (c == 'h')
			e.hold_file = optarg;
		else
			return EXIT_FAILURE;
	}
	state_read(&e);
	return run(&e, where);
}
