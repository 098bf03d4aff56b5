/* The operator's own service and command that judge requests: sections [webhook] and [command] of profiles.d/NAME.ini. */
#ifndef CONF_HOOK_CONF_H
#define CONF_HOOK_CONF_H

#include <stdbool.h>
#include <stdint.h>

struct problems;
struct profile_conf;

/* Asked besides somebody else who has said yes, or the one that judges what no other authenticator of the challenge accepts. */
enum conf_hook_role { HOOK_COMPLIANCE, HOOK_CHALLENGE };

struct hook_conf {		/* what both have */
	enum conf_hook_role role;
	bool without_challenge;	/* role challenge: requests without a challenge as well */
	bool renewals;		/* role compliance: renewals as well */
	int64_t timeout_ms;	/* in all */
};

struct webhook_conf {
	char *url;		/* NULL: no web hook */
	struct hook_conf hook;
	char *secret_file;	/* what keys the signature, 0600; NULL: not signed */
	char *ca_file;		/* whose certificates its server may have; NULL: the system's */
	char *client_certificate, *client_key;	/* NULL: none */
	int64_t retries;
};

struct command_conf {
	char *path;		/* NULL: no command */
	struct hook_conf hook;
};

/* What no row of the table can say of these two sections alone. */
void hook_conf_check(const struct profile_conf *p, struct problems *problems);

/* "https://host:port" of a URL that passed the check: what a log may show, for there may be a token behind it. Its length. */
int hook_url_server(const char *url);

#endif
