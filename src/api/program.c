#include "api/program.h"

#include "api/call.h"
#include "api/site.h"

#define BODY_MAX 65536	/* octets; the largest order that is accepted has less */

static void *load(const char *conf_file, time_t now, const void *before, struct problems *problems)
{
	(void)now, (void)before;
	return admin_site_load(conf_file, problems);
}

static void unload(void *loaded)
{
	admin_site_free(loaded);
}

static void settings(const void *loaded, struct program_settings *out)
{
	const struct conf *conf = ((const struct admin_site *)loaded)->conf;

	*out = (struct program_settings){
	    .limits = {
		.max_body = BODY_MAX,
		.max_query = (size_t)conf->max_query,
		.read_timeout_ms = (long)conf->read_timeout_ms,
		.write_timeout_ms = (long)conf->write_timeout_ms,
	    },
	    .listen = conf->admin.listen,
	    .listen_mode = conf->admin.listen_mode,
	    .workers = (long)conf->admin.workers,
	    .syslog = conf->syslog,
	    .log_level = conf->log_level,
	};
}

static enum err open_site(void *loaded, struct why *why)
{
	return admin_site_open(loaded, why);
}

static bool check(const char *conf_file, time_t now, struct problems *problems)
{
	(void)now;
	return admin_site_check(conf_file, problems);
}

const struct program admin_program = {
    .name = "scep-admin.fcgi",
    .doc = "One-time challenges for SCEP, made by HTTP, as a FastCGI responder.\v"
	   "Started by a web server or systemd it finds its socket by itself; otherwise --listen makes one.",
    .how = "Start it with --listen /run/scepter-admin/fcgi.sock (or listen = ... in [admin] of scepter.ini), from a web server, or\n"
	   "look at the configuration with --check. scep-admin.fcgi(8) tells more.",
    .load = load,
    .free = unload,
    .settings = settings,
    .open = open_site,
    .check = check,
    .handle = admin_route,
};
