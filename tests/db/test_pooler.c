/*
 * Through PgBouncer in transaction mode, where every statement may meet another server connection: enrolments at once, a migration, and a
 * pool that is smaller than the crew.
 */
#include "fixture.h"

#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "crew.h"
#include "store/challenge.h"
#include "store/schema.h"

#define POOLER "/usr/sbin/pgbouncer"
#define ENROLMENTS 50

extern char **environ;

static char folder[300], conninfo[400];

/* The folder of the server's socket: the user that PgBouncer runs as may write there. */
static void find_folder(void)
{
	const char *host = cluster_conninfo("postgres") + strlen("host=");

	snprintf(folder, sizeof(folder), "%.*s", (int)strcspn(host, " "), host);
	snprintf(conninfo, sizeof(conninfo), "host=%s port=6432 dbname=pool user=anybody", folder);
}

static void write_configuration(const char *file, const char *role)
{
	const char *database = strstr(cluster_conninfo(role), "dbname=") + strlen("dbname=");
	FILE *f = fopen(file, "w");

	assert_non_null(f);
	fprintf(f, "[databases]\npool = host=%s port=5432 user=%s dbname=%s\n", folder, role, database);
	fprintf(f, "[pgbouncer]\nlisten_addr =\nunix_socket_dir = %s\nauth_type = any\npool_mode = transaction\n", folder);
	fprintf(f, "default_pool_size = 3\nlogfile = %s/pooler.log\npidfile = %s/pooler.pid\n", folder, folder);
	fclose(f);
}

/* Starts it in the background, as the user postgres when we are root: it refuses root as PostgreSQL does. */
static void pooler_start(const char *role)
{
	char file[320];
	char *const as_root[] = {(char *)POOLER, (char *)"-q", (char *)"-d", (char *)"-u", (char *)"postgres", file, NULL};
	char *const as_user[] = {(char *)POOLER, (char *)"-q", (char *)"-d", file, NULL};
	int status = -1;
	pid_t pid;

	find_folder();
	snprintf(file, sizeof(file), "%s/pooler.ini", folder);
	write_configuration(file, role);
	assert_int_equal(posix_spawn(&pid, POOLER, NULL, NULL, geteuid() == 0 ? as_root : as_user, environ), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

/* Also after a test that failed: it is a daemon, which nobody else would end. */
static int pooler_stop(void **state)
{
	char file[320], text[20] = "";
	FILE *f;
	int i;

	snprintf(file, sizeof(file), "%s/pooler.pid", folder);
	f = fopen(file, "r");
	assert_non_null(f);
	assert_non_null(fgets(text, sizeof(text), f));
	fclose(f);
	assert_true(strtol(text, NULL, 10) > 1);
	kill((pid_t)strtol(text, NULL, 10), SIGTERM);
	for (i = 0; i < 1200 && access(file, F_OK) == 0; i++)
		usleep(50000);
	assert_int_equal(access(file, F_OK), -1);
	return teardown(state);
}

static void work(int number)
{
	struct store *s = cluster_store_to(conninfo, CLUSTER_PATIENCE_MS);
	struct store_request r;
	struct store_cert c;
	struct store_answer a;
	char txid[40];
	int i;

	crew_together();
	for (i = 0; i < ENROLMENTS; i++) {
		snprintf(txid, sizeof(txid), "%d %d", number, i);
		r = sample_request(txid, "key", "csr");
		c = sample_cert("key");
		if (store_admit(s, &r, &a, &why) != ERR_OK || a.verdict != STORE_GO_ON || store_issue(s, &r, &c, &a, &why) != ERR_OK ||
		    a.verdict != STORE_GO_ON) {
			print_error("%s\n", why.text);
			_exit(1);
		}
	}
	store_close(s);
}

static void test_enrolments(void **state)
{
	(void)state;
	make_logins();
	pooler_start("web");
	crew_start(CREW, work);
	assert_int_equal(crew_wait(), 0);
	assert_int_equal(cluster_count("SELECT count(*) FROM scep.cert"), CREW * ENROLMENTS);
}

static void test_operators(void **state)
{
	struct store_challenge c = {.expires = time(NULL) + 600, .uses_left = 1, .created_by = (char *)"op"};
	struct store *s;
	int from, to;

	(void)state;
	pooler_start("postgres");
	s = cluster_store_to(conninfo, CLUSTER_PATIENCE_MS);
	assert_ok(store_init(s, &why));
	assert_ok(store_migrate(s, &from, &to, &why));
	assert_int_equal(from, to);
	assert_ok(store_check(s, &why));
	assert_ok(store_challenge_add(s, BYTES_LIT("secret"), &c, &why));
	free(c.id);
	store_close(s);
}

#define P(name) cmocka_unit_test_setup_teardown(name, setup, pooler_stop)

int main(void)
{
	const struct CMUnitTest tests[] = {P(test_enrolments), P(test_operators)};

	if (access(POOLER, X_OK) != 0) {
		puts("1..0 # SKIP pgbouncer is not installed");
		return 0;
	}
	if (!cluster_start())
		return 0;
	cluster_hurry();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
