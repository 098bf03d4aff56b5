/* What scep-admin.fcgi reads of a request, and who may ask. */
#include "unit.h"

#include <string.h>

#include "api/allow.h"
#include "api/challenge_json.h"
#include "api/order.h"
#include "auth/onetime.h"

#define NOW 1800000000	/* 2027-01-15T08:00:00Z */

static enum err read_order(const char *text, struct store_challenge *c, struct why *why)
{
	return order_read(bytes_str(text), NOW, c, why);
}

static void everything(void **state)
{
	struct store_challenge c;
	struct why why;

	(void)state;
	assert_int_equal(read_order(" {\"profile\": \"wifi\", \"subject\": \"cn=a , o=b\", \"sans\": [\"dns:A.example\", \"ip:192.0.2.1\"], \"device\": \"d\",\n"
	    "\"expires_in\": 3600, \"uses\": 3, \"values\": {\"owner\": \"Alice: \\\"A\\\"\", \"site\": \"\\u00e4\"}} \r\n", &c, &why), ERR_OK);
	assert_string_equal(c.profile, "wifi");
	assert_string_equal(c.subject, "CN=a,O=b");
	assert_string_equal(c.sans[0], "dns:a.example");
	assert_string_equal(c.sans[1], "ip:192.0.2.1");
	assert_null(c.sans[2]);
	assert_string_equal(c.device, "d");
	assert_string_equal(c.values[1], "Alice: \"A\"");
	assert_string_equal(c.values[3], "\xc3\xa4");
	assert_null(c.values[4]);
	assert_int_equal(c.uses_left, 3);
	assert_int_equal(c.created, NOW);
	assert_int_equal(c.expires, NOW + 3600);
	onetime_free(&c);
}

static void nothing_is_a_challenge_for_a_day(void **state)
{
	struct store_challenge c;
	struct why why;

	(void)state;
	assert_int_equal(read_order("{}", &c, &why), ERR_OK);
	assert_string_equal(c.profile, "default");
	assert_true(c.subject == NULL && c.device == NULL && c.sans == NULL && c.values == NULL);
	assert_int_equal(c.uses_left, 1);
	assert_int_equal(c.expires, NOW + 86400);
	onetime_free(&c);
}

static void times(void **state)
{
	static const struct {
		const char *text;
		long after;
	} good[] = {
	    {"{\"expires\": \"2027-01-15T09:00:00Z\"}", 3600}, {"{\"expires_in\": \"90m\"}", 5400}, {"{\"expires_in\": \"60\"}", 60}, {"{\"expires_in\": 1}", 1},
	};
	struct store_challenge c;
	struct why why;

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_int_equal(read_order(good[i].text, &c, &why), ERR_OK);
		assert_int_equal(c.expires, NOW + good[i].after);
		onetime_free(&c);
	}
}

