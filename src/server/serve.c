#include "server/serve.h"

#include <stdlib.h>

#include "base/codec.h"
#include "base/mem.h"
#include "ca/site.h"
#include "ca/tend.h"
#include "pki/alg.h"
#include "server/route.h"

struct responder {
	struct site *site;
	struct tend tend;
};

static void *load(const char *conf_file, time_t now, const void *before, struct problems *problems)
{
	const struct responder *running = before;
	struct site *site = site_load(conf_file, now, running == NULL ? NULL : running->site, problems);
	struct responder *r = site == NULL ? NULL : mem_alloc(sizeof(*r));

	if (r != NULL)
		r->site = site;
	return r;
}

static void unload(void *loaded)
{
	struct responder *r = loaded;

	if (r == NULL)
		return;
	site_free(r->site);
	free(r);
}

static void settings(const void *loaded, struct program_settings *out)
{
	const struct conf *conf = ((const struct responder *)loaded)->site->conf;

	*out = (struct program_settings){
	    .limits = {
		.max_body = (size_t)conf->max_body,
		.max_query = (size_t)conf->max_query,
		.read_timeout_ms = (long)conf->read_timeout_ms,
		.write_timeout_ms = (long)conf->write_timeout_ms,
	    },
	    .listen = conf->listen,
	    .listen_mode = conf->listen_mode,
	    .workers = (long)conf->workers,
	    .syslog = conf->syslog,
	    .log_level = conf->log_level,
	    .profiles = (unsigned)conf->n_profiles,
	};
}

static enum err open_site(void *loaded, struct why *why)
{
	return site_open(((struct responder *)loaded)->site, why);
}

/* The profiles with the SHA-256 fingerprints of their CA certificates: the only root of trust that SCEP has (P-42). */
static void report(const void *loaded)
{
	const struct responder *r = loaded;

	for (struct profile *const *p = r->site->profiles; *p != NULL; p++) {
		const struct digest_row *sha256 = digest_row(DIGEST_SHA256);
		uint8_t digest[64];
		struct buf hex = {0};

		hex_encode(&hex, bytes_of(digest, digest_of(sha256, buf_bytes(&(*p)->ca_cert->der), digest)));
		log_info("profile '%s': CA certificate SHA-256 %s", (*p)->conf->name, (const char *)hex.p);
		buf_free(&hex);
	}
}

static void handle(void *ctx, const struct http_req *req, struct http_resp *resp)
{
	route(((struct responder *)ctx)->site, req, time(NULL), resp);
}

/* Says what was done; an error is the same in every worker and is said by each, less and less often while it lasts. */
static void tend(void *loaded)
{
	struct responder *r = loaded;
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

const struct program scep_program = {
    .name = "scep.fcgi",
    .doc = "SCEP (RFC 8894) certificate enrolment as a FastCGI responder.\v"
	   "Started by a web server or systemd it finds its socket by itself; otherwise --listen makes one.",
    .how = "Start it with --listen /run/scepter/fcgi.sock (or listen = ... in scepter.ini), from a web server, or\n"
	   "look at the configuration with --check. scep.fcgi(8) tells more.",
    .load = load,
    .free = unload,
    .settings = settings,
    .open = open_site,
    .check = site_check,
    .report = report,
    .handle = handle,
    .tend = tend,
};
