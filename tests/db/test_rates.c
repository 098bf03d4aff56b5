/* Limits of so many in so many seconds: what counts, who is turned away and for how long, and that sixteen at once cannot pass one. */
#include "fixture.h"

#include <stdatomic.h>

#include "crew.h"
#include "store/audit.h"

#define CALLS 50	/* of each process */

static int window;	/* in s: an hour and something, of which between a tenth and a half is over, so that none ends meanwhile */

static void choose_window(void)
{
	time_t now = time(NULL);

	for (window = 3600; now % window < window / 10 || now % window > window / 2;)
		window += 60;
}

static struct store_rate limit(enum store_rate_when when, const char *kind, const char *of, int most)
{
	return (struct store_rate){.when = when, .kind = kind, .of = of, .most = most, .window_s = window};
}

static enum store_verdict ask(const char *txid, const struct store_rate *rates, size_t n, struct store_answer *answer)
{
	struct store_request r = sample_request(txid, "key", "csr");
	struct store_answer a;

	r.rates = rates;
	r.n_rates = n;
	assert_ok(store_admit(super, &r, &a, &why));
	enum store_verdict verdict = a.verdict;

	if (answer != NULL)
		*answer = a;
	store_answer_free(&a);
	return verdict;
}

/* How much of this window is over. */
static double part(void)
{
	return (double)(time(NULL) % window) / window;
}

static void assert_over(const char *what, int most)
{
	char *text = mem_printf("%s is over its limit of %d in %d s", what, most, window);

	assert_string_equal(why.text, text);
	free(text);
}

static void test_always(void **state)
{
	struct store_rate source = limit(RATE_ALWAYS, "source", "192.0.2.1", 3), other = source, profile = limit(RATE_ALWAYS, "source", "x", 3);
	struct store_request r = sample_request("t0", "key", "csr");
	double before = part();
	struct store_answer a;

	(void)state;
	assert_int_equal(issue(&r, NULL), STORE_GO_ON);
	assert_int_equal(ask("t0", &source, 1, NULL), STORE_ISSUED);	/* counts, too */
	for (int i = 1; i < 3; i++)
		assert_int_equal(ask("t1", &source, 1, NULL), STORE_GO_ON);
	assert_int_equal(ask("t1", &source, 1, &a), STORE_THROTTLED);
	assert_over("source '192.0.2.1'", 3);
	assert_int_equal(why.err, ERR_THROTTLED);
	assert_true(a.first);
	/* room for one: when, in the next window, two thirds of the three are left */
	assert_in_range(a.retry_after, (uintmax_t)((1 - part() + 1. / 3) * window) - 2, (uintmax_t)((1 - before + 1. / 3) * window) + 3);
	assert_int_equal(ask("t0", &source, 1, &a), STORE_THROTTLED);
	assert_false(a.first);
	assert_sql("SELECT cur FROM scep.rate", "3");		/* who is turned away does not count */
	assert_int_equal(ask("t1", &profile, 1, NULL), STORE_GO_ON);
	other.window_s = 60;	/* another window: counted anew */
	assert_int_equal(ask("t1", &other, 1, NULL), STORE_GO_ON);
	assert_sql("SELECT count(*) FROM scep.rate r WHERE r::text LIKE '%192.0.2.1%'", "0");
	assert_sql("SELECT count(*) FROM scep.audit WHERE kind <> 'issue'", "0");
}

/* Either all count or none: a source that is turned away takes nothing from the profile. */
static void test_several(void **state)
{
	struct store_rate rates[] = {limit(RATE_ALWAYS, "source", "a", 1), limit(RATE_ALWAYS, "profile", "default", 5)};

	(void)state;
	assert_int_equal(ask("t", rates, 2, NULL), STORE_GO_ON);
	for (int i = 0; i < 5; i++)
		assert_int_equal(ask("t", rates, 2, NULL), STORE_THROTTLED);
	assert_why("source 'a'");
	assert_sql("SELECT string_agg(cur::text, ' ' ORDER BY cur) FROM scep.rate", "1 1");
	rates[0].of = "b";
	assert_int_equal(ask("t", rates, 2, NULL), STORE_GO_ON);
}