/* A bad body, and what the sentence about it has in it. */
static const struct {
	const char *text, *said;
	enum err err;
} bad[] = {
    {"", "not JSON", ERR_INPUT},
    {"x", "not JSON", ERR_INPUT},
    {"{", "not JSON", ERR_INPUT},
    {"{\"device\": \"a", "not JSON", ERR_INPUT},
    {"[]", "not a JSON object", ERR_INPUT},
    {"null ", "not a JSON object", ERR_INPUT},
    {"\"text\"", "not a JSON object", ERR_INPUT},
    {"{} x", "not JSON", ERR_INPUT},
    {"{}{}", "not JSON", ERR_INPUT},
    {"{'device': 'a'}", "not JSON", ERR_INPUT},
    {"{/* c */}", "not JSON", ERR_INPUT},
    {"{\"device\": \"a\",}", "not JSON", ERR_INPUT},
    {"{\"device\": \"\xff\"}", "not JSON", ERR_INPUT},
    {"{\"sans\": [[[[[[[[\"dns:a\"]]]]]]]]}", "not JSON", ERR_INPUT},
    {"{\"uses\": 1, \"uses\": 2}", "twice", ERR_INPUT},
    {"{\"values\": {\"a\": \"x\", \"a\": \"y\"}}", "twice", ERR_INPUT},
    {"{\"values\": {\"a\": {\"b\": \"x\", \"b\": \"y\"}}}", "twice", ERR_INPUT},
    {"{\"subjct\": \"CN=a\"}", "did you mean 'subject'?", ERR_INPUT},
    {"{\"san\": [\"dns:a\"]}", "did you mean 'sans'?", ERR_INPUT},
    {"{\"Profile\": \"a\"}", "did you mean 'profile'?", ERR_INPUT},
    {"{\"something\": 1}", "no member 'something'", ERR_INPUT},
    {"{\"profile\": 1}", "profile: a text", ERR_INPUT},
    {"{\"profile\": null}", "profile: a text", ERR_INPUT},
    {"{\"device\": \"a\\u0000b\"}", "not JSON", ERR_INPUT},
    {"{\"uses\": NaN}", "not JSON", ERR_INPUT},
    {"{\"device\": \"\"}", "device: ", ERR_INPUT},
    {"{\"subject\": \"words\"}", "subject: ", ERR_SUBJECT},
    {"{\"sans\": \"dns:a\"}", "sans: an array", ERR_INPUT},
    {"{\"sans\": []}", "sans: an array", ERR_INPUT},
    {"{\"sans\": [1]}", "sans: a text", ERR_INPUT},
    {"{\"sans\": [\"a.example\"]}", "sans: 'a.example' has no kind", ERR_SUBJECT},
    {"{\"sans\": [\"dns:a\", \"dns:A\"]}", "twice", ERR_INPUT},
    {"{\"uses\": 0}", "uses: ", ERR_INPUT},
    {"{\"uses\": -1}", "uses: ", ERR_INPUT},
    {"{\"uses\": 1.5}", "uses: a whole number", ERR_INPUT},
    {"{\"uses\": \"1\"}", "uses: a whole number", ERR_INPUT},
    {"{\"uses\": true}", "uses: a whole number", ERR_INPUT},
    {"{\"uses\": 99999999999999999999}", "uses: ", ERR_INPUT},
    {"{\"uses\": 4294967297}", "uses: ", ERR_INPUT},
    {"{\"expires_in\": 0}", "expires_in: ", ERR_INPUT},
    {"{\"expires_in\": -1}", "expires_in: ", ERR_INPUT},
    {"{\"expires_in\": \"soon\"}", "expires_in: ", ERR_INPUT},
    {"{\"expires_in\": 9223372036854775807}", "expires_in: ", ERR_INPUT},
    {"{\"expires\": \"2026-12-31T00:00:00Z\"}", "expires: the challenge would have expired", ERR_INPUT},
    {"{\"expires\": \"tomorrow\"}", "expires: a time", ERR_INPUT},
    {"{\"expires\": 1800003600}", "expires: a time", ERR_INPUT},
    {"{\"expires\": \"2099-01-01\"}", "expires: the challenge would live", ERR_INPUT},
    {"{\"expires\": \"2027-02-01\", \"expires_in\": 60}", "one is enough", ERR_INPUT},
    {"{\"values\": [\"a\"]}", "values: an object", ERR_INPUT},
    {"{\"values\": {\"a\": 1}}", "values: 'a': a text", ERR_INPUT},
    {"{\"values\": {\"a b\": \"x\"}}", "no name for a value", ERR_INPUT},
};

static void what_is_wrong_is_said(void **state)
{
	struct store_challenge c = {.uses_left = 77};
	struct why why;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		why = (struct why){0};
		if (read_order(bad[i].text, &c, &why) != bad[i].err || why.err != bad[i].err || strstr(why.text, bad[i].said) == NULL)
			fail_msg("%s: %d, \"%s\"", bad[i].text, why.err, why.text);
		assert_int_equal(c.uses_left, 77);
	}
}

