/* Strict JSON: what two readers could understand differently is refused. */
#include "unit.h"

#include <string.h>

#include "auth/json.h"

static bool reads(struct bytes text)
{
	struct json_object *o = NULL;
	struct why why = {0};
	enum err err = json_read(text, "it", ERR_SIGNED_FORM, &o, &why);

	assert_int_equal(err == ERR_OK, o != NULL);
	assert_true(err == ERR_OK || (err == ERR_SIGNED_FORM && why.err == err && strncmp(why.text, "it ", 3) == 0));
	json_object_put(o);
	return err == ERR_OK;
}

static void accepts(void **state)
{
	static const char *const good[] = {
	    "{}", " {\r\n\t} ", "{\"a\":1}", "{\"a\":{\"a\":{\"a\":[{\"a\":1},{\"a\":2}]}},\"b\":\":,:\\\":\"}", "{\"a\":-1.5e3,\"b\":true,\"c\":null}",
	    "{\"a\":\"NaN Infinity ' \\\\u0000\"}", "{\"\":\"\"}", "{\"a\":\"\xc3\xa4\"}", "{\"a\":[[[[[1]]]]]}", "{\"a\":1,\"A\":2}",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		print_message("# %s\n", good[i]);
		assert_true(reads(bytes_str(good[i])));
	}
}

static void refuses(void **state)
{
	static const struct bytes bad[] = {
	    BYTES_LIT(""), BYTES_LIT(" "), BYTES_LIT("[]"), BYTES_LIT("1"), BYTES_LIT("\"a\""), BYTES_LIT("null"), BYTES_LIT("{\"a\":1"),
	    BYTES_LIT("{\"a\":1}}"), BYTES_LIT("{\"a\":1} x"), BYTES_LIT("{}{}"), BYTES_LIT("{\"a\":1}\0"), BYTES_LIT("{\"a\":1}\0x"), BYTES_LIT("\xef\xbb\xbf{}"),
	    BYTES_LIT("{\"a\":1,}"), BYTES_LIT("{\"a\":[1,]}"), BYTES_LIT("{a:1}"), BYTES_LIT("{'a':1}"), BYTES_LIT("{\"a\":'1'}"), BYTES_LIT("{/**/}"), BYTES_LIT("{}//x"),
	    BYTES_LIT("{\"a\":01}"), BYTES_LIT("{\"a\":+1}"), BYTES_LIT("{\"a\":NaN}"), BYTES_LIT("{\"a\":Infinity}"), BYTES_LIT("{\"a\":-Infinity}"), BYTES_LIT("{\"a\":True}"),
	    BYTES_LIT("{\"a\":\"\n\"}"), BYTES_LIT("{\"a\":\"\x01\"}"), BYTES_LIT("{\"a\":\"\xff\"}"), BYTES_LIT("{\"a\":\"\xc0\x80\"}"), BYTES_LIT("{\"a\":\"\\x\"}"),
	    BYTES_LIT("{\"a\":\"\\u0000\"}"), BYTES_LIT("{\"a\\u0000b\":1}"), BYTES_LIT("{\"a\":\"x"), BYTES_LIT("{\"a\":\"x\\"), BYTES_LIT("{\"a\":\"\\\\\\u0000\"}"),
	    /* the same member twice, at any depth, however it is spelt */
	    BYTES_LIT("{\"a\":1,\"a\":1}"), BYTES_LIT("{\"a\":1,\"b\":2,\"a\":3}"), BYTES_LIT("{\"a\":1,\"\\u0061\":1}"), BYTES_LIT("{\"x\":{\"a\":1,\"a\":2}}"),
	    BYTES_LIT("{\"x\":[{\"a\":1,\"a\":2}]}"), BYTES_LIT("{\"a\":{\"b\":1},\"a\":{\"b\":1}}"), BYTES_LIT("{\"a\":null,\"a\":\":\"}"),
	    /* too deep */
	    BYTES_LIT("{\"a\":[[[[[[[[[1]]]]]]]]]}"), BYTES_LIT("{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":1}}}}}}}}}"),
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		print_message("# %zu: %s\n", i, (const char *)bad[i].p);
		assert_false(reads(bad[i]));
	}
}

static void refuses_what_is_large(void **state)
{
	struct buf text = {0};

	(void)state;
	buf_add_str(&text, "{\"a\":\"");
	while (text.n < JSON_TEXT_MAX - 2)
		buf_add_byte(&text, 'x');
	buf_add_str(&text, "\"}");
	assert_int_equal(text.n, JSON_TEXT_MAX);
	assert_true(reads(buf_bytes(&text)));
	buf_add_byte(&text, ' ');
	assert_false(reads(buf_bytes(&text)));
	buf_free(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(accepts), cmocka_unit_test(refuses), cmocka_unit_test(refuses_what_is_large)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