static void test_it_slides(void **state)
{
	struct store_rate source = limit(RATE_ALWAYS, "source", "a", 100);
	int allowed = 0, before;
	struct store_answer a;

	(void)state;
	assert_int_equal(ask("t", &source, 1, NULL), STORE_GO_ON);
	run_sql("UPDATE scep.rate SET cur = 0, prev = 100");		/* the last one was full */
	before = (int)(100 * part());
	while (ask("t", &source, 1, &a) == STORE_GO_ON)
		allowed++;
	assert_in_range(allowed, before - 1, (int)(100 * part()) + 1);
	assert_in_range(a.retry_after, 1, window / 36);		/* each hundredth of the window one of them leaves */
	run_sql("UPDATE scep.rate SET win = win - 1, cur = 100, prev = 100");	/* a window later */
	assert_sql("SELECT scep.rate_wait(1, 100, 100, 0.5) IS NULL", "t");
	run_sql("UPDATE scep.rate SET win = win - 1, cur = 100");		/* two windows later */
	assert_int_equal(ask("t", &source, 1, NULL), STORE_GO_ON);
	assert_sql("SELECT cur || ' ' || prev FROM scep.rate", "1 0");
	run_sql("UPDATE scep.rate SET win = win + 1000, cur = 100");		/* the clock was wrong */
	assert_int_equal(ask("t", &source, 1, NULL), STORE_GO_ON);
	run_sql("UPDATE scep.rate SET win = win + 1, cur = 7");		/* a neighbour is a moment ahead */
	assert_int_equal(ask("t", &source, 1, NULL), STORE_GO_ON);
	assert_sql("SELECT cur FROM scep.rate", "8");
}

static void test_wait(void **state)
{
	static const struct {
		const char *sql, *expected;
	} rows[] = {
	    {"rate_wait(1, 0, 1, 0)", ""}, {"rate_wait(2, 0, 1, 0.25)", "1.75"}, {"rate_wait(1, 10, 10, 0)", "0.1"},
	    {"rate_wait(1, 10, 10, 0.1)", ""}, {"rate_wait(6, 8, 10, 0.25)", "0.25"}, {"rate_wait(11, 5, 10, 0.5)", "0.6"},
	    {"rate_wait(1, 0, 0, 0.5)", "2.5"},
	};
	char sql[100];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		snprintf(sql, sizeof(sql), "SELECT round((scep.%s)::numeric, 6)::float8", rows[i].sql);
		assert_sql(sql, rows[i].expected);
	}
}

static void test_accepted(void **state)
{
	struct store_rate device = limit(RATE_ACCEPTED, "device", "d", 2);
	struct store_request r = sample_request("t", "key", "csr"), first = sample_request("t0", "key", "csr");
	struct store_answer a;

	(void)state;
	assert_int_equal(issue(&first, NULL), STORE_GO_ON);
	for (int i = 0; i < 5; i++)	/* a resend is none */
		assert_int_equal(ask("t0", &device, 1, NULL), STORE_ISSUED);
	r.rates = &device;
	r.n_rates = 1;
	r.challenge = BYTES_LIT("wrong");
	for (int i = 0; i < 5; i++)
		assert_int_equal(admit(&r), STORE_CHALLENGE);
	r.challenge = (struct bytes){0};
	r.refused = true;
	for (int i = 0; i < 5; i++)
		assert_int_equal(admit(&r), STORE_GO_ON);
	r.refused = false;
	assert_int_equal(admit(&r), STORE_GO_ON);
	assert_int_equal(admit(&r), STORE_GO_ON);
	assert_ok(store_admit(super, &r, &a, &why));
	assert_int_equal(a.verdict, STORE_THROTTLED);
	assert_over("device 'd'", 2);
	store_answer_free(&a);
	assert_int_equal(ask("t0", &device, 1, NULL), STORE_ISSUED);
}

