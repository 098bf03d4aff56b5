/* One-time challenges before they are stored: what may be asked for. */
#include "unit.h"

#include <stdio.h>
#include <string.h>

#include "auth/onetime.h"

static struct why why;

static void names_are_canonical_and_once(void **state)
{
	struct store_challenge c = {0};
	char uri[1100] = "uri:urn:";

	(void)state;
	assert_int_equal(onetime_add_san(&c, "DNS:A.Example", &why), ERR_OK);
	assert_int_equal(onetime_add_san(&c, "ip:2001:DB8:0::1", &why), ERR_OK);
	assert_string_equal(c.sans[0], "dns:a.example");
	assert_string_equal(c.sans[1], "ip:2001:db8::1");
	assert_null(c.sans[2]);
	assert_int_equal(onetime_add_san(&c, "dns:a.EXAMPLE", &why), ERR_INPUT);
	assert_non_null(strstr(why.text, "twice"));
	assert_int_equal(onetime_add_san(&c, "a.example", &why), ERR_SUBJECT);
	assert_int_equal(onetime_add_san(&c, "ip:1.2.3", &why), ERR_SUBJECT);
	assert_int_equal(onetime_add_san(&c, "upn:good\u202elive@a.example", &why), ERR_INPUT);
	memset(uri + 8, 'x', 1024 - 4);
	assert_int_equal(onetime_add_san(&c, uri, &why), ERR_OK);
	uri[8 + 1024 - 4] = 'x';
	assert_int_equal(onetime_add_san(&c, uri, &why), ERR_INPUT);
	assert_non_null(strstr(why.text, "1024"));
	assert_null(c.sans[3]);
	onetime_free(&c);
}

static void names_are_limited(void **state)
{
	struct store_challenge c = {0};
	char name[32];

	(void)state;
	for (int i = 0; i <= ONETIME_SANS_MAX; i++) {
		snprintf(name, sizeof(name), "dns:h%d.example", i);
		assert_int_equal(onetime_add_san(&c, name, &why), i < ONETIME_SANS_MAX ? ERR_OK : ERR_INPUT);
	}
	onetime_free(&c);
}

static void subject_is_canonical(void **state)
{
	struct store_challenge c = {0};

	(void)state;
	assert_int_equal(onetime_set_subject(&c, "cn = Dev 1 , o=Example", &why), ERR_OK);
	assert_string_equal(c.subject, "CN=Dev 1,O=Example");
	assert_int_equal(onetime_set_subject(&c, "just words", &why), ERR_SUBJECT);
	assert_string_equal(c.subject, "CN=Dev 1,O=Example");
	onetime_free(&c);
}

static void values_are_what_templates_take(void **state)
{
	struct store_challenge c = {0};
	char name[70], text[1100];

	(void)state;
	assert_int_equal(onetime_add_value(&c, "owner", "Alice M\xc3\xbcller", &why), ERR_OK);
	assert_int_equal(onetime_add_value(&c, "Site_2-b", "", &why), ERR_OK);
	assert_string_equal(c.values[0], "owner");
	assert_string_equal(c.values[1], "Alice M\xc3\xbcller");
	assert_string_equal(c.values[2], "Site_2-b");
	assert_int_equal(onetime_add_value(&c, "owner", "Bob", &why), ERR_INPUT);
	assert_int_equal(onetime_add_value(&c, "id", "x", &why), ERR_INPUT);
	assert_int_equal(onetime_add_value(&c, "device", "x", &why), ERR_INPUT);
	assert_int_equal(onetime_add_value(&c, "dns", "x", &why), ERR_INPUT);
	assert_non_null(strstr(why.text, "'dns' is what the challenge is bound to"));
	assert_int_equal(onetime_add_value(&c, "", "x", &why), ERR_INPUT);
	assert_int_equal(onetime_add_value(&c, "a.b", "x", &why), ERR_INPUT);
	assert_int_equal(onetime_add_value(&c, "a}", "x", &why), ERR_INPUT);
	assert_int_equal(onetime_add_value(&c, "a", "two\nlines", &why), ERR_INPUT);
	assert_int_equal(onetime_add_value(&c, "a", "\xff", &why), ERR_INPUT);
	memset(name, 'n', sizeof(name));
	memset(text, 't', sizeof(text));
	name[55] = text[1025] = '\0';
	assert_int_equal(onetime_add_value(&c, name, "x", &why), ERR_INPUT);
	assert_int_equal(onetime_add_value(&c, "a", text, &why), ERR_INPUT);
	name[54] = text[1024] = '\0';
	assert_int_equal(onetime_add_value(&c, name, text, &why), ERR_OK);
	onetime_free(&c);
}

static void values_are_limited(void **state)
{
	struct store_challenge c = {0};
	char name[16];

	(void)state;
	for (int i = 0; i <= ONETIME_VALUES_MAX; i++) {
		snprintf(name, sizeof(name), "n%d", i);
		assert_int_equal(onetime_add_value(&c, name, "x", &why), i < ONETIME_VALUES_MAX ? ERR_OK : ERR_INPUT);
	}
	onetime_free(&c);
}

static void uses_life_and_device(void **state)
{
	struct store_challenge c = {0};
	char device[ONETIME_DEVICE_MAX + 2];

	(void)state;
	assert_int_equal(onetime_set_uses(&c, 0, &why), ERR_INPUT);
	assert_int_equal(onetime_set_uses(&c, -1, &why), ERR_INPUT);
	assert_int_equal(onetime_set_uses(&c, ONETIME_USES_MAX + 1, &why), ERR_INPUT);
	assert_int_equal(onetime_set_uses(&c, ONETIME_USES_MAX, &why), ERR_OK);
	assert_int_equal(onetime_set_life(&c, 1000, 1000, &why), ERR_INPUT);
	assert_int_equal(onetime_set_life(&c, 1000, 1001 + ONETIME_LIFE_MAX, &why), ERR_INPUT);
	assert_int_equal(onetime_set_life(&c, 1000, 1000 + ONETIME_LIFE_MAX, &why), ERR_OK);
	memset(device, 'd', sizeof(device));
	device[sizeof(device) - 1] = '\0';
	assert_int_equal(onetime_set_device(&c, device, &why), ERR_INPUT);
	assert_int_equal(onetime_set_device(&c, "", &why), ERR_INPUT);
	assert_int_equal(onetime_set_device(&c, "two\nlines", &why), ERR_INPUT);
	assert_int_equal(onetime_set_device(&c, "\xff", &why), ERR_INPUT);
	assert_non_null(strstr(why.text, "clean UTF-8"));
	assert_int_equal(onetime_set_device(&c, device + 1, &why), ERR_OK);
	onetime_free(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(names_are_canonical_and_once),
	    cmocka_unit_test(names_are_limited),
	    cmocka_unit_test(subject_is_canonical),
	    cmocka_unit_test(values_are_what_templates_take),
	    cmocka_unit_test(values_are_limited),
	    cmocka_unit_test(uses_life_and_device),
	};
	return cmocka_run_group_tests_name("onetime", tests, NULL, NULL);
}
