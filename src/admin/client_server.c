#include "admin/client_server.h"

#include <string.h>
#include <strings.h>

#include "admin/verb.h"
#include "base/codec.h"
#include "pki/name.h"

static bool read_fingerprint(const char *text, uint8_t fp[32])
{
	struct buf octets = {0};
	bool ok = hex_decode(&octets, text) && octets.n == 32;

	if (ok)
		memcpy(fp, octets.p, 32);
	buf_free(&octets);
	return ok;
}

int client_opts_check(const struct client_opts *opts)
{
	uint8_t fp[32];

	if (strncasecmp(opts->url, "http://", 7) != 0 && strncasecmp(opts->url, "https://", 8) != 0)
		return verb_misused("'%s' is not a URL: it must begin with http:// or https://", opts->url);
	if (strpbrk(opts->url, "?#") != NULL)
		return verb_misused("the URL must end before the '%c': the operation is put there", *strpbrk(opts->url, "?#"));
	if (opts->fingerprint != NULL && !read_fingerprint(opts->fingerprint, fp))
		return verb_misused("--fingerprint is not a SHA-256 fingerprint: 64 hexadecimal digits, ':' allowed");
	if (opts->digest != NULL && digest_by_name(opts->digest) == NULL)
		return verb_misused("--digest '%s' is not one of SHA-256, SHA-384, SHA-512 and SHA-1", opts->digest);
	if (opts->cipher != NULL && cipher_by_name(opts->cipher) == NULL)
		return verb_misused("--cipher '%s' is not one of aes128, aes192, aes256 and des3", opts->cipher);
	return EXIT_OK;
}

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
	uint8_t fp[32];
	enum err err;

	if (opts->fingerprint != NULL) {
		if (!read_fingerprint(opts->fingerprint, fp))
			return fail(why, ERR_CONFIG, "the fingerprint is not SHA-256");
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
