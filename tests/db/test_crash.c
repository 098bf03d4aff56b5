/*
 * The server goes away under eight writers: restarted in order, and killed. What must hold: every certificate that was acknowledged is
 * there, no request got two, no challenge was consumed without a certificate.
 */
#include "fixture.h"

#include <stdatomic.h>
#include <unistd.h>

#include "crew.h"
#include "store/challenge.h"

#define WRITERS 8
#define ACKS_MAX 20000

struct shared {
	atomic_bool stop;
	atomic_int acknowledged[WRITERS], repeated[WRITERS], failed_calls[WRITERS];
	uint8_t serials[WRITERS][ACKS_MAX][STORE_SERIAL_SIZE];
};

static struct shared *shared;

/* Makes a challenge known, whatever happens to the server meanwhile. CONFLICT: an attempt with lost answer did it. */
static void store_secret(struct store *s, const char *secret)
{
	struct store_challenge c;
	enum err err;

	do {
		c = (struct store_challenge){.expires = time(NULL) + 600, .uses_left = 1, .created_by = (char *)"tester"};
		err = store_challenge_add(s, bytes_str(secret), &c, NULL);
		free(c.id);
		if (err == ERR_DB)
			usleep(20000);
	} while (err == ERR_DB);
}

/* A client that tries until it is answered: each attempt meets a worker that signs a new certificate. */
static void enrol_until_answered(struct store *s, const struct store_request *r, int number)
{
	struct store_answer a = {0};
	struct store_cert c;
	enum err err;

	for (;;) {
		c = sample_cert("key");
		err = store_admit(s, r, &a, &why);
		if (err == ERR_OK && a.verdict == STORE_GO_ON)
			err = store_issue(s, r, &c, &a, &why);
		if (err == ERR_OK)
			break;
		shared->failed_calls[number]++;
		usleep(20000);
	}
	if (a.verdict != STORE_GO_ON && a.verdict != STORE_ISSUED) {
		print_error("verdict %d: %s\n", (int)a.verdict, why.text);
		_exit(1);
	}
	shared->repeated[number] += a.verdict == STORE_ISSUED;
	memcpy(shared->serials[number][shared->acknowledged[number]], a.verdict == STORE_ISSUED ? a.cert.p : c.serial, STORE_SERIAL_SIZE);
	shared->acknowledged[number]++;
	store_answer_free(&a);
}

static void write_on(int number)
{
	long timeout_ms = number % 2 == 0 ? 500 : 10000;	/* who gives up while the server is away, and who waits for it */
	struct store *admin = cluster_store_to(cluster_conninfo("op"), timeout_ms), *s = cluster_store_to(cluster_conninfo("web"), timeout_ms);
	struct store_request r;
	char txid[40], device[20];
	int i;

	for (i = 0; i < ACKS_MAX && !shared->stop; i++) {
		snprintf(txid, sizeof(txid), "%d %d", number, i);
		snprintf(device, sizeof(device), "device-%d", number);
		store_secret(admin, txid);
		r = sample_request(txid, "key", "csr");
		r.challenge = bytes_str(txid);
		r.device = device;
		enrol_until_answered(s, &r, number);
	}
	store_close(admin);
	store_close(s);
}

/* Every acknowledged certificate is in the database: compared there, as one array. */
static long acknowledged_and_there(void)
{
	struct buf sql = {0};
	char *text;
	long n;
	int w, i, k;

	buf_add_str(&sql, "SELECT count(*) FROM scep.cert WHERE cert_id = ANY ('{");
	for (w = 0; w < WRITERS; w++) {
		for (i = 0; i < shared->acknowledged[w]; i++) {
			if (sql.p[sql.n - 1] != '{')
				buf_add_byte(&sql, ',');
			for (k = 0; k < STORE_SERIAL_SIZE; k++)
				buf_printf(&sql, "%02x", shared->serials[w][i][k]);
		}
	}
	buf_add_str(&sql, "}'::uuid[])");
	text = buf_take_str(&sql);
	n = cluster_count(text);
	free(text);
	return n;
}

static int n_acknowledged(void)
{
	int n = 0;

	for (int w = 0; w < WRITERS; w++)
		n += shared->acknowledged[w];
	return n;
}

/* The next blow falls when something was got done since the last one, or nothing is any more. */
static void wait_for_progress(void)
{
	int wanted = n_acknowledged() + 2 * WRITERS;

	usleep(500000);
	for (int i = 0; i < 6000 && n_acknowledged() < wanted; i++)
		usleep(20000);
}

static void test_server_goes_away(void **state)
{
	int i, acknowledged = 0, repeated = 0, failed = 0;

	(void)state;
	make_logins();
	shared = crew_memory(sizeof(*shared));
	crew_start(WRITERS, write_on);
	wait_for_progress();
	cluster_restart();
	for (i = 0; i < 3; i++) {
		wait_for_progress();
		cluster_kill();
	}
	wait_for_progress();
	shared->stop = true;
	assert_int_equal(crew_wait(), 0);
	for (i = 0; i < WRITERS; i++) {
		acknowledged += shared->acknowledged[i];
		repeated += shared->repeated[i];
		failed += shared->failed_calls[i];
	}
	print_message("# %d acknowledged, of these %d found already recorded, %d calls failed meanwhile\n", acknowledged, repeated, failed);
	assert_true(acknowledged >= 10 * WRITERS);
	assert_int_equal(acknowledged_and_there(), acknowledged);
	assert_int_equal(cluster_count("SELECT count(*) FROM scep.cert"), acknowledged);
	assert_int_equal(cluster_count("SELECT count(DISTINCT txid) FROM scep.cert"), acknowledged);
	assert_int_equal(cluster_count("SELECT count(*) FROM scep.request"), acknowledged);
	assert_int_equal(cluster_count("SELECT count(*) FROM scep.audit WHERE kind = 'issue'"), acknowledged);
	assert_int_equal(cluster_count("SELECT sum(n_issued) FROM scep.device"), acknowledged);
	assert_int_equal(cluster_count("SELECT count(*) FROM scep.challenge JOIN scep.cert ON cert_id = consumed_by WHERE uses_left = 0"),
	    acknowledged);
	assert_int_equal(cluster_count("SELECT count(*) FROM scep.challenge WHERE uses_left = 0"), acknowledged);
}

int main(void)
{
	const struct CMUnitTest tests[] = {T(test_server_goes_away)};

	if (!cluster_start())
		return 0;
	cluster_hurry();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
