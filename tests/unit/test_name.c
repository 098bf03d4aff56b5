/* Names: text both ways, comparing, attributes, string types; subjectAltName. */
#include "unit.h"


#include "conf/conf.h"
#include "data.h"
#include "pki/der.h"
#include "pki/name.h"
#include "pki/oid.h"

static struct buf name_of(const char *text)
{
	struct buf der = {0};
	struct why why = {0};

	if (name_parse(text, &der, &why) != ERR_OK)
		fail_msg("%s: %s", text, why.text);
	return der;
}

/* NAME.der and its text in NAME.txt */
static void has_its_text(const char *name, struct bytes der)
{
	char *path = mem_printf("good/name/%.*s.txt", (int)strcspn(name, "."), name);
	struct buf expected = data_read(path), text = {0};
	struct why why = {0};

	if (name_text(der, &text, &why) != ERR_OK)
		fail_msg("%s: %s", name, why.text);
	if (!bytes_eq(buf_bytes(&text), buf_bytes(&expected)))
		fail_msg("%s: '%s', expected was '%s'", name, (char *)text.p, (char *)expected.p);
	buf_free(&expected);
	buf_free(&text);
	free(path);
}

static void is_refused(const char *name, struct bytes der)
{
	struct buf text = {0};
	struct why why = {0};

	if (name_text(der, &text, &why) != data_expected(name) || text.n != 0)
		fail_msg("%s: '%s'", name, text.p == NULL ? "" : (char *)text.p);
	assert_true(why.text[0] != '\0');
}

static void names_have_text(void **state)
{
	(void)state;
	data_each("good/name", ".der", 14, has_its_text);
	data_each("bad/name", ".der", 9, is_refused);
}

/* What name_text writes, name_parse reads into the same bytes, where the string types are ours. */
static void text_reads_back(void **state)
{
	static const char *const texts[] = {
	    "", "CN=device", "CN=device,O=Example,C=DE", "OU=Lab+CN=device,O=Example", "CN=\\ a\\,b\\+c\\\"d\\\\e\\ ,DC=example,DC=com",
	    "CN=\\#1", "CN=a\\09b", "CN=a\\C2\\9B31mb", "CN=\\E2\\80\\AEadmin", "CN=Gr\303\274\303\237e", "1.3.6.1.4.1.99999.1=#0c0178", "serialNumber=FTX1,unstructuredName=router",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct buf der = name_of(texts[i]), text = {0};

		assert_int_equal(name_text(buf_bytes(&der), &text, NULL), ERR_OK);
		if (!bytes_eq_str(buf_bytes(&text), texts[i]))
			fail_msg("'%s' came back as '%s'", texts[i], (char *)text.p);
		buf_free(&der);
		buf_free(&text);
	}
}

