/* tend_site: what workers do between requests, by the clock they are given. */
#include "fixture.h"

#include "ca/tend.h"

#define NOW ((time_t)1800000000)

/* A site without profiles, on the test's database. */
static enum err tend(time_t now, struct tend *when, struct tend_done *done)
{
	struct profile *none[] = {NULL};
	struct site site = {.profiles = none, .store = super};

	return tend_site(&site, now, when, done, &why);
}

static void test_hourly_housekeeping(void **state)
{
	struct store_request r = sample_request("txn", "key", "csr");
	struct tend when = {0};
	struct tend_done done;

	(void)state;
	assert_int_equal(issue(&r, NULL), STORE_GO_ON);
	run_sql("UPDATE scep.request SET expires_at = now() - interval '1 second'");
	assert_ok(tend(NOW, &when, &done));
	assert_ok(tend(NOW + 600, &when, &done));
	assert_int_equal(done.removed, 0);
	assert_sql("SELECT count(*) FROM scep.request", "1");	/* not yet: three quarters of an hour at the earliest */
	assert_ok(tend(NOW + 3600 * 5 / 4 + 2, &when, &done));
	assert_int_equal(done.removed, 1);
	assert_sql("SELECT count(*) FROM scep.request", "0");
	assert_sql("SELECT count(*) FROM scep.cert", "1");
}

int main(void)
{
	const struct CMUnitTest tests[] = {T(test_hourly_housekeeping)};

	if (!cluster_start())
		return 0;
	cluster_hurry();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
