#include "server/listen.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/mem.h"

#define BACKLOG 128	/* nginx and lighttpd answer 502 and 500 at once when it is full */
#define SYSTEMD_FD 3	/* SD_LISTEN_FDS_START */

/* --- how were we started? ----------------------------------------------------------------------------------------- */

static bool is_listening(int fd)
{
	int on = 0;
	socklen_t n = sizeof(on);

	return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &on, &n) == 0 && on;
}

static bool for_us(const char *pid_variable)
{
	const char *pid = getenv(pid_variable);

	return pid != NULL && strtol(pid, NULL, 10) == (long)getpid();
}

enum start listen_detect(const char *option)
{
	if (option != NULL)
		return START_LISTEN;
	if (getenv("LISTEN_FDS") != NULL && for_us("LISTEN_PID"))
		return START_SYSTEMD;
	/* Not FCGX_IsCGI: it asks for a peer, and takes every other way to be started for CGI. */
	if (is_listening(STDIN_FILENO))
		return START_FD0;
	if (getenv("GATEWAY_INTERFACE") != NULL)
		return START_CGI;
	return START_NOTHING;
}

enum err listen_systemd(int *fd, struct why *why)
{
	const char *fds = getenv("LISTEN_FDS");
	long n = fds == NULL ? 0 : strtol(fds, NULL, 10);

	unsetenv("LISTEN_FDS");
	unsetenv("LISTEN_PID");
	unsetenv("LISTEN_FDNAMES");
	if (n != 1)
		return fail(why, ERR_CONFIG, "systemd passed %ld sockets, one is wanted: one ListenStream= in scepter.socket", n);
	if (!is_listening(SYSTEMD_FD))
		return fail(why, ERR_CONFIG, "systemd's descriptor %d is no listening stream socket: use ListenStream= and Accept=no",
		    SYSTEMD_FD);
	fcntl(SYSTEMD_FD, F_SETFD, FD_CLOEXEC);
	*fd = SYSTEMD_FD;
	return ERR_OK;
}

void listen_notify(const char *state)
{
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	const char *path = getenv("NOTIFY_SOCKET");
	size_t n = path == NULL ? 0 : strlen(path);
	int fd;

	if (n < 2 || n >= sizeof(to.sun_path) || (path[0] != '/' && path[0] != '@'))
		return;
	memcpy(to.sun_path, path, n);
	if (to.sun_path[0] == '@')
		to.sun_path[0] = '\0';
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return;
	sendto(fd, state, strlen(state), MSG_NOSIGNAL, (struct sockaddr *)&to, (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n));
	close(fd);
}

/* --- a unix socket ------------------------------------------------------------------------------------------------ */

/* Does somebody answer on the socket at this address? A full backlog (EAGAIN) is an answer too. */
static bool is_served(const struct sockaddr_un *sa)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	bool served = fd >= 0 && (connect(fd, (const struct sockaddr *)sa, sizeof(*sa)) == 0 || errno == EAGAIN);

	if (fd >= 0)
		close(fd);
	return served;
}

static enum err unix_clear(const struct sockaddr_un *sa, struct why *why)
{
	struct stat st;

	if (lstat(sa->sun_path, &st) != 0)
		return errno == ENOENT ? ERR_OK : fail(why, ERR_FILE, "%s: %s", sa->sun_path, strerror(errno));
	if (!S_ISSOCK(st.st_mode))
		return fail(why, ERR_CONFLICT, "%s exists and is no socket: choose another path, or remove it", sa->sun_path);
	if (is_served(sa))
		return fail(why, ERR_CONFLICT, "%s is served by another process: stop that one first", sa->sun_path);
	if (unlink(sa->sun_path) != 0 && errno != ENOENT)
		return fail(why, ERR_FILE, "%s: the stale socket cannot be removed: %s", sa->sun_path, strerror(errno));
	return ERR_OK;
}

static enum err unix_open(const char *path, unsigned mode, int *out, struct why *why)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	enum err err;
	mode_t mask;
	int fd, bound;

	if (strlen(path) >= sizeof(sa.sun_path))
		return fail(why, ERR_CONFIG, "socket path '%s' is too long: %zu octets at most", path, sizeof(sa.sun_path) - 1);
	memcpy(sa.sun_path, path, strlen(path));
	err = unix_clear(&sa, why);
	if (err != ERR_OK)
		return err;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return fail(why, ERR_FILE, "socket: %s", strerror(errno));
	/* Nobody may connect between bind and chmod. */
	mask = umask(0777);
	bound = bind(fd, (struct sockaddr *)&sa, sizeof(sa));
	umask(mask);
	if (bound != 0 || chmod(path, mode & 0777) != 0 || listen(fd, BACKLOG) != 0) {
		fail(why, ERR_FILE, "cannot listen on %s: %s", path, strerror(errno));
		close(fd);
		return ERR_FILE;
	}
	*out = fd;
	return ERR_OK;
}

/* --- an internet socket ------------------------------------------------------------------------------------------- */

static enum err inet_bind(const struct addrinfo *ai, const char *where, int *out, struct why *why)
{
	int on = 1, fd = socket(ai->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	enum err err;

	if (fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == 0 &&
	    bind(fd, ai->ai_addr, ai->ai_addrlen) == 0 && listen(fd, BACKLOG) == 0) {
		*out = fd;
		return ERR_OK;
	}
	err = fail(why, errno == EADDRINUSE ? ERR_CONFLICT : ERR_FILE, "cannot listen on %s: %s", where, strerror(errno));
	if (fd >= 0)
		close(fd);
	return err;
}

/* "127.0.0.1:9000", "[::1]:9000", "9000" (loopback: who can connect can forge every variable) */
static enum err inet_open(const char *where, int *out, struct why *why)
{
	struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV};
	const char *colon = strrchr(where, ':'), *port = colon == NULL ? where : colon + 1;
	char *host = colon == NULL ? mem_strdup("127.0.0.1") : mem_strndup(where, (size_t)(colon - where));
	size_t n = strlen(host);
	struct addrinfo *ai = NULL;
	enum err err;

	if (n >= 2 && host[0] == '[' && host[n - 1] == ']') {
		memmove(host, host + 1, n - 2);
		host[n - 2] = '\0';
	}
	if (*host == '\0' || *port == '\0' || getaddrinfo(host, port, &hints, &ai) != 0)
		err = fail(why, ERR_CONFIG, "'%s' is no place to listen: an absolute path, ADDR:PORT or [ADDR6]:PORT is wanted", where);
	else
		err = inet_bind(ai, where, out, why);
	if (ai != NULL)
		freeaddrinfo(ai);
	free(host);
	return err;
}

enum err listen_open(const char *where, unsigned mode, int *fd, struct why *why)
{
	if (strncmp(where, "unix:", 5) == 0)
		where += 5;
	return *where == '/' ? unix_open(where, mode, fd, why) : inet_open(where, fd, why);
}
