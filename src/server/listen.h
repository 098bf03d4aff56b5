/* Where requests come from: the ways to be started, and the sockets of our own. */
#ifndef SERVER_LISTEN_H
#define SERVER_LISTEN_H

#include <stdbool.h>

#include "base/err.h"

enum start {
	START_FD0,	/* file descriptor 0 is a listening socket: mod_fcgid, lighttpd bin-path, spawn-fcgi */
	START_SYSTEMD,	/* LISTEN_FDS: socket activation */
	START_LISTEN,	/* we make the socket: --listen, or listen in scepter.ini */
	START_CGI,	/* plain CGI: GATEWAY_INTERFACE is set and nobody listens */
	START_NOTHING	/* a terminal, cron, a mistake */
};

/* Which one is it? option: --listen or NULL. START_LISTEN is only told for an option; the configuration comes after NOTHING. */
enum start listen_detect(const char *option);

/*
 * Opens a socket of our own: a path (absolute, "unix:" before it allowed), ADDR:PORT, [ADDR6]:PORT or PORT. Path: gets `mode`; a socket that is
 * there already is replaced when nobody answers on it; it is never removed again, since that would hit a successor's.
 * Errors: CONFIG (malformed address), CONFLICT (in use), FILE (bind failed).
 */
enum err listen_open(const char *where, unsigned mode, int *fd, struct why *why);

/*
 * Takes the socket that systemd passed: close-on-exec, and the variables unset so that no child believes them meant for it. Errors:
 * CONFIG (none or several, or not a listening stream socket).
 */
enum err listen_systemd(int *fd, struct why *why);

/* sd_notify(3): "READY=1" and the like to $NOTIFY_SOCKET; nothing when there is none. */
void listen_notify(const char *state);

#endif