static void a_nul_ends_nothing(void **state)
{
	static const char text[] = "{}\0{\"uses\": 2}";
	struct store_challenge c;
	struct why why;

	(void)state;
	assert_int_equal(order_read(bytes_of(text, sizeof(text) - 1), NOW, &c, &why), ERR_INPUT);
	assert_int_equal(order_read(bytes_of(text, 3), NOW, &c, &why), ERR_INPUT);
}

static void the_same_comes_out(void **state)
{
	struct store_challenge c;
	struct why why;
	struct json_object *o;

	(void)state;
	assert_int_equal(read_order("{\"sans\": [\"dns:a\"], \"values\": {\"k\": \"v\"}, \"expires_in\": 60}", &c, &why), ERR_OK);
	o = challenge_json(&c, NOW);
	assert_string_equal(json_object_get_string(json_object_object_get(o, "state")), "ready");
	assert_string_equal(json_object_get_string(json_object_object_get(o, "expires")), "2027-01-15T08:01:00Z");
	assert_string_equal(json_object_to_json_string_ext(json_object_object_get(o, "sans"), 0), "[\"dns:a\"]");
	assert_string_equal(json_object_to_json_string_ext(json_object_object_get(o, "values"), 0), "{\"k\":\"v\"}");
	json_object_put(o);
	o = challenge_json(&c, NOW + 60);
	assert_string_equal(json_object_get_string(json_object_object_get(o, "state")), "expired");
	json_object_put(o);
	onetime_free(&c);
}

static void who_may(void **state)
{
	char *users[] = {(char *)"mdm", (char *)"alice", NULL}, *any[] = {(char *)"any", NULL};
	char *pairs[] = {(char *)"mdm:wifi", (char *)"mdm:vpn", NULL};
	struct admin_conf conf = {.users = users};
	struct why why;

	(void)state;
	assert_int_equal(allow_user(&conf, "", &why), ERR_LOGIN);
	assert_int_equal(allow_user(&conf, "mdm", &why), ERR_OK);
	assert_int_equal(allow_user(&conf, "MDM", &why), ERR_FORBIDDEN);
	assert_int_equal(allow_user(&conf, "any", &why), ERR_FORBIDDEN);
	assert_int_equal(allow_profile(&conf, "mdm", "wifi", &why), ERR_OK);
	assert_int_equal(allow_profile(&conf, "mdm", NULL, &why), ERR_OK);
	conf.users = any;
	assert_int_equal(allow_user(&conf, "bob", &why), ERR_OK);
	assert_int_equal(allow_user(&conf, "", &why), ERR_LOGIN);
	conf.users = NULL;
	assert_int_equal(allow_user(&conf, "bob", &why), ERR_FORBIDDEN);
	conf.challenge_profiles = pairs;
	assert_int_equal(allow_profile(&conf, "mdm", "vpn", &why), ERR_OK);
	assert_int_equal(allow_profile(&conf, "mdm", "default", &why), ERR_FORBIDDEN);
	assert_int_equal(allow_profile(&conf, "mdm", NULL, &why), ERR_FORBIDDEN);
	assert_int_equal(allow_profile(&conf, "alice", "default", &why), ERR_OK);
	assert_true(allow_is_bound(&conf, "mdm"));
	assert_false(allow_is_bound(&conf, "md"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(everything),
	    cmocka_unit_test(nothing_is_a_challenge_for_a_day),
	    cmocka_unit_test(times),
	    cmocka_unit_test(what_is_wrong_is_said),
	    cmocka_unit_test(a_nul_ends_nothing),
	    cmocka_unit_test(the_same_comes_out),
	    cmocka_unit_test(who_may),
	};
	return cmocka_run_group_tests_name("api", tests, NULL, NULL);
}
