#include "server/serve.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "ca/site.h"
#include "ca/tend.h"
#include "server/cgi.h"
#include "server/listen.h"
#include "server/master.h"
#include "server/report.h"
#include "server/route.h"
#include "server/worker.h"

struct responder {
	const struct serve_options *options;
	const char *conf_file;
	enum start start;
	struct site *site;
	struct tend tend;
};

static void log_as_configured(const struct conf *conf)
{
	log_open(conf->syslog ? LOG_TO_SYSLOG : LOG_TO_STDERR, (enum log_level)conf->log_level, "scep.fcgi");
}

static struct http_limits limits_of(const struct conf *conf)
{
	return (struct http_limits){
	    .max_body = (size_t)conf->max_body,
	    .max_query = (size_t)conf->max_query,
	    .read_timeout_ms = (long)conf->read_timeout_ms,
	    .write_timeout_ms = (long)conf->write_timeout_ms,
	};
}

static void handle(void *ctx, const struct http_req *req, struct http_resp *resp)
{
	route(((struct responder *)ctx)->site, req, time(NULL), resp);
}

/* Says what was done; an error is the same in every worker and is said by each, less and less often while it lasts. */
static void tend(void *ctx)
{
	struct responder *r = ctx;
	struct tend_done done;
	struct why why = {0};
	enum err err = tend_site(r->site, time(NULL), &r->tend, &done, &why);

	if (done.crl_number > 0)
		log_info("CRL %ld of profile '%s' was signed", done.crl_number, done.profile);
	if (done.removed > 0)
		log_info("housekeeping removed %d rows of the database", done.removed);
	if (err != ERR_OK)
		log_line(log_level_of(err), "%s", why.text);
}

static const struct worker_ops worker_ops = {handle, tend};

/* Loads the site and logs what is wrong with it; NULL when it cannot serve. */
static struct site *load_and_log(const char *conf_file)
{
	struct problems problems = {0};
	struct site *site = site_load(conf_file, time(NULL), &problems);

	report_log(&problems);
	problems_free(&problems);
	return site;
}

/* --- serving ------------------------------------------------------------------------------------------------------ */

/* Database and tokens belong to one process: opened here, after the last fork. */
static bool open_and_log(struct site *site)
{
	struct why why = {0};

	/* A large upload's memory goes back to the system, not into the heap: the threshold would grow by itself. */
	mallopt(M_MMAP_THRESHOLD, 128 * 1024);
	if (site_open(site, &why) == ERR_OK)
		return true;
	log_error("%s", why.text);
	return false;
}

static int work(void *ctx, int listener)
{
	struct responder *r = ctx;
	struct http_limits limits = limits_of(r->site->conf);
	int status = MASTER_EXIT_CONFIG;

	if (open_and_log(r->site))
		status = worker_loop(listener, &limits, &worker_ops, r) == WORKER_BROKEN ? EXIT_FAILURE : EXIT_SUCCESS;
	site_free(r->site);
	return status;
}

/* The socket stays open, whatever the new configuration says of it. */
static void say_if_moved(const struct conf *old, const struct conf *fresh)
{
	const char *a = old->listen == NULL ? "" : old->listen, *b = fresh->listen == NULL ? "" : fresh->listen;

	if (strcmp(a, b) != 0 || old->listen_mode != fresh->listen_mode)
		log_warn("listen has changed: that takes effect when the responder is started again");
}

static bool reload(void *ctx)
{
	struct responder *r = ctx;
	struct site *fresh = load_and_log(r->conf_file);

	if (fresh == NULL) {
		log_error("%s was not reloaded: the configuration stays as it was", r->conf_file);
		return false;
	}
	say_if_moved(r->site->conf, fresh->conf);
	site_free(r->site);
	r->site = fresh;
	log_as_configured(fresh->conf);
	log_info("%s was reloaded", r->conf_file);
	return true;
}

static unsigned n_workers(void *ctx)
{
	const struct responder *r = ctx;
	long n = r->options->workers > 0 ? (long)r->options->workers : (long)r->site->conf->workers;

	if (n <= 0)
		n = r->start == START_FD0 ? 1 : sysconf(_SC_NPROCESSORS_ONLN);
	if (n < 1)
		n = 1;
	return n > MASTER_WORKERS_MAX ? MASTER_WORKERS_MAX : (unsigned)n;
}