/* A renewal brings no right challenge: its certificate makes it one of the accepted, if it is the one it says it is. */
static void test_renewals_are_accepted(void **state)
{
	struct store_rate device = limit(RATE_ACCEPTED, "device", "d", 1);
	struct store_request r = sample_request("t0", "key", "csr");
	struct store_cert old = sample_cert("key");
	struct store_answer a;

	(void)state;
	assert_ok(store_issue(super, &r, &old, &a, &why));
	r = sample_request("t1", "key", "csr");
	r.rates = &device;
	r.n_rates = 1;
	r.refused = true;
	r.old_serial = bytes_of(old.serial, STORE_SERIAL_SIZE);
	r.signer_cert = BYTES_LIT("somebody else's, with the same serial number");
	for (int i = 0; i < 3; i++)
		assert_int_equal(admit(&r), STORE_GO_ON);
	r.signer_cert = old.der;
	assert_int_equal(admit(&r), STORE_GO_ON);
	assert_int_equal(admit(&r), STORE_THROTTLED);
	r.challenge = BYTES_LIT("an old one");
	assert_int_equal(admit(&r), STORE_THROTTLED);
}

static enum store_verdict refuse(const struct store_rate *rates, size_t n, struct store_answer *a)
{
	const struct store_event e = {.kind = "refuse", .profile = "default", .reason = "challenge", .actor = "192.0.2.1", .detail = "wrong"};

	assert_ok(store_refuse(super, &e, rates, n, a, &why));
	return a->verdict;
}

static void test_refused(void **state)
{
	struct store_rate wrong = limit(RATE_REFUSED, "source of wrong challenges", "192.0.2.1", 2);
	struct store_request r = sample_request("t", "key", "csr"), done = sample_request("t0", "key", "csr");
	struct store_answer a;

	(void)state;
	assert_int_equal(issue(&done, NULL), STORE_GO_ON);
	r.rates = done.rates = &wrong;
	r.n_rates = done.n_rates = 1;
	r.challenge = BYTES_LIT("wrong");
	for (int i = 0; i < 5; i++)	/* who asks only counts nothing */
		assert_int_equal(admit(&r), STORE_CHALLENGE);
	assert_int_equal(refuse(&wrong, 1, &a), STORE_GO_ON);
	assert_int_equal(admit(&r), STORE_CHALLENGE);
	assert_int_equal(refuse(&wrong, 1, &a), STORE_GO_ON);
	free(add_challenge("right", (struct store_challenge){0}));
	r.challenge = BYTES_LIT("right");	/* nobody learns which one was right */
	assert_ok(store_admit(super, &r, &a, &why));
	assert_int_equal(a.verdict, STORE_THROTTLED);
	assert_true(a.first && a.retry_after > 1);
	assert_null(a.values);
	store_answer_free(&a);
	assert_over("source of wrong challenges '192.0.2.1'", 2);
	assert_ok(store_admit(super, &r, &a, &why));
	assert_false(a.first);
	store_answer_free(&a);
	assert_int_equal(refuse(&wrong, 1, &a), STORE_THROTTLED);
	assert_false(a.first);
	assert_sql("SELECT count(*) FROM scep.audit WHERE kind = 'refuse'", "2");	/* what is throttled is not written */
	assert_int_equal(admit(&done), STORE_ISSUED);
	wrong.of = "192.0.2.2";
	assert_int_equal(admit(&r), STORE_GO_ON);
	assert_int_equal(refuse(NULL, 0, &a), STORE_GO_ON);
	assert_sql("SELECT count(*) FROM scep.audit WHERE kind = 'refuse'", "3");
}

static void test_purge(void **state)
{
	struct store_rate rates[] = {limit(RATE_ALWAYS, "source", "a", 1), limit(RATE_ALWAYS, "source", "b", 1)};
	int removed;

	(void)state;
	assert_int_equal(ask("t", rates, 2, NULL), STORE_GO_ON);
	assert_ok(store_maintain(super, 100, &removed, &why));
	assert_int_equal(removed, 0);
	run_sql("UPDATE scep.rate SET win = win - 2 WHERE key = (SELECT min(key::text)::uuid FROM scep.rate)");
	assert_ok(store_maintain(super, 100, &removed, &why));
	assert_int_equal(removed, 1);
	assert_sql("SELECT count(*) FROM scep.rate", "1");
}

