#include <arpa/inet.h>
#include <string.h>

#include "conf/conf.h"

#define SCHEMES 2
static const char *const schemes[SCHEMES] = {"https://", "http://"};

static const char *scheme_of(const char *url)
{
	for (size_t i = 0; i < SCHEMES; i++) {
		if (strncmp(url, schemes[i], strlen(schemes[i])) == 0)
			return schemes[i];
	}
	return NULL;
}

int hook_url_server(const char *url)
{
	const char *scheme = scheme_of(url);
	size_t n = scheme == NULL ? 0 : strlen(scheme);

	return (int)(n + strcspn(url + n, "/?#"));
}

/* 127.0.0.0/8 or [::1], as an address: a name may lead anywhere. */
static bool is_loopback(const char *server, size_t n)
{
	char host[64];
	struct in_addr v4;

	if (n >= sizeof(host))
		return false;
	memcpy(host, server, n);
	host[n] = '\0';
	if (strncmp(host, "[::1]", 5) == 0)
		return host[5] == '\0' || host[5] == ':';
	host[strcspn(host, ":")] = '\0';
	return inet_pton(AF_INET, host, &v4) == 1 && ntohl(v4.s_addr) >> 24 == 127;
}

static void check_url(const struct profile_conf *p, struct problems *problems)
{
	const char *url = p->webhook.url, *scheme = scheme_of(url), *server;
	size_t n;

	if (scheme == NULL) {
		problem_in(problems, p->file, "[webhook] url", "'%.100s' is not a URL that begins with https://", url);
		return;
	}
	server = url + strlen(scheme);
	n = strcspn(server, "/?#");
	for (const char *s = url; *s != '\0'; s++) {
		if ((unsigned char)*s <= ' ' || (unsigned char)*s >= 0x7f || *s == '\\' || *s == '#') {
			problem_in(problems, p->file, "[webhook] url", "'%.100s' holds what no URL has there: write it with %%XX", url);
			return;
		}
	}
	if (memchr(server, '@', n) != NULL)
		problem_in(problems, p->file, "[webhook] url",
		    "holds a user name or password, which logs and lists show; sign the requests by secret_file, or use client_certificate");
	else if (n == 0 || server[0] == ':' || strspn(server, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_:[]") < n)
		problem_in(problems, p->file, "[webhook] url", "'%.100s' names no host", url);
	else if (strcmp(scheme, "http://") == 0 && !is_loopback(server, n))
		problem_in(problems, p->file, "[webhook] url",
		    "'%.100s' would send requests and challenges in the clear; use https://, http:// is for a loopback address such as 127.0.0.1", url);
}

static void check_webhook(const struct profile_conf *p, struct problems *problems)
{
	const struct webhook_conf *w = &p->webhook;

	if (w->url != NULL)
		check_url(p, problems);
	if ((w->client_certificate == NULL) != (w->client_key == NULL))
		problem_in(problems, p->file, w->client_key == NULL ? "[webhook] client_key" : "[webhook] client_certificate",
		    "missing beside [webhook] %s; set both, or take out both", w->client_key == NULL ? "client_certificate" : "client_key");
}

/* The first that claims a challenge is the only one that judges it: a second one would never be asked. */
static void check_roles(const struct profile_conf *p, struct problems *problems)
{
	if (p->webhook.url != NULL && p->command.path != NULL && p->webhook.hook.role == HOOK_CHALLENGE && p->command.hook.role == HOOK_CHALLENGE)
		problem_in(problems, p->file, "[command] role", "'challenge' is what [webhook] does already; only one of them can judge a challenge");
}

void hook_conf_check(const struct profile_conf *p, struct problems *problems)
{
	check_webhook(p, problems);
	check_roles(p, problems);
}
