/* Initialisation, migrations, the check at start-up, and the connection itself. */
#include "fixture.h"
#include "store/schema.h"

#include <netinet/in.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void test_init_and_migrate(void **state)
{
	struct store_status status;
	int from = -1, to = -1;
	struct store *s;

	(void)state;
	assert_ok(store_init(super, &why));
	assert_ok(store_migrate(super, &from, &to, &why));
	assert_int_equal(from, to);
	assert_ok(store_status(super, &status, &why));
	assert_int_equal(status.version, to);
	assert_int_equal(status.newest, to);
	assert_true(status.server_version >= 140000);
	assert_sql("SELECT string_agg(DISTINCT pg_get_userbyid(relowner), ',') FROM pg_class WHERE relnamespace = 'scep'::regnamespace",
	    "scep_owner");

	cluster_new_database();
	s = cluster_store("postgres");
	assert_ok(store_status(s, &status, &why));
	assert_int_equal(status.version, 0);
	assert_int_equal(store_check(s, &why), ERR_DB);
	assert_why("run 'scepter db init'");
	assert_int_equal(store_migrate(s, &from, &to, &why), ERR_DB);
	assert_why("run 'scepter db init'");
	run_sql("CREATE SCHEMA scep AUTHORIZATION scep_owner");
	assert_int_equal(store_check(s, &why), ERR_DB);
	assert_why("schema is version 0, this program needs ");
	assert_why("run 'scepter db migrate'");
	assert_ok(store_migrate(s, &from, &to, &why));
	assert_int_equal(from, 0);
	assert_ok(store_check(s, &why));
	store_close(s);
}

static void test_other_versions(void **state)
{
	int from, to;

	(void)state;
	run_sql("INSERT INTO scep.schema_version VALUES (99, 'later', '\\x00', 1)");
	assert_ok(store_check(super, &why));
	assert_ok(store_migrate(super, &from, &to, &why));
	assert_true(from == 99 && to == 99);
	run_sql("UPDATE scep.schema_version SET min_reader = 99 WHERE version = 99");
	assert_int_equal(store_check(super, &why), ERR_DB);
	assert_why("install a newer scepter");
	run_sql("UPDATE scep.schema_version SET sha256 = '\\x00' WHERE version = 2");
	assert_int_equal(store_migrate(super, &from, &to, &why), ERR_DB);
	assert_why("002");
	assert_why("not this program's");
}

/* A migration that fails leaves nothing behind. */
static void test_migration_fails(void **state)
{
	struct store *s;
	int from, to;

	(void)state;
	cluster_new_database();
	run_sql("CREATE SCHEMA scep AUTHORIZATION scep_owner; CREATE FUNCTION scep.stats() RETURNS int LANGUAGE sql AS 'SELECT 1'");
	s = cluster_store("postgres");
	assert_int_equal(store_migrate(s, &from, &to, &why), ERR_DB);
	assert_why("003_operators");
	assert_sql("SELECT count(*) FROM pg_class WHERE relnamespace = 'scep'::regnamespace", "0");
	run_sql("DROP FUNCTION scep.stats()");
	assert_ok(store_migrate(s, &from, &to, &why));
	store_close(s);
}

/* The one who installs need not be a superuser. */
static void test_init_by_createrole(void **state)
{
	struct store *s;

	(void)state;
	run_sql("DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'installer') THEN CREATE ROLE installer LOGIN CREATEROLE; "
		"END IF; END $$");
	cluster_new_database();
	run_sql("DO $$ BEGIN EXECUTE format('ALTER DATABASE %I OWNER TO installer', current_database()); END $$");
	s = cluster_store("installer");
	assert_ok(store_init(s, &why));
	store_close(s);
	make_logins();
	cluster_new_database();
	s = cluster_store("stranger");
	assert_int_equal(store_init(s, &why), ERR_DB);
	assert_why("'scepter db init' needs a superuser");
	store_close(s);
}

static void test_pepper(void **state)
{
	struct store_conf conf = {cluster_conninfo("postgres"), 5000, BYTES_LIT("short"), "test"};
	struct store *s = store_open(&conf), *other;
	struct store_request r = sample_request("t", "k", "c");
	struct store_answer a;

	(void)state;
	conf.pepper = BYTES_LIT("another pepper of 32 octets or m");
	other = store_open(&conf);
	assert_int_equal(store_admit(s, &r, &a, &why), ERR_CONFIG);
	assert_why("pepper");
	assert_int_equal(store_check(s, &why), ERR_CONFIG);
	assert_ok(store_check(super, &why));
	assert_int_equal(store_check(other, &why), ERR_DB);
	assert_why("restore pepper_file");
	assert_ok(store_init(other, &why));
	assert_ok(store_check(other, &why));
	assert_int_equal(store_check(super, &why), ERR_DB);
	store_close(s);
	store_close(other);
}

