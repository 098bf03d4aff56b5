/* Sixteen processes at once: one request sent sixteen times, one challenge used sixteen times, sixteen migrations. */
#include "fixture.h"

#include <unistd.h>

#include "crew.h"
#include "store/challenge.h"
#include "store/schema.h"

#define ROUNDS 1000

struct result {
	enum err err;
	enum store_verdict verdict;
	uint8_t serial[STORE_SERIAL_SIZE];	/* of the certificate that the client gets */
};

static struct result (*results)[CREW];

static int setup_race(void **state)
{
	setup(state);
	make_logins();
	results = crew_memory(ROUNDS * sizeof(*results));
	return 0;
}

/* The way of a worker: admit, then record. Every second one comes too late to be told by admit. */
static void enrol(struct store *s, const struct store_request *r, bool ask_first, struct result *out)
{
	struct store_cert c = sample_cert("key");
	struct store_answer a = {0};

	if (ask_first)
		out->err = store_admit(s, r, &a, NULL);
	if (out->err == ERR_OK && a.verdict == STORE_GO_ON)
		out->err = store_issue(s, r, &c, &a, NULL);
	out->verdict = a.verdict;
	if (a.verdict == STORE_ISSUED)
		memcpy(out->serial, a.cert.p, STORE_SERIAL_SIZE);
	else
		memcpy(out->serial, c.serial, STORE_SERIAL_SIZE);
	store_answer_free(&a);
}

static void resend(int number)
{
	struct store *s = cluster_store("web");
	struct store_request r;
	char txid[40];
	int i;

	for (i = 0; i < ROUNDS; i++) {
		snprintf(txid, sizeof(txid), "resend %d", i);
		r = sample_request(txid, "key", "csr");
		crew_together();
		enrol(s, &r, number % 2 == 0, &results[i][number]);
	}
	store_close(s);
}

static void test_one_request(void **state)
{
	int i, k, winners;

	(void)state;
	crew_start(CREW, resend);
	assert_int_equal(crew_wait(), 0);
	for (i = 0; i < ROUNDS; i++) {
		winners = 0;
		for (k = 0; k < CREW; k++) {
			assert_int_equal(results[i][k].err, ERR_OK);
			assert_true(results[i][k].verdict == STORE_GO_ON || results[i][k].verdict == STORE_ISSUED);
			assert_memory_equal(results[i][k].serial, results[i][0].serial, STORE_SERIAL_SIZE);
			winners += results[i][k].verdict == STORE_GO_ON;
		}
		assert_int_equal(winners, 1);
	}
	assert_int_equal(cluster_count("SELECT count(*) FROM scep.cert"), ROUNDS);
	assert_int_equal(cluster_count("SELECT count(*) FROM scep.request"), ROUNDS);
	assert_int_equal(cluster_count("SELECT count(*) FROM scep.audit"), ROUNDS);
	assert_int_equal(cluster_count("SELECT n_issued FROM scep.device"), ROUNDS);
	assert_int_equal(cluster_count("SELECT count(*) FROM scep.cert JOIN scep.request USING (cert_id) JOIN scep.audit USING (cert_id)"),
	    ROUNDS);
}

static void use_challenge(int number)
{
	struct store *s = cluster_store("web");
	struct store_request r;
	char txid[40], secret[40];
	int i;

	for (i = 0; i < ROUNDS; i++) {
		snprintf(txid, sizeof(txid), "challenge %d %d", i, number);
		snprintf(secret, sizeof(secret), "secret %d", i);
		r = sample_request(txid, "key", "csr");
		r.challenge = bytes_str(secret);
		crew_together();
		enrol(s, &r, number % 2 == 0, &results[i][number]);
	}
	store_close(s);
}

static void test_one_challenge(void **state)
{
	char secret[40];
	int i, k, winners;

	(void)state;
	for (i = 0; i < ROUNDS; i++) {
		snprintf(secret, sizeof(secret), "secret %d", i);
		free(add_challenge(secret, (struct store_challenge){0}));
	}
	crew_start(CREW, use_challenge);
	assert_int_equal(crew_wait(), 0);
	for (i = 0; i < ROUNDS; i++) {
		winners = 0;
		for (k = 0; k < CREW; k++) {
			assert_int_equal(results[i][k].err, ERR_OK);
			assert_true(results[i][k].verdict == STORE_GO_ON || results[i][k].verdict == STORE_CHALLENGE);
			winners += results[i][k].verdict == STORE_GO_ON;
		}
		assert_int_equal(winners, 1);
	}
	assert_int_equal(cluster_count("SELECT count(*) FROM scep.cert"), ROUNDS);
	assert_int_equal(cluster_count("SELECT count(*) FROM scep.request"), ROUNDS);
	assert_int_equal(cluster_count("SELECT count(*) FROM scep.audit WHERE kind = 'issue'"), ROUNDS);
	assert_int_equal(cluster_count("SELECT count(*) FROM scep.challenge JOIN scep.cert ON cert_id = consumed_by WHERE uses_left = 0"),
	    ROUNDS);
}

static int *started_from;

static void migrate(int number)
{
	struct store *s = cluster_store("postgres");
	int to;

	crew_together();
	if (store_migrate(s, &started_from[number], &to, &why) != ERR_OK) {
		print_error("migrate: %s\n", why.text);
		_exit(1);
	}
	store_close(s);
}

static void initialise(int number)
{
	struct store *s = cluster_store("postgres");

	(void)number;
	crew_together();
	if (store_init(s, &why) != ERR_OK) {
		print_error("init: %s\n", why.text);
		_exit(1);
	}
	store_close(s);
}

static void test_migrations(void **state)
{
	int i, winners = 0;

	(void)state;
	started_from = crew_memory(CREW * sizeof(*started_from));
	cluster_new_database();
	run_sql("CREATE SCHEMA scep AUTHORIZATION scep_owner");
	crew_start(CREW, migrate);
	assert_int_equal(crew_wait(), 0);
	for (i = 0; i < CREW; i++)
		winners += started_from[i] == 0;
	assert_int_equal(winners, 1);

	cluster_new_database();
	crew_start(CREW, initialise);
	assert_int_equal(crew_wait(), 0);
	assert_sql("SELECT count(*) = max(version) FROM scep.schema_version", "t");
}

#define R(name) cmocka_unit_test_setup_teardown(name, setup_race, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {R(test_one_request), R(test_one_challenge), R(test_migrations)};

	if (!cluster_start())
		return 0;
	cluster_hurry();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
