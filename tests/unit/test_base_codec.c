#include "unit.h"

#include <stdlib.h>
#include <string.h>

#include "base/codec.h"

#define KEPT "kept"	/* what stands in the buffer before: a failure leaves exactly this */

enum decoder { HEX, STRICT, SCEP, PERCENT };

static bool decode(enum decoder how, struct buf *out, const char *text, size_t n)
{
	switch (how) {
	case HEX:
		return hex_decode(out, text);
	case STRICT:
		return base64_decode(out, bytes_of(text, n));
	case SCEP:
		return base64_decode_scep(out, bytes_of(text, n));
	default:
		return percent_decode(out, bytes_of(text, n));
	}
}

struct row {
	const char *text;
	const char *want;	/* NULL: refused */
};

static void check_rows(enum decoder how, const struct row *rows, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++) {
		struct buf out = {0};
		size_t text_len = strlen(rows[i].text);
		char *text = malloc(text_len + 1);	/* on the heap, so that a sanitizer sees every octet read too far */

		memcpy(text, rows[i].text, text_len + 1);
		buf_add_str(&out, KEPT);
		print_message("# '%s'\n", rows[i].text);
		assert_int_equal(decode(how, &out, text, text_len), rows[i].want != NULL);
		assert_true(out.n >= strlen(KEPT));
		assert_memory_equal(out.p, KEPT, strlen(KEPT));
		assert_true(bytes_eq_str(bytes_cut(buf_bytes(&out), strlen(KEPT), out.n), rows[i].want ? rows[i].want : ""));
		buf_free(&out);
		free(text);
	}
}

#define CHECK(how, rows) check_rows(how, rows, sizeof(rows) / sizeof((rows)[0]))

static void hex(void **state)
{
	static const struct row rows[] = {
	    {"", ""}, {"41", "A"}, {"4a4B", "JK"}, {"41:42:43", "ABC"}, {"4142:43", "ABC"},
	    {"4", NULL}, {"414", NULL}, {":41", NULL}, {"41:", NULL}, {"4:1", NULL}, {"41::42", NULL}, {"4g", NULL},
	    {"41 42", NULL}, {"0x41", NULL}, {"41\n", NULL},
	};
	struct buf out = {0};

	(void)state;
	CHECK(HEX, rows);
	hex_encode(&out, bytes_of("\x00\xff\x1a", 3));
	assert_string_equal((char *)out.p, "00ff1a");
	assert_true(hex_decode(&out, "00"));	/* a zero octet is data */
	assert_int_equal(out.n, 7);
	buf_free(&out);
}

static void base64_strict(void **state)
{
	static const struct row rows[] = {
	    {"", ""}, {"Zg==", "f"}, {"Zm8=", "fo"}, {"Zm9v", "foo"}, {"Zm9vYg==", "foob"}, {" Zm\r\n9v\t", "foo"}, {"Pz8/", "?\?\?"},
	    {"Zm9vYg=\n=\n", "foob"},
	    {"Zg", NULL}, {"Zg=", NULL}, {"Zg===", NULL}, {"Zm8", NULL}, {"Zm9v=", NULL}, {"Zm9v====", NULL}, {"Z", NULL}, {"=", NULL},
	    {"Zg==Zg==", NULL}, {"Zh==", NULL}, {"Zo==", NULL}, {"Zm9=", NULL}, {"Zm-_", NULL}, {"Zm9v!", NULL}, {"Zm9v\v", NULL}, {"====", NULL},
	    {"Zm=8", NULL}, {"Zm9v\x80", NULL},
	};
	struct buf out = {0};

	(void)state;
	CHECK(STRICT, rows);
	base64_encode(&out, BYTES_LIT("fo"));
	base64_encode(&out, BYTES_LIT("f"));
	base64_encode(&out, BYTES_LIT(""));
	base64_encode(&out, BYTES_LIT("?>foo~"));
	assert_string_equal((char *)out.p, "Zm8=Zg==Pz5mb29+");
	assert_false(base64_decode(&out, bytes_of("Zm9v\0", 5)));
	buf_free(&out);
}