static void assert_no_connection(const char *conninfo, long timeout_ms, const char *text)
{
	struct store *s = cluster_store_to(conninfo, timeout_ms);

	assert_int_equal(store_check(s, &why), ERR_DB);
	assert_why(text);
	assert_why("is PostgreSQL running, and does conninfo in scepter.ini [database] name it?");
	store_close(s);
}

/* A port that is taken: somebody listens there, takes connections and says nothing; or nobody listens. */
static int port_of(int *fd, bool listening)
{
	struct sockaddr_in addr = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t n = sizeof(addr);

	*fd = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(bind(*fd, (struct sockaddr *)&addr, n), 0);
	if (listening)
		assert_int_equal(listen(*fd, 10), 0);
	assert_int_equal(getsockname(*fd, (struct sockaddr *)&addr, &n), 0);
	return ntohs(addr.sin_port);
}

static void test_cannot_connect(void **state)
{
	int fd, port = port_of(&fd, false);
	char *refused = mem_printf("host=127.0.0.1 port=%d dbname=x user=y", port);
	struct store *s;

	(void)state;
	assert_no_connection("host=/nonexistent dbname=x user=y", 500, "cannot connect to host /nonexistent, database x as y");
	assert_no_connection(refused, 3000, "onnection refused");
	assert_no_connection(cluster_conninfo("nobody_by_that_name"), 5000, "nobody_by_that_name");
	free(refused);
	close(fd);
	s = cluster_store_to("host=/x nonsense password=hidden", 500);
	assert_int_equal(store_check(s, &why), ERR_CONFIG);
	assert_null(strstr(why.text, "hidden"));
	store_close(s);
}

static long milliseconds(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* During an outage only the first call waits for the server to come back: a hundred more would wait for a hundred seconds. */
static void test_outage_is_quick(void **state)
{
	struct store *s = cluster_store_to("host=/nonexistent dbname=x user=y", 1000);
	long from = milliseconds(), between;

	(void)state;
	assert_int_equal(store_check(s, &why), ERR_DB);
	between = milliseconds();
	assert_true(between - from >= 500);
	for (int i = 0; i < 100; i++)
		assert_int_equal(store_check(s, &why), ERR_DB);
	assert_true(milliseconds() - between < 50000);
	store_close(s);
}

static void assert_second_host(const char *first, int port)
{
	const char *host = cluster_conninfo("postgres") + strlen("host="), *end = strchr(host, ' '), *rest = strstr(end, " user=");
	char *conninfo = mem_printf("host=%s,%.*s port=%d,5432%s", first, (int)(end - host), host, port, rest);
	struct store *s = cluster_store_to(conninfo, 8000);

	assert_ok(store_check(s, &why));
	assert_ok(store_check(s, &why));
	store_close(s);
	free(conninfo);
}

/* Several hosts: the first is dead, or answers nothing at all. */
static void test_hosts(void **state)
{
	int fd, port = port_of(&fd, true);

	(void)state;
	assert_second_host("/nonexistent", 5432);
	assert_second_host("127.0.0.1", port);
	close(fd);
}

static void test_read_only(void **state)
{
	char *conninfo = mem_printf("%s options='-c default_transaction_read_only=on'", cluster_conninfo("postgres"));
	struct store *s = cluster_store_to(conninfo, 5000);	/* time to connect on a busy machine; all of it is used */

	(void)state;
	assert_int_equal(store_check(s, &why), ERR_DB);
	assert_why("read-only");
	store_close(s);
	free(conninfo);
}

/* The server goes away between two calls. */
static void test_reconnect(void **state)
{
	struct store_request r = sample_request("txn", "key", "csr");

	(void)state;
	assert_int_equal(admit(&r), STORE_GO_ON);
	run_sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'test'");
	assert_int_equal(issue(&r, NULL), STORE_GO_ON);
	cluster_restart();
	assert_int_equal(admit(&r), STORE_ISSUED);
}

/* Until the statement counts something. */
static void await(const char *sql)
{
	for (int i = 0; i < 2000; i++) {
		if (cluster_count(sql) > 0)
			return;
		usleep(30000);
	}
	fail_msg("in vain: %s", sql);
}

/* Runs a statement again and again, in a process of its own, until it is killed. */
static pid_t repeat(const char *sql)
{
	pid_t pid = fork();

	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (;;) {
			run_sql(sql);
			usleep(30000);
		}
	}
	return pid;
}

