#include "server/program.h"

#include <argp.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "conf/conf.h"
#include "server/cgi.h"
#include "server/listen.h"
#include "server/master.h"
#include "server/report.h"
#include "server/worker.h"

struct options {
	const char *conf;	/* --conf; NULL: $SCEPTER_CONF or the default */
	const char *listen;	/* --listen; NULL: find out */
	unsigned workers;	/* --workers; 0: as configured */
	bool check;
};

struct running {
	const struct program *program;
	const struct options *options;
	const char *conf_file;
	enum start start;
	void *loaded;
};

static struct program_settings settings_of(const struct program *program, const void *loaded)
{
	struct program_settings s = {0};

	program->settings(loaded, &s);
	return s;
}

static void log_as_configured(const struct running *r)
{
	struct program_settings s = settings_of(r->program, r->loaded);

	log_open(s.syslog ? LOG_TO_SYSLOG : LOG_TO_STDERR, s.log_level, r->program->name);
}

/* Logs what is wrong, a line each; NULL when it cannot serve, and *n_errors says how many errors there are. */
static void *load_and_log(const struct running *r, size_t *n_errors)
{
	struct problems problems = {0};
	void *loaded = r->program->load(r->conf_file, time(NULL), r->loaded, &problems);

	report_log(&problems);
	*n_errors = problems.n_errors;
	problems_free(&problems);
	return loaded;
}

/* --- serving ------------------------------------------------------------------------------------------------------ */

/* Database and tokens belong to one process: opened here, after the last fork. */
static bool open_and_log(const struct running *r, void *loaded)
{
	struct why why = {0};

	/* A large upload's memory goes back to the system, not into the heap: the threshold would grow by itself. */
	mallopt(M_MMAP_THRESHOLD, 128 * 1024);
	if (r->program->open(loaded, &why) == ERR_OK)
		return true;
	log_error("%s", why.text);
	return false;
}

static enum worker_end loop(const struct running *r, int listener)
{
	struct worker_ops ops = {r->program->handle, r->program->tend};
	struct program_settings s = settings_of(r->program, r->loaded);

	return worker_loop(listener, &s.limits, &ops, r->loaded);
}

static int work(void *ctx, int listener)
{
	struct running *r = ctx;
	int status = MASTER_EXIT_CONFIG;

	if (open_and_log(r, r->loaded))
		status = loop(r, listener) == WORKER_BROKEN ? EXIT_FAILURE : EXIT_SUCCESS;
	r->program->free(r->loaded);
	return status;
}

/* The socket stays open, whatever the new configuration says of it. */
static void say_if_moved(const struct program_settings *old, const struct program_settings *fresh)
{
	const char *a = old->listen == NULL ? "" : old->listen, *b = fresh->listen == NULL ? "" : fresh->listen;

	if (strcmp(a, b) != 0 || old->listen_mode != fresh->listen_mode)
		log_warn("listen has changed: that takes effect when the responder is started again");
}

/* One line for `systemctl status`. */
static void notify_status(const struct running *r, const char *what)
{
	unsigned n = settings_of(r->program, r->loaded).profiles;
	char status[300];

	if (n > 0)
		snprintf(status, sizeof(status), "STATUS=%s %u profiles.", what, n);
	else
		snprintf(status, sizeof(status), "STATUS=%s the configuration.", what);
	listen_notify(status);
}

/* The last line of a reload that failed. */
static bool refuse_reload(const struct running *r, size_t n_errors)
{
	const char *plural = n_errors == 1 ? "" : "s";
	char status[200];

	log_error("%s was not reloaded (%zu error%s, see above): the old configuration goes on, nothing was changed", r->conf_file, n_errors, plural);
	snprintf(status, sizeof(status), "The last reload failed (%zu error%s, see the log); the old configuration goes on: serving", n_errors,
	    plural);
	notify_status(r, status);
	return false;
}

/* All or nothing: `fresh` is whole, and the old one goes. */
static bool take_over(struct running *r, void *fresh)
{
	struct program_settings old = settings_of(r->program, r->loaded), now = settings_of(r->program, fresh);

	say_if_moved(&old, &now);
	r->program->free(r->loaded);
	r->loaded = fresh;
	log_as_configured(r);
	log_info("%s was reloaded", r->conf_file);
	notify_status(r, "Serving");
	return true;
}

static bool reload(void *ctx)
{
	struct running *r = ctx;
	size_t n_errors;
	void *fresh = load_and_log(r, &n_errors);

	return fresh == NULL ? refuse_reload(r, n_errors) : take_over(r, fresh);
}

/* The process that loads also serves: as long as it cannot open the new one it keeps the old one open. */
static void reload_alone(struct running *r)
{
	size_t n_errors;
	void *fresh = load_and_log(r, &n_errors);

	if (fresh != NULL && open_and_log(r, fresh)) {
		take_over(r, fresh);
		return;
	}
	refuse_reload(r, fresh == NULL ? n_errors : 1);
	r->program->free(fresh);
}

static unsigned n_workers(void *ctx)
{
	const struct running *r = ctx;
	struct program_settings s = settings_of(r->program, r->loaded);
	long n = r->options->workers > 0 ? (long)r->options->workers : s.workers;

	if (n <= 0)
		n = r->start == START_FD0 ? 1 : sysconf(_SC_NPROCESSORS_ONLN);
	if (n < 1)
		n = 1;
	return n > MASTER_WORKERS_MAX ? MASTER_WORKERS_MAX : (unsigned)n;
}

