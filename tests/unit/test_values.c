/* What authenticators know of a device, for templates: added, found, kept with a request. */
#include "auth/values.h"	/* before cmocka.h, which has a macro fail() */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <string.h>

static void finds_by_name_and_number(void **state)
{
	struct values v = {0};

	(void)state;
	assert_null(values_get(&v, "tls.cn", 0));
	assert_null(values_get(NULL, "tls.cn", 0));
	assert_true(values_add(&v, "tls", "dns", bytes_str("a.example")));
	assert_true(values_add(&v, "hook", "dns", bytes_str("other")));
	assert_true(values_add(&v, "tls", "dns", bytes_str("b.example")));
	assert_string_equal(values_get(&v, "tls.dns", 0), "a.example");
	assert_string_equal(values_get(&v, "tls.dns", 1), "b.example");
	assert_null(values_get(&v, "tls.dns", 2));
	values_free(&v);
}

static void refuses_what_no_template_can_take(void **state)
{
	char name[VALUE_NAME_MAX + 1], text[VALUE_TEXT_MAX + 1];
	struct values v = {0};

	(void)state;
	memset(name, 'n', sizeof(name));
	name[VALUE_NAME_MAX] = '\0';
	memset(text, 't', sizeof(text));
	assert_false(values_add(&v, "x", name, bytes_str("")));
	assert_false(values_add(&v, "x", "long", bytes_of(text, sizeof(text))));
	assert_true(values_add(&v, "x", "long", bytes_of(text, sizeof(text) - 1)));
	assert_false(values_add(&v, "x", "line", bytes_str("a\nb")));
	assert_false(values_add(&v, "x", "nul", bytes_of("a\0b", 3)));
	assert_false(values_add(&v, "x", "latin1", bytes_str("\xfc")));
	assert_true(values_add(&v, "x", "utf8", bytes_str("\xc3\xbc")));
	assert_int_equal(v.n, 2);
	values_free(&v);
}

static void are_limited_in_number(void **state)
{
	struct values v = {0};

	(void)state;
	for (int i = 0; i < VALUES_MAX; i++)
		assert_true(values_add(&v, "x", "y", bytes_str("z")));
	assert_false(values_add(&v, "x", "y", bytes_str("z")));
	values_free(&v);
}

static void come_back_as_written(void **state)
{
	struct values v = {0}, w = {0};
	struct buf b = {0};

	(void)state;
	assert_true(values_add(&v, "hook", "owner", bytes_str("J\xc3\xb6rg")));
	assert_true(values_add(&v, "hook", "empty", bytes_str("")));
	values_write(&v, &b);
	assert_true(values_read(buf_bytes(&b), &w));
	assert_int_equal(w.n, 2);
	assert_string_equal(values_get(&w, "hook.owner", 0), "J\xc3\xb6rg");
	assert_string_equal(values_get(&w, "hook.empty", 0), "");
	values_free(&w);
	for (size_t cut = 0; cut < b.n; cut++)
		assert_false(values_read(bytes_of(b.p, cut), &w));
	assert_int_equal(w.n, 0);
	values_free(&v);
	buf_free(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(finds_by_name_and_number),
	    cmocka_unit_test(refuses_what_no_template_can_take),
	    cmocka_unit_test(are_limited_in_number),
	    cmocka_unit_test(come_back_as_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