static void text_is_read_generously(void **state)
{
	static const char *const pairs[][2] = {
	    {"CN = device , O = Example", "CN=device,O=Example"},
	    {"cn=device, o=Example", "CN=device,O=Example"},
	    {"2.5.4.3=device", "CN=device"},
	    {"CN=#0c01 78", NULL},
	    {"CN=#0c0178", "CN=x"},
	    {"CN=\\47\\c3\\9F", "CN=G\xc3\x9f"},
	    {"E=a@b.example", "emailAddress=a@b.example"},
	    {"CN=a=b", "CN=a\\=b"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		struct buf a = {0}, b;

		if (pairs[i][1] == NULL) {
			assert_int_equal(name_parse(pairs[i][0], &a, NULL), ERR_SUBJECT);
			continue;
		}
		a = name_of(pairs[i][0]);
		b = name_of(pairs[i][1]);
		if (!bytes_eq(buf_bytes(&a), buf_bytes(&b)))
			fail_msg("'%s' is not '%s'", pairs[i][0], pairs[i][1]);
		buf_free(&a);
		buf_free(&b);
	}
}

static void bad_text_is_refused(void **state)
{
	static const char *const texts[] = {
	    "device", "CN=", "CN=x,", ",CN=x", "CN=x,,O=y", "CN=x+", "XY=z", "CN=a\"b", "CN=a;b", "CN=a<b", "CN=a\\", "CN=a\\zz",
	    "CN=a\\00b", "CN=\\ff", "C=DEU", "C=D", "C=\xc3\xa4", "serialNumber=a_b", "DC=\xc3\xa4", "CN=#", "CN=#0c", "CN=#0c0178ff",
	    "1.2.x=y", "3.1=y", "=x", "/CN=x",
	    "CN=01234567890123456789012345678901234567890123456789012345678901234",	/* 65 */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct buf der = {0};
		struct why why = {0};

		if (name_parse(texts[i], &der, &why) != ERR_SUBJECT || der.n != 0)
			fail_msg("'%s' was accepted", texts[i]);
		assert_true(why.err == ERR_SUBJECT && why.text[0] != '\0');
	}
}

static void upper_bound_counts_characters(void **state)
{
	struct buf text = {0}, der;

	(void)state;
	buf_add_str(&text, "CN=");
	for (int i = 0; i < 64; i++)
		buf_add_str(&text, "\xc3\xa4");
	der = name_of((char *)text.p);
	buf_free(&der);
	buf_free(&text);
}

static void attributes_are_found(void **state)
{
	struct buf der = name_of("CN=device,serialNumber=4711,O=Example"), text = {0};
	struct buf odd = name_of("CN=#020105");

	(void)state;
	assert_true(name_attr(buf_bytes(&der), OID_CN, &text));
	assert_true(bytes_eq_str(buf_bytes(&text), "device"));
	buf_cut(&text, 0);
	assert_true(name_attr(buf_bytes(&der), OID_SERIAL_NUMBER, &text));
	assert_true(bytes_eq_str(buf_bytes(&text), "4711"));
	assert_false(name_attr(buf_bytes(&der), "2.5.4.6", &text));
	assert_false(name_attr(buf_bytes(&odd), OID_CN, &text));	/* an INTEGER */
	assert_false(name_attr(BYTES_LIT("junk"), OID_CN, &text));
	buf_free(&text);
	buf_free(&der);
	buf_free(&odd);
}

static void assert_equal(const char *a, const char *b, bool expected)
{
	struct buf x = name_of(a), y = name_of(b);

	if (name_eq(buf_bytes(&x), buf_bytes(&y)) != expected || name_eq(buf_bytes(&y), buf_bytes(&x)) != expected)
		fail_msg("'%s' and '%s'", a, b);
	buf_free(&x);
	buf_free(&y);
}

/* P-182 */
static void names_are_compared(void **state)
{
	(void)state;
	assert_equal("CN=Device,O=Example", "CN=device,O=EXAMPLE", true);
	assert_equal("CN=x", "CN=#130178", true);	/* PrintableString */
	assert_equal("CN=x", "CN=#1e020078", true);	/* BMPString */
	assert_equal("CN=x", "CN=#020178", false);	/* INTEGER */
	assert_equal("CN=#020178", "CN=#020178", true);
	assert_equal("CN=x,O=y", "O=y,CN=x", false);
	assert_equal("CN=x,O=y", "CN=x", false);
	assert_equal("CN=x+O=y", "CN=x,O=y", false);
	assert_equal("CN=x+O=y", "CN=x", false);
	assert_equal("CN=x", "O=x", false);
	assert_equal("", "CN=x", false);
	assert_equal("", "", true);
	assert_true(name_is_empty(BYTES_LIT("\x30\0")));
	assert_false(name_is_empty(BYTES_LIT("\x31\0")));
}

/* CN of n characters, DER. */
static struct buf long_name(size_t n, uint8_t c)
{
	struct buf der = {0};
	size_t rdn = der_open(&der), ava = der_open(&der), value;

	der_oid(&der, OID_CN);
	value = der_open(&der);
	memset(buf_grow(&der, n), c, n);
	der_close(&der, value, DER_UTF8);
	der_close(&der, ava, DER_SEQUENCE);
	der_close(&der, rdn, DER_SET);
	der_close(&der, 0, DER_SEQUENCE);
	return der;
}

/* Folding case costs time that a stranger could make us spend many times over. */
static void long_names_are_compared_by_bytes(void **state)
{
	(void)state;
	for (size_t n = 4000; n <= 5000; n += 1000) {
		struct buf a = long_name(n, 'a'), same = long_name(n, 'a'), folded = long_name(n, 'A');

		assert_true(name_eq(buf_bytes(&a), buf_bytes(&same)));
		assert_int_equal(name_eq(buf_bytes(&a), buf_bytes(&folded)), n == 4000);
		buf_free(&a);
		buf_free(&same);
		buf_free(&folded);
	}
}

/* Names up to 4 KiB are looked into, longer ones are bytes only. */
static void long_names_are_only_bytes(void **state)
{
	struct buf upper = {0}, lower = {0}, text = {0}, a, b;

	(void)state;
	buf_add_str(&upper, "CN=A");
	buf_add_str(&lower, "CN=a");
	for (int i = 0; i < 4; i++) {
		buf_printf(&upper, ",description=%01000d", i);
		buf_printf(&lower, ",description=%01000d", i);
	}
	assert_equal((char *)upper.p, (char *)lower.p, true);
	buf_printf(&upper, ",OU=%060d", 5);
	buf_printf(&lower, ",OU=%060d", 5);
	assert_equal((char *)upper.p, (char *)lower.p, false);
	assert_equal((char *)upper.p, (char *)upper.p, true);
	a = name_of("CN=a");
	b = name_of((char *)upper.p);
	assert_true(name_attr(buf_bytes(&a), OID_CN, &text));
	assert_false(name_attr(buf_bytes(&b), OID_CN, &text));
	buf_free(&a);
	buf_free(&b);
	buf_free(&upper);
	buf_free(&lower);
	buf_free(&text);
}

static void strings_become_utf8(void **state)
{
	static const struct {
		struct bytes tlv;
		const char *text;	/* NULL: refused */
	} rows[] = {
	    {BYTES_LIT("\x0c\2\xc3\xa9"), "\xc3\xa9"},
	    {BYTES_LIT("\x13\1*"), "*"},
	    {BYTES_LIT("\x14\1\xe9"), "\xc3\xa9"},
	    {BYTES_LIT("\x16\1x"), "x"},
	    {BYTES_LIT("\x1e\4\0x\x20\xac"), "x\xe2\x82\xac"},
	    {BYTES_LIT("\x1e\4\xd8\x3d\xde\0"), "\xf0\x9f\x98\x80"},
	    {BYTES_LIT("\x1c\4\0\1\xf6\0"), "\xf0\x9f\x98\x80"},
	    {BYTES_LIT("\x0c\4\xf4\x8f\xbf\xbf"), "\xf4\x8f\xbf\xbf"},
	    {BYTES_LIT("\x0c\0"), ""},
	    {BYTES_LIT("\x0c\1\0"), NULL},				/* NUL, in each type */
	    {BYTES_LIT("\x13\1\0"), NULL},
	    {BYTES_LIT("\x14\1\0"), NULL},
	    {BYTES_LIT("\x1e\2\0\0"), NULL},
	    {BYTES_LIT("\x1c\4\0\0\0\0"), NULL},
	    {BYTES_LIT("\x13\1\xe9"), NULL},				/* not ASCII */
	    {BYTES_LIT("\x0c\1\xe9"), NULL},				/* cut */
	    {BYTES_LIT("\x0c\2\xc0\x80"), NULL},			/* overlong */
	    {BYTES_LIT("\x0c\3\xe0\x80\xaf"), NULL},
	    {BYTES_LIT("\x0c\3\xed\xa0\x80"), NULL},			/* surrogate */
	    {BYTES_LIT("\x0c\4\xf4\x90\x80\x80"), NULL},		/* above U+10FFFF */
	    {BYTES_LIT("\x0c\2\x80x"), NULL},
	    {BYTES_LIT("\x1e\3\0x\0"), NULL},				/* odd */
	    {BYTES_LIT("\x1e\2\xd8\x3d"), NULL},			/* half a pair */
	    {BYTES_LIT("\x1e\2\xde\0"), NULL},
	    {BYTES_LIT("\x1c\4\0\x11\0\0"), NULL},
	    {BYTES_LIT("\2\1\5"), NULL},				/* INTEGER */
	    {BYTES_LIT("\x0c\1xx"), NULL},				/* more than one TLV */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct buf text = {0};
		bool ok = string_utf8(rows[i].tlv, &text);

		if (ok != (rows[i].text != NULL) || !bytes_eq_str(buf_bytes(&text), rows[i].text))
			fail_msg("row %zu: %d '%s'", i, ok, text.p == NULL ? "" : (char *)text.p);
		buf_free(&text);
	}
}

/* --- subjectAltName ---------------------------------------------------------------------------------------------- */

static void general_names_go_both_ways(void **state)
{
	static const char *const texts[] = {"dns:*.device.example", "ip:192.0.2.1", "IP:2001:db8::1", "email:a@b.example",
					    "uri:urn:uuid:1", "upn:us,er@example", "upn:\342\200\256a@example"};
	struct buf list = {0}, text = {0};
	size_t at = der_open(&list);
	struct bytes rest;
	struct san san;
	struct tlv t;
	unsigned seen = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		assert_int_equal(san_parse(texts[i], &list, NULL), ERR_OK);
	der_close(&list, at, DER_SEQUENCE);
	assert_int_equal(san_text(buf_bytes(&list), &text, NULL), ERR_OK);
	assert_string_equal((char *)text.p, "DNS:*.device.example, IP:192.0.2.1, IP:2001:db8::1, email:a@b.example, "
					    "URI:urn:uuid:1, UPN:us\\,er@example, UPN:\\E2\\80\\AEa@example");
	assert_true(der_whole(buf_bytes(&list), DER_SEQUENCE, &t));
	for (rest = t.body; san_next(&rest, &san);)
		seen |= san.type;
	assert_int_equal(rest.n, 0);
	assert_int_equal(seen, SAN_DNS | SAN_IP | SAN_EMAIL | SAN_URI | SAN_UPN);
	buf_free(&list);
	buf_free(&text);
}

static void general_names_have_one_form(void **state)
{
	static const struct {
		const char *text, *key;
	} rows[] = {
	    {"DNS:A.Example", "dns:a.example"}, {"ip:2001:DB8:0::1", "ip:2001:db8::1"}, {"ip:192.0.2.1", "ip:192.0.2.1"},
	    {"email:Ann@EXAMPLE.net", "email:Ann@example.net"}, {"uri:urn:X:1", "uri:urn:X:1"}, {"upn:Ann@Example", "upn:Ann@Example"},
	};
	static const uint8_t other[] = {0x30, 7, 0x82, 1, 'A', 0x88, 2, 0x2a, 3};
	static const uint8_t malformed[] = {0x30, 5, 0x82, 1, 'A', 0x87, 0};
	struct buf key = {0};
	char **list;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		buf_cut(&key, 0);
		assert_int_equal(san_canonical(rows[i].text, &key, NULL), ERR_OK);
		assert_string_equal(buf_str(&key), rows[i].key);
	}
	assert_int_equal(san_canonical("dns:a b", &key, NULL), ERR_SUBJECT);
	buf_free(&key);
	list = san_keys(bytes_of(other, sizeof(other)));
	assert_string_equal(list[0], "dns:a");
	assert_string_equal(list[1], "der:88022a03");
	assert_null(list[2]);
	san_keys_free(list);
	list = san_keys(bytes_of(malformed, sizeof(malformed)));
	assert_string_equal(list[1], SAN_KEY_UNREADABLE);
	san_keys_free(list);
	list = san_keys(BYTES_LIT("x"));
	assert_string_equal(list[0], SAN_KEY_UNREADABLE);
	assert_null(list[1]);
	san_keys_free(list);
}