static void test_roles(void **state)
{
	struct store_rate source = limit(RATE_ALWAYS, "source", "a", 1);
	struct store_request r = sample_request("t", "key", "csr");
	struct store_answer a;
	struct store *web;

	(void)state;
	make_logins();
	web = cluster_store("web");
	r.rates = &source;
	r.n_rates = 1;
	assert_ok(store_admit(web, &r, &a, &why));
	store_answer_free(&a);
	assert_ok(store_refuse(web, &(struct store_event){.kind = "refuse", .profile = "default"}, &source, 1, &a, &why));
	assert_int_equal(a.verdict, STORE_THROTTLED);
	store_close(web);
	assert_sql("SELECT has_table_privilege('web', 'scep.rate', 'SELECT') OR has_table_privilege('web', 'scep.nonce', 'SELECT')", "f");
}

struct shared {
	atomic_int allowed, refused, bad, first;
};

static struct shared *shared;

/* Sources and devices in another order in every process: whoever locks them as they come dies of deadlocks. */
static void flood(int number)
{
	struct store *s = cluster_store("web");
	struct store_request r;
	struct store_answer a;
	char txid[40];

	for (int i = 0; i < CALLS; i++) {
		struct store_rate one = limit(RATE_ALWAYS, "source", "a", 100), two = limit(RATE_ALWAYS, "profile", "p", 700);
		struct store_rate three = limit(RATE_ACCEPTED, "device", "d", 600), four = limit(RATE_ACCEPTED, "key", "k", 500);
		const struct store_rate rates[] = {number % 2 ? one : two, number % 3 ? three : four, number % 2 ? two : one, number % 3 ? four : three};

		snprintf(txid, sizeof(txid), "%d %d", number, i);
		r = sample_request(txid, "key", "csr");
		r.rates = rates;
		r.n_rates = 4;
		crew_together();
		if (store_admit(s, &r, &a, NULL) != ERR_OK)
			shared->bad++;
		else if (a.verdict == STORE_GO_ON)
			shared->allowed++;
		else if (a.verdict == STORE_THROTTLED && a.retry_after > 0)
			shared->refused++;
		shared->first += a.first;
		store_answer_free(&a);
	}
	store_close(s);
}

static void test_exactly(void **state)
{
	(void)state;
	make_logins();
	shared = crew_memory(sizeof(*shared));
	crew_start(CREW, flood);
	assert_int_equal(crew_wait(), 0);
	assert_int_equal(shared->bad, 0);
	assert_int_equal(shared->allowed, 100);
	assert_int_equal(shared->refused, CREW * CALLS - 100);
	assert_int_equal(shared->first, 1);
}

/* Only counters are lost with a crash. */
static void test_crash(void **state)
{
	struct store_rate source = limit(RATE_ALWAYS, "source", "a", 1);
	struct store_request r = sample_request("t", "key", "csr"), again = sample_request("t2", "key", "csr");

	(void)state;
	r.once = again.once = (struct store_once){.nonce = BYTES_LIT("n"), .until = time(NULL) + 600};
	assert_int_equal(issue(&r, NULL), STORE_GO_ON);
	assert_int_equal(ask("x", &source, 1, NULL), STORE_GO_ON);
	assert_int_equal(ask("x", &source, 1, NULL), STORE_THROTTLED);
	cluster_kill();
	assert_int_equal(ask("x", &source, 1, NULL), STORE_GO_ON);
	assert_int_equal(ask("x", &source, 1, NULL), STORE_THROTTLED);
	assert_int_equal(admit(&again), STORE_REPLAY);
	assert_int_equal(admit(&r), STORE_ISSUED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    T(test_always), T(test_several), T(test_it_slides), T(test_wait), T(test_accepted), T(test_renewals_are_accepted), T(test_refused),
	    T(test_purge), T(test_roles), T(test_exactly), T(test_crash)};

	if (!cluster_start())
		return 0;
	cluster_hurry();
	choose_window();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