static void end(pid_t pid)
{
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

/* The server became a standby, or is set read-only, while we are connected: leave it, and come back. */
static void test_turns_read_only(void **state)
{
	struct store_request r = sample_request("txn", "key", "csr");
	pid_t pid;

	(void)state;
	assert_int_equal(admit(&r), STORE_GO_ON);
	run_sql("ALTER SYSTEM SET default_transaction_read_only = on");
	run_sql("SELECT pg_reload_conf()");
	await("SELECT count(*) WHERE current_setting('default_transaction_read_only') = 'on'");
	pid = fork();
	if (pid == 0) {	/* the server is promoted meanwhile */
		usleep(500000);
		run_sql("ALTER SYSTEM RESET default_transaction_read_only");
		run_sql("SELECT pg_reload_conf()");
		_exit(0);
	}
	assert_int_equal(issue(&r, NULL), STORE_GO_ON);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

/* A server that is stopped must not hold us: the deadline is ours. */
static void test_deadline(void **state)
{
	struct store *s = cluster_store_to(cluster_conninfo("postgres"), 5000);	/* enough to connect, on a machine that is busy */
	struct store_request r = sample_request("txn", "key", "csr");
	struct store_answer a;
	char *pid;
	long from;
	enum err err;

	(void)state;
	assert_ok(store_admit(s, &r, &a, &why));
	pid = cluster_sql("postgres", "SELECT pid FROM pg_stat_activity WHERE application_name = 'test' ORDER BY backend_start DESC LIMIT 1");
	kill((pid_t)strtol(pid, NULL, 10), SIGSTOP);
	from = milliseconds();
	err = store_admit(s, &r, &a, &why);
	kill((pid_t)strtol(pid, NULL, 10), SIGCONT);
	assert_int_equal(err, ERR_DB);
	assert_why("did not answer in time");
	assert_true(milliseconds() - from >= 4900);
	assert_ok(store_admit(s, &r, &a, &why));	/* on a new connection */
	free(pid);
	store_close(s);
}

/* A commit that stopped waiting for its synchronous standby comes as success with a warning: that is no success. */
static void test_unconfirmed_commit(void **state)
{
	struct store_request r = sample_request("txn", "key", "csr");
	struct store_cert c = sample_cert("key");
	struct store_answer a;
	pid_t pid;
	enum err err;

	(void)state;
	assert_int_equal(issue(&r, NULL), STORE_GO_ON);		/* the issuer is known */
	run_sql("ALTER SYSTEM SET wal_level = replica");
	run_sql("ALTER SYSTEM SET max_wal_senders = 1");
	cluster_restart();
	run_sql("ALTER SYSTEM SET synchronous_standby_names = 'nobody'");
	run_sql("SELECT pg_reload_conf()");
	pid = repeat("COMMENT ON SCHEMA scep IS 'a commit'");	/* until one waits: then it has taken effect */
	await("SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep'");
	end(pid);
	/* every commit that waits for its standby ends without it, as an operator may have it */
	pid = repeat("SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE wait_event = 'SyncRep'");
	r.txid = BYTES_LIT("another");
	err = store_issue(super, &r, &c, &a, &why);
	end(pid);
	assert_int_equal(err, ERR_DB);
	assert_why("standby");
	run_sql("ALTER SYSTEM RESET synchronous_standby_names");
	run_sql("SELECT pg_reload_conf()");
	assert_int_equal(admit(&r), STORE_ISSUED);
	assert_sql("SELECT count(*) FROM scep.cert", "2");
}

static long count_connections(void)
{
	return cluster_count("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'test' AND datname = current_database()");
}

/* A connection must not be used by two processes: a child opens its own, and the parent's survives. */
static void test_fork(void **state)
{
	struct store_request r = sample_request("txn", "key", "csr");
	struct store_answer a;
	int status;
	pid_t pid;

	(void)state;
	assert_int_equal(admit(&r), STORE_GO_ON);
	pid = fork();
	if (pid == 0)
		_exit(store_admit(super, &r, &a, &why) == ERR_OK && count_connections() == 2 ? 0 : 1);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	for (int i = 0; i < 2000 && count_connections() > 1; i++)	/* the server may not have noticed yet that the child is gone */
		usleep(30000);
	assert_int_equal(count_connections(), 1);
	assert_int_equal(admit(&r), STORE_GO_ON);
	assert_int_equal(count_connections(), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    T(test_init_and_migrate), T(test_other_versions), T(test_migration_fails), T(test_init_by_createrole), T(test_pepper),
	    T(test_cannot_connect), T(test_outage_is_quick), T(test_hosts), T(test_read_only), T(test_reconnect),
	    T(test_turns_read_only), T(test_deadline), T(test_unconfirmed_commit), T(test_fork),
	};

	if (!cluster_start())
		return 0;
	cluster_hurry();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