/* One process for one socket: mod_fcgid counts processes itself and sends each one request at a time. */
static int serve_alone(struct responder *r, int listener)
{
	enum worker_end end = open_and_log(r->site) ? WORKER_RELOAD : WORKER_BROKEN;

	while (end == WORKER_RELOAD) {
		struct http_limits limits = limits_of(r->site->conf);

		end = worker_loop(listener, &limits, &worker_ops, r);
		if (end == WORKER_RELOAD && reload(r) && !open_and_log(r->site))
			end = WORKER_BROKEN;	/* the web server starts another */
	}
	return end == WORKER_STOP ? EXIT_SUCCESS : EXIT_FAILURE;
}

static int serve_socket(struct responder *r, int listener)
{
	static const struct master_ops ops = {work, reload, n_workers};

	report_profiles(r->site);
	if (r->start == START_FD0 && n_workers(r) == 1)
		return serve_alone(r, listener);
	log_info("serving with %u workers", n_workers(r));
	return master_run(&ops, r, listener);
}

static int serve_listening(struct responder *r, const char *where)
{
	struct why why = {0};
	int fd = -1, status;
	enum err err;

	if (r->start == START_SYSTEMD)
		err = listen_systemd(&fd, &why);
	else
		err = listen_open(where, r->site->conf->listen_mode, &fd, &why);
	if (err != ERR_OK) {
		log_error("%s", why.text);
		return EXIT_FAILURE;
	}
	status = serve_socket(r, fd);
	close(fd);
	return status;
}

/* --- plain CGI ---------------------------------------------------------------------------------------------------- */

static void refuse(void *ctx, const struct http_req *req, struct http_resp *resp)
{
	(void)ctx;
	http_resp_error(ERR_CONFIG, resp);
	resp->head = strcmp(req->method, "HEAD") == 0;
}

static int serve_cgi(struct responder *r)
{
	/* What reads a request only to say 500. */
	static const struct http_limits small = {.max_body = 1 << 20, .max_query = 1 << 16, .read_timeout_ms = 10000};
	struct http_limits limits = small;
	bool ok = r->site != NULL && open_and_log(r->site);

	if (ok)
		limits = limits_of(r->site->conf);
	return cgi_serve(&limits, ok ? handle : refuse, r) && ok ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* --- start -------------------------------------------------------------------------------------------------------- */

static int say_how_to_start(void)
{
	fputs("scep.fcgi: nothing to serve: descriptor 0 is no listening socket, systemd passed none, and this is no CGI request.\n"
	      "Start it with --listen /run/scepter/fcgi.sock (or listen = ... in scepter.ini), from a web server, or\n"
	      "look at the configuration with --check. scep.fcgi(8) tells more.\n", stderr);
	return SERVE_EXIT_USAGE;
}

static int serve_site(struct responder *r)
{
	const char *where = r->options->listen;

	switch (r->start) {
	case START_FD0:
		return serve_socket(r, STDIN_FILENO);
	case START_NOTHING:
		where = r->site->conf->listen;
		if (where == NULL)
			return say_how_to_start();
		r->start = START_LISTEN;
		return serve_listening(r, where);
	default:
		return serve_listening(r, where);
	}
}

int serve(const struct serve_options *options)
{
	struct responder r = {.options = options, .conf_file = conf_file(options->conf), .start = listen_detect(options->listen)};
	int status = SERVE_EXIT_CONFIG;

	worker_signals();
	if (r.start == START_FD0)
		close_range(STDERR_FILENO + 1, ~0U, 0);	/* mod_fcgid leaks two pipes of Apache's */
	log_open(LOG_TO_STDERR, LOG_INFO_, "scep.fcgi");
	r.site = load_and_log(r.conf_file);
	if (r.site != NULL)
		log_as_configured(r.site->conf);
	if (r.start == START_CGI)
		status = serve_cgi(&r);
	else if (r.site != NULL)
		status = serve_site(&r);
	else
		log_error("%s cannot be served as it is; scep.fcgi --check shows all that is wrong", r.conf_file);
	site_free(r.site);
	return status;
}

int serve_check(const struct serve_options *options)
{
	struct problems problems = {0};
	const char *file = conf_file(options->conf);
	bool ok = site_check(file, time(NULL), &problems);

	report_print(stdout, file, &problems);
	problems_free(&problems);
	return ok ? EXIT_SUCCESS : EXIT_FAILURE;
}
