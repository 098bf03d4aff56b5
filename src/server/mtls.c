#include "server/mtls.h"

#include <stdio.h>

#include "base/log.h"
#include "ca/tls.h"
#include "conf/cidr.h"
#include "conf/table.h"

#define CERT_VAR "SSL_CLIENT_CERT"	/* Apache's and lighttpd's name, and that of conf/nginx.conf */
#define VERIFY_VAR "SSL_CLIENT_VERIFY"	/* what the web server makes of it: to be told, not to be trusted */
#define SAY_AGAIN_S 60

/* RFC 3875, 4.1.18. */
static void header_var(const char *header, char var[sizeof("HTTP_") + HEADER_MAX])
{
	char *to = var + snprintf(var, sizeof("HTTP_"), "HTTP_");

	for (; *header != '\0'; header++)
		*to++ = *header == '-' ? '_' : *header >= 'a' && *header <= 'z' ? (char)(*header - 'a' + 'A') : *header;
	*to = '\0';
}

static void say_dropped(const char *header, const char *peer, time_t now)
{
	static time_t said;

	if (now >= said && now - said < SAY_AGAIN_S)
		return;
	said = now;
	log_warn("header %s of a request from %.64s is dropped: that address is not in trusted_proxies", header, peer);
}

/* The variable to read it from. */
static const char *source(const struct conf *conf, const struct http_req *req, time_t now, char var[sizeof("HTTP_") + HEADER_MAX])
{
	if (conf->client_cert_header == NULL)
		return CERT_VAR;
	header_var(conf->client_cert_header, var);
	if (cidrs_have(conf->trusted_proxies, req->peer))
		return var;
	if (req->var(req->vars, var, NULL) != NULL)
		say_dropped(conf->client_cert_header, req->peer, now);
	return CERT_VAR;
}

static enum err none(const struct http_req *req, const char *var, struct why *why)
{
	const char *verify = req->var(req->vars, VERIFY_VAR, NULL);

	if (verify == NULL || *verify == '\0')
		verify = "nothing";
	return fail(why, ERR_TLS_CERT, "no client certificate in %s (SSL_CLIENT_VERIFY says: %.100s); the device has to have one, the web server to ask for "
	    "it and to pass it on", var, verify);
}

enum err mtls_admit(const struct conf *conf, const struct profile *p, const struct http_req *req, time_t now, struct cert **out, struct why *why)
{
	char header[sizeof("HTTP_") + HEADER_MAX];
	const char *var = source(conf, req, now, header), *text;
	bool twice = false;

	text = req->var(req->vars, var, &twice);
	if (text == NULL || *text == '\0')
		return none(req, var, why);
	if (twice)
		return fail(why, ERR_TLS_CERT, "%s comes twice, so that neither can be trusted: the web server sets it twice, or a client has sent the header "
		    "in another spelling", var);
	return tls_admit(p, bytes_str(text), now, out, why);
}
