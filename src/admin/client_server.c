#include "admin/client_server.h"

#include <string.h>

#include "admin/verb.h"
#include "base/codec.h"
#include "pki/name.h"

/* A server without GetCACaps is allowed (RFC 8894, 3.5.2); the user then has to name digest and cipher. */
static enum err ask_caps(struct client_server *s, const struct client_opts *opts, struct why *why)
{
	struct client_http_answer answer = {0};
	enum err err;

	err = client_http_get(s->http, "GetCACaps", (struct bytes){0}, &answer, why);
	if (err != ERR_OK)
		return err;
	if (answer.status == 200)
		s->caps = client_caps_read(buf_bytes(&answer.body));
	else if (opts->digest == NULL || opts->cipher == NULL)
		err = client_http_expect_ok("GetCACaps", &answer, why);
	buf_free(&answer.body);
	return err == ERR_OK ? client_algs_choose(s->caps, opts->digest, opts->cipher, &s->algs, why) : err;
}

static enum err ask_certs(struct client_server *s, struct why *why)
{
	struct client_http_answer answer = {0};
	enum err err;

	err = client_http_get(s->http, "GetCACert", (struct bytes){0}, &answer, why);
	if (err == ERR_OK)
		err = client_http_expect_ok("GetCACert", &answer, why);
	if (err == ERR_OK)
		err = client_ca_read(buf_bytes(&answer.body), &s->ca, why);
	buf_free(&answer.body);
	return err;
}

static void show_ca(const struct cert *cert, const uint8_t fingerprint[32])
{
	struct buf name = {0}, hex = {0};

	if (name_text(cert->subject, &name, NULL) != ERR_OK)
		buf_add_str(&name, "(unreadable name)");
	hex_encode(&hex, bytes_of(fingerprint, 32));
	verb_note("The server's CA is %s\nSHA-256 fingerprint: %s", (const char *)name.p, (const char *)hex.p);
	buf_free(&name);
	buf_free(&hex);
}

static enum err pin(struct client_server *s, const struct client_opts *opts, struct why *why)
{
	const struct cert *top;
	struct buf given = {0};
	uint8_t fp[32];
	enum err err;

	if (opts->fingerprint != NULL) {
		if (!hex_decode(&given, opts->fingerprint) || given.n != sizeof(fp)) {
			buf_free(&given);
			return fail(why, ERR_CONFIG, "--fingerprint is not a SHA-256 fingerprint: 64 hexadecimal digits, ':' allowed");
		}
		memcpy(fp, given.p, sizeof(fp));
		buf_free(&given);
		return client_ca_pin(s->ca, fp, why);
	}
	top = client_ca_top(s->ca);
	cert_fingerprint(top, fp);
	err = client_ca_pin(s->ca, fp, why);
	show_ca(top, fp);
	if (err == ERR_OK && !opts->trust_first)
		return fail(why, ERR_REMOTE, "nothing was sent: compare this fingerprint with what the CA's operator says, then give it "
		    "with --fingerprint");
	return err;
}

enum err client_server_meet(const struct client_opts *opts, struct client_server *out, struct why *why)
{
	struct client_server s = {0};
	enum err err;

	err = client_http_open(opts->url, opts->cacert, &s.http, why);
	if (err == ERR_OK)
		err = ask_caps(&s, opts, why);
	if (err == ERR_OK)
		err = ask_certs(&s, why);
	if (err == ERR_OK)
		err = pin(&s, opts, why);
	if (err == ERR_OK)
		*out = s;
	else
		client_server_leave(&s);
	return err;
}

void client_server_leave(struct client_server *server)
{
	client_ca_free(server->ca);
	client_http_close(server->http);
	*server = (struct client_server){0};
}