static void bad_general_names_are_refused(void **state)
{
	static const char *const texts[] = {"device.example", "dns:", "dns:a b", "dns:b\303\274cher.example", "dns:a,b", "ip:1.2.3",
					    "ip:2001:db8::g", "ip:", "email:", "upn:", "upn:\xff", "uri:a b", "rid:1.2.3"};
	static const struct bytes malformed[] = {
	    BYTES_LIT("\x82\5a\0b.c"),		/* a NUL hides what follows from C programs */
	    BYTES_LIT("\x82\0"),
	    BYTES_LIT("\x82\3" "a b"),
	    BYTES_LIT("\x87\3\1\2\3"),
	    BYTES_LIT("\x87\x08\1\2\3\4\1\2\3\4"),
	    BYTES_LIT("\xa4\2\x31\0"),		/* directoryName without a Name */
	    BYTES_LIT("\xa0\x02\6\0"),
	    BYTES_LIT("\x82\5ab"),
	};
	struct buf out = {0};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		if (san_parse(texts[i], &out, NULL) != ERR_SUBJECT || out.n != 0)
			fail_msg("'%s' was accepted", texts[i]);
	}
	for (size_t i = 0; i < sizeof(malformed) / sizeof(malformed[0]); i++) {
		struct bytes rest = malformed[i];
		struct buf list = {0};
		struct san san;

		if (san_next(&rest, &san) || rest.n == 0)
			fail_msg("malformed name %zu was accepted", i);
		der_tlv(&list, DER_SEQUENCE, malformed[i]);
		assert_int_equal(san_text(buf_bytes(&list), &out, NULL), ERR_SYNTAX);
		assert_int_equal(out.n, 0);
		buf_free(&list);
	}
	buf_free(&out);
}

