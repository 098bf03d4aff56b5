/* scep.fcgi: the SCEP responder. Options only; server/serve.h has the story. */
#include <argp.h>
#include <stdlib.h>

#include "conf/conf.h"
#include "server/master.h"
#include "server/serve.h"

enum { OPTION_LISTEN = 256, OPTION_WORKERS, OPTION_CHECK, OPTION_FOREGROUND };

struct arguments {
	struct serve_options serve;
	bool check;
};

const char *argp_program_version = "scep.fcgi (scepter) " PACKAGE_VERSION;

static const struct argp_option options[] = {
	{"conf", 'c', "FILE", 0, "configuration (default: $" CONF_ENV ", else " CONF_DEFAULT_FILE ")", 0},
	{"listen", OPTION_LISTEN, "PATH|ADDR:PORT", 0, "make this socket and serve on it", 0},
	{"workers", OPTION_WORKERS, "N", 0, "number of workers, over what the configuration says", 0},
	{"check", OPTION_CHECK, NULL, 0, "check the configuration and all it names, and exit with 0 or 1", 0},
	{"foreground", OPTION_FOREGROUND, NULL, 0, "stay in the foreground: the default, and all there is", 0},
	{0},
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct arguments *a = state->input;
	char *end;
	long n;

	switch (key) {
	case 'c':
		a->serve.conf = arg;
		return 0;
	case OPTION_LISTEN:
		a->serve.listen = arg;
		return 0;
	case OPTION_WORKERS:
		n = strtol(arg, &end, 10);
		if (*arg == '\0' || *end != '\0' || n < 1 || n > MASTER_WORKERS_MAX)
			argp_error(state, "--workers wants a number from 1 to %d, not '%s'", MASTER_WORKERS_MAX, arg);
		a->serve.workers = (unsigned)n;
		return 0;
	case OPTION_CHECK:
		a->check = true;
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

int main(int argc, char **argv)
{
	static const struct argp argp = {options, parse, NULL,
	    "SCEP (RFC 8894) certificate enrolment as a FastCGI responder.\v"
	    "Started by a web server or systemd it finds its socket by itself; otherwise --listen makes one.", NULL, NULL, NULL};
	struct arguments a = {0};

	/* A CGI program's arguments may come from the client: a query without '=' is handed over as such (RFC 3875, 4.4). */
	if (getenv("GATEWAY_INTERFACE") != NULL)
		argc = 1;
	argp_parse(&argp, argc, argv, 0, NULL, &a);
	return a.check ? serve_check(&a.serve) : serve(&a.serve);
}
