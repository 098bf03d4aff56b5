/* What an address counts as, and what a worker remembers of limits that are exceeded. */
#include "unit.h"

#include <stdio.h>
#include <string.h>

#include "ca/limits.h"
#include "ca/overload.h"

#define SECOND 1000

static void addresses_become_sources(void **state)
{
	static const struct {
		const char *peer, *source;
	} rows[] = {
	    {"192.0.2.1", "192.0.2.1"}, {"::ffff:192.0.2.1", "192.0.2.1"}, {"2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"},
	    {"2001:DB8:1:2::", "2001:db8:1:2::/64"}, {"2001:db8:1:3::1", "2001:db8:1:3::/64"}, {"::1", "::/64"}, {"fe80::1", "fe80::/64"},
	    {"", ""}, {"unix:", ""}, {"192.0.2", ""}, {"192.0.2.1 ", ""}, {"2001:db8::1%eth0", ""}, {"192.0.2.1:80", ""},
	};
	char source[LIMITS_SOURCE_SIZE];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		limits_source(rows[i].peer, source);
		assert_string_equal(source, rows[i].source);
	}
}

static void it_is_remembered(void **state)
{
	struct overload *o = overload_new();

	(void)state;
	assert_int_equal(overload_left(o, "p", "source", "a", 5), 0);
	overload_note(o, "p", "source", "a", 10, 5);
	assert_int_equal(overload_left(o, "p", "source", "a", 5), 10);
	assert_int_equal(overload_left(o, "p", "source", "a", 6), 10);		/* at least so long */
	assert_int_equal(overload_left(o, "p", "source", "a", 5 + 9 * SECOND), 1);
	assert_int_equal(overload_left(o, "p", "source", "a", 5 + 10 * SECOND), 0);
	assert_int_equal(overload_left(o, "q", "source", "a", 5), 0);
	assert_int_equal(overload_left(o, "p", "profile", "a", 5), 0);
	assert_int_equal(overload_left(o, "p", "source", "b", 5), 0);
	overload_note(o, "p", "source", "a", 20, 1 * SECOND);			/* the later word counts */
	assert_int_equal(overload_left(o, "p", "source", "a", 11 * SECOND), 10);
	overload_note(o, "p", "source", "a", 0, 1 * SECOND);
	assert_int_equal(overload_left(o, "p", "source", "a", 11 * SECOND), 10);
	overload_free(o);
	overload_free(NULL);
	overload_note(NULL, "p", "source", "a", 10, 5);
	assert_int_equal(overload_left(NULL, "p", "source", "a", 5), 0);
	assert_true(overload_now() > 0);
}

/* The database is asked again after half a minute: it may have forgotten. */
static void it_is_not_believed_for_long(void **state)
{
	struct overload *o = overload_new();

	(void)state;
	overload_note(o, "p", "source", "a", 3600, 0);
	assert_int_equal(overload_left(o, "p", "source", "a", 29 * SECOND), 3571);
	assert_int_equal(overload_left(o, "p", "source", "a", 30 * SECOND), 0);
	overload_free(o);
}

/* A flood from everywhere: the table is full, and the entry that would be forgotten first makes room. */
static void it_is_bounded(void **state)
{
	struct overload *o = overload_new();
	char long_name[300], name[20];
	int known = 0;

	(void)state;
	overload_note(o, "p", "source", "first", 1, 0);
	for (int i = 0; i < 10000; i++) {
		snprintf(name, sizeof(name), "%d", i);
		overload_note(o, "p", "source", name, 10, i);
	}
	for (int i = 0; i < 10000; i++) {
		snprintf(name, sizeof(name), "%d", i);
		known += overload_left(o, "p", "source", name, 0) > 0;
	}
	assert_in_range(known, 100, 1000);
	assert_true(overload_left(o, "p", "source", "9999", 0) > 0);
	assert_int_equal(overload_left(o, "p", "source", "first", 0), 0);
	memset(long_name, 'x', sizeof(long_name));
	long_name[sizeof(long_name) - 1] = '\0';
	overload_note(o, "p", "source", long_name, 10, 0);
	assert_int_equal(overload_left(o, "p", "source", long_name, 1), 0);
	overload_free(o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(addresses_become_sources),
	    cmocka_unit_test(it_is_remembered),
	    cmocka_unit_test(it_is_not_believed_for_long),
	    cmocka_unit_test(it_is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
