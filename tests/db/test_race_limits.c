/* Sixteen processes at once: one nonce, one holder, the last use of a challenge, the last certificate that a device may have. */
#include "fixture.h"

#include <stdatomic.h>

#include "crew.h"
#include "store/request.h"

#define ROUNDS 200

struct round {
	atomic_int won, lost, bad;
};

static struct round *rounds;

static int setup_race(void **state)
{
	setup(state);
	make_logins();
	rounds = crew_memory(ROUNDS * sizeof(*rounds));
	return 0;
}

/* What process `number` asks for in round `i`; the texts live as long as the round. */
typedef void (*prepare)(int i, int number, struct store_request *r, char text[100]);

static prepare current;
static enum store_verdict expected;	/* of those who lose */
static bool by_queue;

static enum err record(struct store *s, const struct store_request *r, struct store_answer *a)
{
	struct store_cert c = sample_cert("key");
	const struct store_pend p = {
	    .secret = BYTES_LIT("request"), .sans = "", .key = "RSA 2048", .requester = "test", .approvals = 1, .keep_s = 3600, .most = 10000};

	return by_queue ? store_pend(s, r, &p, a, &why) : store_issue(s, r, &c, a, &why);
}

static void race(int number)
{
	struct store *s = cluster_store("web");
	char txid[40], text[100];
	struct store_request r;

	for (int i = 0; i < ROUNDS; i++) {
		struct store_answer a = {0};
		enum err err = ERR_OK;

		snprintf(txid, sizeof(txid), "%d %d", i, number);
		r = sample_request(txid, "key", "csr");
		current(i, number, &r, text);
		crew_together();
		if (number % 2 == 0)		/* the others come too late to be told by admit */
			err = store_admit(s, &r, &a, &why);
		if (err == ERR_OK && a.verdict == STORE_GO_ON)
			err = record(s, &r, &a);
		if (err != ERR_OK) {
			print_error("%s\n", why.text);
			rounds[i].bad++;
		} else if (a.verdict == (by_queue ? STORE_PENDING : STORE_GO_ON)) {
			rounds[i].won++;
		} else if (a.verdict == expected) {
			rounds[i].lost++;
		}
		store_answer_free(&a);
	}
	store_close(s);
}

static void run_race(prepare p, enum store_verdict loses, int winners)
{
	current = p;
	expected = loses;
	crew_start(CREW, race);
	assert_int_equal(crew_wait(), 0);
	for (int i = 0; i < ROUNDS; i++) {
		assert_int_equal(rounds[i].bad, 0);
		assert_int_equal(rounds[i].won, winners);
		assert_int_equal(rounds[i].lost, CREW - winners);
	}
}

static void same_nonce(int i, int number, struct store_request *r, char text[100])
{
	snprintf(text, 100, "nonce %d", i);
	r->once = (struct store_once){.nonce = bytes_str(text), .until = time(NULL) + 600};
	r->profile = number % 3 == 0 ? "default" : "another";
}

static void test_nonce(void **state)
{
	(void)state;
	run_race(same_nonce, STORE_REPLAY, 1);
	assert_int_equal(cluster_count("SELECT count(*) FROM scep.nonce"), ROUNDS);
	assert_int_equal(cluster_count("SELECT count(*) FROM scep.cert"), ROUNDS);
}

static void test_nonce_of_queued(void **state)
{
	(void)state;
	by_queue = true;
	run_race(same_nonce, STORE_REPLAY, 1);
	by_queue = false;
	assert_int_equal(cluster_count("SELECT count(*) FROM scep.request"), ROUNDS);
}

static void same_holder(int i, int number, struct store_request *r, char text[100])
{
	snprintf(text, 100, "nonce %d %d", i, number);
	snprintf(text + 50, 50, "holder %d", i);
	r->once = (struct store_once){
	    .nonce = bytes_str(text), .until = time(NULL) + 600, .holder = bytes_str(text + 50), .most = 3, .window_s = 3600};
}

static void test_holder(void **state)
{
	(void)state;
	run_race(same_holder, STORE_HOLDER_LIMIT, 3);
	assert_int_equal(cluster_count("SELECT count(*) FROM scep.nonce"), 3 * ROUNDS);
	assert_int_equal(cluster_count("SELECT sum(cardinality(used_at)) FROM scep.holder"), 3 * ROUNDS);
}

static void same_challenge(int i, int number, struct store_request *r, char text[100])
{
	static const char *const names[] = {"dns:a.example", NULL};

	(void)number;
	snprintf(text, 100, "secret %d", i);
	r->challenge = bytes_str(text);
	r->sans = names;
}

static void test_uses(void **state)
{
	char *const bound[] = {(char *)"dns:a.example", NULL};
	char secret[40];

	(void)state;
	for (int i = 0; i < ROUNDS; i++) {
		snprintf(secret, sizeof(secret), "secret %d", i);
		free(add_challenge(secret, (struct store_challenge){.uses_left = 4, .sans = (char **)bound}));
	}
	run_race(same_challenge, STORE_CHALLENGE, 4);
	assert_sql("SELECT sum(uses_left) FROM scep.challenge", "0");
}

static void same_device(int i, int number, struct store_request *r, char text[100])
{
	(void)number;
	snprintf(text, 100, "device %d", i);
	r->device = text;
	r->max_active = 2;
}

static void test_max_active(void **state)
{
	(void)state;
	run_race(same_device, STORE_MAX_ACTIVE, 2);
	assert_int_equal(cluster_count("SELECT count(*) FROM scep.cert"), 2 * ROUNDS);
}

static void same_device_revoking(int i, int number, struct store_request *r, char text[100])
{
	same_device(i, number, r, text);
	r->revoke_oldest = true;
}

static void test_max_active_revokes(void **state)
{
	(void)state;
	run_race(same_device_revoking, STORE_MAX_ACTIVE, CREW);
	assert_int_equal(cluster_count("SELECT count(*) FROM scep.revocation"), (CREW - 2) * ROUNDS);
	assert_int_equal(cluster_count("SELECT count(*) FROM (SELECT FROM scep.cert c WHERE NOT EXISTS "
				       "(SELECT FROM scep.revocation v WHERE v.cert_id = c.cert_id) GROUP BY device HAVING count(*) = 2) x"),
	    ROUNDS);
}

#define R(name) cmocka_unit_test_setup_teardown(name, setup_race, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    R(test_nonce), R(test_nonce_of_queued), R(test_holder), R(test_uses), R(test_max_active), R(test_max_active_revokes)};

	if (!cluster_start())
		return 0;
	cluster_hurry();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
