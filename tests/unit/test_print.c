/* Members of results: printable text, times, fingerprints; and the durations of options. */
#include "unit.h"

#include "admin/opts.h"
#include "admin/print.h"

static void assert_member(struct json_object *o, const char *key, const char *expected)
{
	struct json_object *v = json_object_object_get(o, key);

	if (expected == NULL)
		assert_null(v);
	else
		assert_string_equal(json_object_get_string(v), expected);
}

static void text_is_printable(void **state)
{
	struct json_object *o = json_object_new_object();

	(void)state;
	put_text(o, "plain", "a \xc3\xa9 \xe2\x82\xac b");
	put_text(o, "controls", "a\x1b[2J\r\n\t\x7f");
	put_text(o, "c1", "a\xc2\x9b" "b\xc2\xa0");
	put_text(o, "none", NULL);
	put_bytes(o, "bytes", bytes_of("a\0\xff\"", 4));
	put_bytes(o, "empty", bytes_of(NULL, 0));
	assert_member(o, "plain", "a \xc3\xa9 \xe2\x82\xac b");
	assert_member(o, "controls", "a?[2J????");
	put_text(o, "turned", "good\u202elive\u2066a\u2069b\u2028c\u200dd\u00e9");	/* RLO, isolates, a line's end; what shapes letters stays */
	assert_member(o, "turned", "good???live???a???b???c\u200dd\u00e9");
	assert_member(o, "c1", "a??b\xc2\xa0");
	assert_member(o, "none", NULL);
	assert_member(o, "bytes", "a\\x00\\xff\\x22");
	assert_member(o, "empty", "");
	json_object_put(o);
}

static void values_have_one_form(void **state)
{
	struct json_object *o = json_object_new_object();

	(void)state;
	put_time(o, "time", 1893456000);
	put_time(o, "far", 253402300799);
	put_time(o, "never", 0);
	put_hex(o, "hex", bytes_of("\x00\xab", 2));
	put_fingerprint(o, "fingerprint", bytes_of("\x00\xab\x0c", 3));
	put_fingerprint(o, "nothing", bytes_of(NULL, 0));
	assert_member(o, "time", "2030-01-01T00:00:00Z");
	assert_member(o, "far", "9999-12-31T23:59:59Z");
	assert_member(o, "never", NULL);
	assert_member(o, "hex", "00ab");
	assert_member(o, "fingerprint", "00:AB:0C");
	assert_member(o, "nothing", "");
	json_object_put(o);
}

static void durations(void **state)
{
	static const struct {
		const char *text;
		long seconds;	/* 0: refused */
	} rows[] = {
	    {"90s", 90}, {"30m", 1800}, {"24h", 86400}, {"7d", 604800}, {"2w", 1209600}, {"1y", 31536000}, {"1000y", 31536000000},
	    {"", 0}, {"1", 0}, {"d", 0}, {"0d", 0}, {"-1d", 0}, {"+1d", 0}, {" 1d", 0}, {"1 d", 0}, {"1dd", 0}, {"1.5d", 0}, {"1001y", 0},
	    {"99999999999999999999d", 0}, {"1D", 0},
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		long seconds = 0;

		assert_int_equal(opts_duration(rows[i].text, &seconds), rows[i].seconds != 0);
		assert_int_equal(seconds, rows[i].seconds);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(text_is_printable),
	    cmocka_unit_test(values_have_one_form),
	    cmocka_unit_test(durations),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