/* One process for one socket: mod_fcgid counts processes itself and sends each one request at a time. */
static int serve_alone(struct running *r, int listener)
{
	enum worker_end end = open_and_log(r, r->loaded) ? WORKER_RELOAD : WORKER_BROKEN;

	while (end == WORKER_RELOAD) {
		end = loop(r, listener);
		if (end == WORKER_RELOAD)
			reload_alone(r);
	}
	return end == WORKER_STOP ? EXIT_SUCCESS : EXIT_FAILURE;
}

static int serve_socket(struct running *r, int listener)
{
	static const struct master_ops ops = {work, reload, n_workers};

	if (r->program->report != NULL)
		r->program->report(r->loaded);
	notify_status(r, "Serving");
	if (r->start == START_FD0 && n_workers(r) == 1)
		return serve_alone(r, listener);
	log_info("serving with %u workers", n_workers(r));
	return master_run(&ops, r, listener);
}

static int serve_listening(struct running *r, const char *where)
{
	struct why why = {0};
	int fd = -1, status;
	enum err err;

	if (r->start == START_SYSTEMD)
		err = listen_systemd(&fd, &why);
	else
		err = listen_open(where, settings_of(r->program, r->loaded).listen_mode, &fd, &why);
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

static int serve_cgi(struct running *r)
{
	/* What reads a request only to say 500. */
	static const struct http_limits small = {.max_body = 1 << 20, .max_query = 1 << 16, .read_timeout_ms = 10000};
	struct http_limits limits = small;
	bool ok = r->loaded != NULL && open_and_log(r, r->loaded);

	if (ok)
		limits = settings_of(r->program, r->loaded).limits;
	return cgi_serve(&limits, ok ? r->program->handle : refuse, r->loaded) && ok ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* --- start -------------------------------------------------------------------------------------------------------- */

static int say_how_to_start(const struct program *program)
{
	fprintf(stderr, "%s: nothing to serve: descriptor 0 is no listening socket, systemd passed none, and this is no CGI request.\n%s\n",
	    program->name, program->how);
	return PROGRAM_EXIT_USAGE;
}

static int serve_loaded(struct running *r)
{
	const char *where = r->options->listen;

	switch (r->start) {
	case START_FD0:
		return serve_socket(r, STDIN_FILENO);
	case START_NOTHING:
		where = settings_of(r->program, r->loaded).listen;
		if (where == NULL)
			return say_how_to_start(r->program);
		r->start = START_LISTEN;
		return serve_listening(r, where);
	default:
		return serve_listening(r, where);
	}
}

static int serve(const struct program *program, const struct options *options)
{
	struct running r = {.program = program, .options = options, .conf_file = conf_file(options->conf), .start = listen_detect(options->listen)};
	int status = PROGRAM_EXIT_CONFIG;
	size_t n_errors;

	worker_signals();
	if (r.start == START_FD0)
		close_range(STDERR_FILENO + 1, ~0U, 0);	/* mod_fcgid leaks two pipes of Apache's */
	log_open(LOG_TO_STDERR, LOG_INFO_, program->name);
	r.loaded = load_and_log(&r, &n_errors);
	if (r.loaded != NULL)
		log_as_configured(&r);
	if (r.start == START_CGI)
		status = serve_cgi(&r);
	else if (r.loaded != NULL)
		status = serve_loaded(&r);
	else
		log_error("%s cannot be served as it is; %s --check shows all that is wrong", r.conf_file, program->name);
	program->free(r.loaded);
	return status;
}

static int check(const struct program *program, const struct options *options)
{
	struct problems problems = {0};
	const char *file = conf_file(options->conf);
	bool ok = program->check(file, time(NULL), &problems);

	report_print(stdout, file, &problems);
	problems_free(&problems);
	return ok ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* --- options ------------------------------------------------------------------------------------------------------ */

enum { OPTION_LISTEN = 256, OPTION_WORKERS, OPTION_CHECK, OPTION_FOREGROUND };

static const struct argp_option option_table[] = {
	{"conf", 'c', "FILE", 0, "configuration (default: $" CONF_ENV ", else " CONF_DEFAULT_FILE ")", 0},
	{"listen", OPTION_LISTEN, "PATH|ADDR:PORT", 0, "make this socket and serve on it", 0},
	{"workers", OPTION_WORKERS, "N", 0, "number of workers, over what the configuration says", 0},
	{"check", OPTION_CHECK, NULL, 0, "check the configuration and all it names, and exit with 0 or 1", 0},
	{"foreground", OPTION_FOREGROUND, NULL, 0, "stay in the foreground: the default, and all there is", 0},
	{0},
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;
	char *end;
	long n;

	switch (key) {
	case 'c':
		o->conf = arg;
		return 0;
	case OPTION_LISTEN:
		o->listen = arg;
		return 0;
	case OPTION_WORKERS:
		n = strtol(arg, &end, 10);
		if (*arg == '\0' || *end != '\0' || n < 1 || n > MASTER_WORKERS_MAX)
			argp_error(state, "--workers wants a number from 1 to %d, not '%s'", MASTER_WORKERS_MAX, arg);
		o->workers = (unsigned)n;
		return 0;
	case OPTION_CHECK:
		o->check = true;
		return 0;
	case OPTION_FOREGROUND:
		return 0;
	case ARGP_KEY_ARG:
		argp_error(state, "unexpected argument '%s'", arg);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

int program_main(const struct program *program, int argc, char **argv)
{
	const struct argp argp = {option_table, parse, NULL, program->doc, NULL, NULL, NULL};
	struct options options = {0};

	mem_no_core();
	/* A CGI program's arguments may come from the client: a query without '=' is handed over as such (RFC 3875, 4.4). */
	if (getenv("GATEWAY_INTERFACE") != NULL)
		argc = 1;
	argp_parse(&argp, argc, argv, 0, NULL, &options);
	return options.check ? check(program, &options) : serve(program, &options);
}
