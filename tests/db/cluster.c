#include "cluster.h"

#include <errno.h>
#include <fcntl.h>
#include <libpq-fe.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"

#define SCRIPT TEST_DATA "/../lib/private-postgres"

extern char **environ;

static char dir[] = "/tmp/scepter-db.XXXXXX";
static char base[300], database[40] = "scepter";
static pid_t owner, keeper;
static int lifeline, n_databases;

static void die(const char *what, const char *detail)
{
	printf("Bail out! %s: %s\n", what, detail);
	exit(1);
}

/* Runs the script; the first line it prints goes to `out` if that is not NULL. */
static int run(const char *command, char *out, size_t size)
{
	char *const argv[] = {(char *)SCRIPT, (char *)command, dir, NULL};
	posix_spawn_file_actions_t actions;
	int fds[2], status = -1;
	ssize_t n;
	pid_t pid;

	if (pipe(fds) != 0)
		die("pipe", strerror(errno));
	posix_spawn_file_actions_init(&actions);
	if (out != NULL)
		posix_spawn_file_actions_adddup2(&actions, fds[1], 1);
	posix_spawn_file_actions_addclose(&actions, fds[0]);
	posix_spawn_file_actions_addclose(&actions, fds[1]);
	if (posix_spawn(&pid, SCRIPT, &actions, NULL, argv, environ) != 0)
		die(SCRIPT, "cannot be started");
	posix_spawn_file_actions_destroy(&actions);
	close(fds[1]);
	if (out != NULL) {
		n = read(fds[0], out, size - 1);
		out[n > 0 ? n : 0] = '\0';
		out[strcspn(out, "\n")] = '\0';
	}
	close(fds[0]);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return status;
}

/* A process of its own, which removes the cluster when this one is gone, also when it was killed: then nobody holds the pipe any more. */
static void keep(int pipe)
{
	char c;

	setsid();
	while (read(pipe, &c, 1) < 0 && errno == EINTR)
		;
	run("remove", NULL, 0);
	rmdir(dir);
	_exit(0);
}

static void start_keeper(void)
{
	int fds[2];

	if (pipe2(fds, O_CLOEXEC) != 0)
		die("pipe", strerror(errno));
	keeper = fork();
	if (keeper == 0) {
		close(fds[1]);
		keep(fds[0]);
	}
	close(fds[0]);
	lifeline = fds[1];
}

static void remove_cluster(void)
{
	if (getpid() != owner)
		return;
	close(lifeline);
	waitpid(keeper, NULL, 0);
}

bool cluster_start(void)
{
	char *end;

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (access("/usr/lib/postgresql", X_OK) != 0) {
		puts("1..0 # SKIP PostgreSQL is not installed");
		return false;
	}
	if (mkdtemp(dir) == NULL)
		die("mkdtemp", strerror(errno));
	chmod(dir, 0711);	/* the server's user must pass */
	owner = getpid();
	start_keeper();
	atexit(remove_cluster);
	if (run("start", NULL, 0) != 0 || run("conninfo", base, sizeof(base)) != 0)
		die("private-postgres", "the cluster did not start");
	end = strstr(base, " user=");
	if (end != NULL)
		*end = '\0';
	return true;
}

void cluster_hurry(void)
{
	free(cluster_sql("postgres", "ALTER SYSTEM SET fsync = off"));
	free(cluster_sql("postgres", "SELECT pg_reload_conf()"));
}

void cluster_restart(void)
{
	if (run("stop", NULL, 0) != 0 || run("start", NULL, 0) != 0)
		die("private-postgres", "the cluster did not restart");
}

int cluster_pid(void)
{
	char pid[20];

	if (run("pid", pid, sizeof(pid)) != 0)
		die("private-postgres", "the postmaster has no process id");
	return (int)strtol(pid, NULL, 10);
}

void cluster_kill(void)
{
	if (kill(cluster_pid(), SIGKILL) != 0)
		die("postmaster", "cannot be killed");
	if (run("start", NULL, 0) != 0)
		die("private-postgres", "the cluster did not come back");
}

const char *cluster_conninfo(const char *role)
{
	static char text[400];

	snprintf(text, sizeof(text), "%s user=%s dbname=%s", base, role, database);
	return text;
}

char *cluster_sql(const char *role, const char *sql)
{
	PGconn *pg = PQconnectdb(cluster_conninfo(role));
	bool may_fail = *sql == '?';
	PGresult *r;
	char *out;

	if (PQstatus(pg) != CONNECTION_OK)
		die("connect", PQerrorMessage(pg));
	r = PQexec(pg, sql + may_fail);
	if (PQresultStatus(r) == PGRES_FATAL_ERROR) {
		if (!may_fail)
			die(sql, PQerrorMessage(pg));
		out = mem_printf("ERROR %s", PQresultErrorField(r, PG_DIAG_SQLSTATE));
	} else {
		out = mem_strdup(PQntuples(r) > 0 ? PQgetvalue(r, 0, 0) : "");
	}
	PQclear(r);
	PQfinish(pg);
	return out;
}

long cluster_count(const char *sql)
{
	char *text = cluster_sql("postgres", sql);
	long n = strtol(text, NULL, 10);

	free(text);
	return n;
}

void cluster_new_database(void)
{
	char sql[80], name[40];

	snprintf(name, sizeof(name), "test%d", ++n_databases);
	snprintf(sql, sizeof(sql), "CREATE DATABASE %s", name);
	free(cluster_sql("postgres", sql));
	snprintf(database, sizeof(database), "%s", name);
}

struct store *cluster_store_to(const char *conninfo, long timeout_ms)
{
	const struct store_conf conf = {
	    .conninfo = conninfo,
	    .timeout_ms = timeout_ms,
	    .pepper = BYTES_LIT("0123456789abcdef0123456789abcdef"),
	    .application = "test",
	};

	return store_open(&conf);
}

struct store *cluster_store(const char *role)
{
	return cluster_store_to(cluster_conninfo(role), CLUSTER_PATIENCE_MS);
}

struct store_request sample_request(const char *txid, const char *key, const char *csr)
{
	return (struct store_request){
	    .profile = "default",
	    .txid = bytes_str(txid),
	    .digest_of = bytes_str(csr),
	    .signer_spki = bytes_str(key),
	    .device = "device-1",
	    .subject = "CN=device-1",
	};
}

struct store_cert sample_cert(const char *key)
{
	static uint8_t ring[64][1000];
	static unsigned next;
	uint8_t *der = ring[next++ % 64];
	struct store_cert c = {
	    .issuer = BYTES_LIT("certificate of the CA"),
	    .der = bytes_of(der, sizeof(ring[0])),
	    .not_before = time(NULL) - 60,
	    .not_after = time(NULL) + 86400,
	    .sans = "DNS:device-1",
	    .spki = bytes_str(key),
	    .requester = "127.0.0.1",
	};

	if (store_serial(time(NULL), c.serial, NULL) != ERR_OK)
		die("store_serial", "failed");
	memset(der, 0x30, sizeof(ring[0]));
	memcpy(der, c.serial, sizeof(c.serial));
	return c;
}