/* registeredID and an otherName that is no UPN: not malformed, but nothing that we know */
static void unknown_general_names_are_told_apart(void **state)
{
	struct bytes rest = BYTES_LIT("\x88\1\x2a\xa0\x08\6\1\x2a\xa0\3\x0c\1x");
	struct san san;

	(void)state;
	assert_true(san_next(&rest, &san));
	assert_int_equal(san.type, 0);
	assert_true(san_next(&rest, &san));
	assert_int_equal(san.type, 0);
	assert_int_equal(rest.n, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(names_have_text),
	    cmocka_unit_test(text_reads_back),
	    cmocka_unit_test(text_is_read_generously),
	    cmocka_unit_test(bad_text_is_refused),
	    cmocka_unit_test(upper_bound_counts_characters),
	    cmocka_unit_test(attributes_are_found),
	    cmocka_unit_test(names_are_compared),
	    cmocka_unit_test(long_names_are_compared_by_bytes),
	    cmocka_unit_test(long_names_are_only_bytes),
	    cmocka_unit_test(strings_become_utf8),
	    cmocka_unit_test(general_names_go_both_ways),
	    cmocka_unit_test(general_names_have_one_form),
	    cmocka_unit_test(bad_general_names_are_refused),
	    cmocka_unit_test(unknown_general_names_are_told_apart),
	};

	return cmocka_run_group_tests_name("name", tests, NULL, NULL);
}