/* P-14, P-15 and clients.md 4.3: what clients make of base64 in a GET, after one percent-decoding. */
static void base64_scep(void **state)
{
	static const struct row rows[] = {
	    {"Pz8/Pj4+", "?\?\?>>>"},		/* as RFC 8894 says; + and / raw: jscep, macOS */
	    {"Pz8/Pj4 ", "?\?\?>>>"},		/* + read as a blank by somebody on the way */
	    {"Pz8_Pj4-", "?\?\?>>>"},		/* micromdm: base64url */
	    {"Pz8\n/Pj\r\n4+\n", "?\?\?>>>"},	/* sscep: a line end every 64 characters and at the end; Cisco */
	    {"Zm8=", "fo"}, {"Zm8", "fo"}, {"Zg==", "f"}, {"Zg", "f"}, {"Zg\n", "f"}, {"Zg==\n", "f"}, {"", ""},
	    {"Pj4 ", ">>>"}, {"    ", "\xfb\xef\xbe"},
	    {"Zg=", NULL}, {"Zg===", NULL}, {"Zm9vZ", NULL}, {"Zh", NULL}, {"Zo", NULL}, {"Zm9", NULL},
	    {"Pz8_Pj4+", NULL},		/* two alphabets in one text */
	    {"Pz8_Pj4 ", NULL}, {"Pz8%2F", NULL}, {"Zg==Zg==", NULL}, {"Zg== ", NULL}, {"Zm9v\t", NULL}, {"Zm9v.", NULL},
	    {"Zm9v,", NULL}, {"{Zm9v", NULL},
	};
	(void)state;
	CHECK(SCEP, rows);
}

static void percent(void **state)
{
	static const struct row rows[] = {
	    {"", ""}, {"a%20b", "a b"}, {"%2b+%2B", "+++"}, {"%252F", "%2F"}, {"abc", "abc"}, {"%0A", "\n"},
	    {"%", NULL}, {"%2", NULL}, {"ab%", NULL}, {"%zz", NULL}, {"%2z", NULL}, {"%%41", NULL}, {"%-1", NULL}, {"% 1", NULL},
	};
	struct buf out = {0};

	(void)state;
	CHECK(PERCENT, rows);
	assert_false(percent_decode(&out, bytes_of("%2A", 2)));	/* what stands behind the end is not looked at */
	assert_false(percent_decode(&out, bytes_of("%2A", 1)));
	assert_true(percent_decode(&out, BYTES_LIT("a%00b")));
	assert_int_equal(out.n, 3);
	assert_memory_equal(out.p, "a\0b", 3);
	buf_free(&out);
	percent_encode(&out, bytes_of("aZ09-._~+/=\xff\0", 13));
	assert_string_equal((char *)out.p, "aZ09-._~%2B%2F%3D%FF%00");
	buf_free(&out);
}

static void parameters(void **state)
{
	static const struct {
		const char *query, *name, *want;	/* want NULL: not there */
	} rows[] = {
	    {"operation=GetCACaps", "operation", "GetCACaps"},
	    {"message=0&operation=PKIOperation", "operation", "PKIOperation"},	/* micromdm's order */
	    {"operation=A&operation=B", "operation", "A"},
	    {"operation=A&message=", "message", ""},
	    {"message&operation=A", "message", ""},
	    {"&&operation=A&", "operation", "A"},
	    {"message=a=b==&x=y", "message", "a=b=="},
	    {"xoperation=A", "operation", NULL},
	    {"operationx=A", "operation", NULL},
	    {"Operation=A", "operation", NULL},
	    {"x=operation=A", "operation", NULL},
	    {"operat", "operation", NULL},
	    {"", "operation", NULL},
	    {"&", "operation", NULL},
	};
	struct bytes value;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		print_message("# '%s'\n", rows[i].query);
		value = BYTES_LIT("untouched");
		assert_int_equal(query_param(bytes_str(rows[i].query), rows[i].name, &value), rows[i].want != NULL);
		assert_true(bytes_eq_str(value, rows[i].want ? rows[i].want : "untouched"));
	}
	assert_false(query_param(bytes_of(NULL, 0), "operation", &value));
}

static void escaping(void **state)
{
	struct buf out = {0};

	(void)state;
	escape_text(&out, bytes_of("a \"b\\\n\0\x7f\xc3~", 10), 100);
	assert_string_equal((char *)out.p, "a \\x22b\\x5c\\x0a\\x00\\x7f\\xc3~");
	buf_cut(&out, 0);
	escape_text(&out, BYTES_LIT("abcdef"), 3);
	assert_string_equal((char *)out.p, "abc");
	buf_free(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(hex), cmocka_unit_test(base64_strict), cmocka_unit_test(base64_scep), cmocka_unit_test(percent),
	    cmocka_unit_test(parameters), cmocka_unit_test(escaping),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
