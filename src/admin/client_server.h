/* A server as a client meets it: connected, its capabilities and certificates read, its CA pinned. */
#ifndef ADMIN_CLIENT_SERVER_H
#define ADMIN_CLIENT_SERVER_H

#include "admin/client_ca.h"
#include "admin/client_http.h"

/* Options of every verb that talks to a SCEP server. */
struct client_opts {
	const char *url;
	const char *fingerprint;	/* SHA-256 of the CA certificate, hexadecimal */
	bool trust_first;		/* take the CA that the server shows */
	const char *cacert;		/* for https */
	const char *digest, *cipher;
};

#define CLIENT_OPTS(type, field) \
	{"URL", 0, OPT_ARG, offsetof(type, field.url), NULL, NULL}, \
	{"fingerprint", 'f', OPT_TEXT, offsetof(type, field.fingerprint), "SHA256", \
	    "SHA-256 fingerprint of the CA certificate, hexadecimal; without it the server's is shown and nothing is sent"}, \
	{"trust-first", 0, OPT_FLAG, offsetof(type, field.trust_first), NULL, \
	    "trust the CA that the server shows now: only on a network that nobody else can reach into"}, \
	{"cacert", 0, OPT_TEXT, offsetof(type, field.cacert), "FILE", "for https: trust the TLS certificates of FILE (PEM)"}, \
	{"digest", 0, OPT_TEXT, offsetof(type, field.digest), "NAME", \
	    "SHA-256, SHA-384, SHA-512 or SHA-1; otherwise what the server announces"}, \
	{"cipher", 0, OPT_TEXT, offsetof(type, field.cipher), "NAME", \
	    "aes128, aes192, aes256 or des3; otherwise what the server announces"}

/* What is wrong with the options as such, said on stderr: EXIT_USAGE, or EXIT_OK. */
int client_opts_check(const struct client_opts *opts);

struct client_server {
	struct client_http *http;
	unsigned caps;
	struct client_algs algs;
	struct client_ca *ca;		/* pinned */
};

/* Asks GetCACaps and GetCACert and pins the CA. The options were checked. Errors: CONFIG, REMOTE. */
enum err client_server_meet(const struct client_opts *opts, struct client_server *out, struct why *why);
void client_server_leave(struct client_server *server);

#endif
