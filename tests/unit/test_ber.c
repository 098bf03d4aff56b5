/* The guard before the ASN.1 decoder: what passes, what does not, and that its work is bounded whatever the input is. */
#include "unit.h"

#include "../bench/hostile.h"
#include "base/codec.h"
#include "pki/ber.h"
#include "pki/der.h"

static struct buf from_hex(const char *hex)
{
	struct buf b = {0};

	assert_true(hex_decode(&b, hex));
	return b;
}

static void test_accepts(void **state)
{
	static const struct {
		const char *hex;
		size_t n, visited;	/* of the element; without what may come after it */
	} rows[] = {
		{"3000", 2, 1},
		{"30800000", 4, 1},
		{"30020500", 4, 2},
		{"308100", 3, 1},
		{"3081020500", 5, 2},			/* lengths longer than necessary: P-175 */
		{"3084000000020500", 8, 2},
		{"308800000000000000020500", 12, 2},
		{"30803080050000000000", 10, 3},
		{"300430800000", 6, 2},			/* indefinite in definite */
		{"308024800401aa0401bb00000000", 14, 4},
		{"30041f810100", 6, 2},			/* tag number 129, empty */
		{"30020500000d0a00", 4, 2},		/* trailing zero, CR, LF: P-187 */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct buf in = from_hex(rows[i].hex);
		struct ber_element e;
		struct why why = {0};

		if (ber_check(buf_bytes(&in), &e, &why) != ERR_OK)
			fail_msg("%s: %s", rows[i].hex, why.text);
		assert_int_equal(e.raw.n, rows[i].n);
		assert_ptr_equal(e.raw.p, in.p);
		assert_int_equal(e.visited, rows[i].visited);
		buf_free(&in);
	}
}

static void test_refuses(void **state)
{
	static const char *const rows[] = {
		"", "30", "0500", "0401aa",		/* not constructed */
		"3001", "30030500", "30020501",		/* cut, or a child longer than its parent */
		"30030402aa", "3004048102aa", "3003040261ff", "300830010500050000",
		"3080", "308000", "30800500", "308005000000ff",	/* no end, or more after it */
		"30020500ff",				/* trailing octet */
		"3081", "308200",			/* length cut */
		"30020000", "30800001", "30030001aa",	/* tag 0 */
		"30020580", "30800580050000000000",	/* primitive of indefinite length */
		"308900000000000000000205", "30ff",	/* too many octets of length, reserved form */
		"3088ffffffffffffffff0500",
		"30041f818181", "30021f81",		/* tag number cut */
		"24030c0161", "24020500",		/* segments that are no strings */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct buf in = from_hex(rows[i]);
		struct ber_element e;
		struct why why = {0};

		if (ber_check(buf_bytes(&in), &e, &why) != ERR_SYNTAX)
			fail_msg("%s is accepted", rows[i]);
		buf_free(&in);
	}
}

/* n times `child` inside `shell_hex` opened with indefinite lengths, `depth` of them. */
static enum err check_children(const char *shells, size_t depth, const char *child, size_t n)
{
	struct buf in = from_hex(shells), one = from_hex(child);
	struct ber_element e;
	enum err err;

	for (size_t i = 0; i < n; i++)
		buf_add_bytes(&in, buf_bytes(&one));
	for (size_t i = 0; i < 2 * depth; i++)
		buf_add_byte(&in, 0);
	err = ber_check(buf_bytes(&in), &e, NULL);
	buf_free(&in);
	buf_free(&one);
	return err;
}

/* A SEQUENCE with an OBJECT IDENTIFIER of n octets. */
static enum err check_long_oid(size_t n)
{
	struct buf in = {0}, oid = {0};
	struct ber_element e;
	enum err err;

	for (size_t i = 0; i < n; i++)
		buf_add_byte(&oid, 1);
	size_t at = der_open(&in);
	der_tlv(&in, DER_OID, buf_bytes(&oid));
	der_close(&in, at, DER_SEQUENCE);
	err = ber_check(buf_bytes(&in), &e, NULL);
	buf_free(&oid);
	buf_free(&in);
	return err;
}

static void test_limits(void **state)
{
	(void)state;
	/* members of a SET or a context-specific tag */
	assert_int_equal(check_children("3180", 1, "0500", BER_MAX_MEMBERS), ERR_OK);
	assert_int_equal(check_children("3180", 1, "0500", BER_MAX_MEMBERS + 1), ERR_SYNTAX);
	assert_int_equal(check_children("3180", 1, "0400", BER_MAX_MEMBERS + 1), ERR_SYNTAX);
	assert_int_equal(check_children("3080a080", 2, "3000", BER_MAX_MEMBERS), ERR_OK);
	assert_int_equal(check_children("3080a080", 2, "3000", BER_MAX_MEMBERS + 1), ERR_SYNTAX);
	assert_int_equal(check_children("3080a180", 2, "3000", BER_MAX_MEMBERS + 1), ERR_SYNTAX);
	/* segments: in a string, and in encryptedContent [0] at its place only */
	assert_int_equal(check_children("30802480", 2, "0400", 1000), ERR_OK);
	assert_int_equal(check_children("3080a08030803080a080", 5, "0400", 1000), ERR_OK);
	assert_int_equal(check_children("3080a0803080a080", 4, "0400", 1000), ERR_SYNTAX);
	assert_int_equal(check_children("3080a080308030803080a080", 6, "0400", 1000), ERR_SYNTAX);
	assert_int_equal(check_children("3080a08030803080a080", 5, "0500", 1000), ERR_SYNTAX);
	/* object identifiers */
	assert_int_equal(check_long_oid(BER_MAX_OID), ERR_OK);
	assert_int_equal(check_long_oid(BER_MAX_OID + 1), ERR_SYNTAX);
	assert_int_equal(check_long_oid(1 << 20), ERR_SYNTAX);
	/* elements */
	assert_int_equal(check_children("3080", 1, "0500", BER_MAX_ELEMENTS - 1), ERR_OK);
	assert_int_equal(check_children("3080", 1, "0500", BER_MAX_ELEMENTS), ERR_SYNTAX);
}

static void test_depth(void **state)
{
	(void)state;
	for (size_t depth = BER_MAX_DEPTH - 1; depth <= BER_MAX_DEPTH + 1; depth++) {
		struct buf in = {0};
		struct ber_element e;

		for (size_t i = 0; i < depth; i++)
			buf_add(&in, "\x30\x80", 2);
		buf_grow(&in, 2 * depth);
		assert_int_equal(ber_check(buf_bytes(&in), &e, NULL), depth <= BER_MAX_DEPTH ? ERR_OK : ERR_SYNTAX);
		buf_free(&in);
	}
}

/* A long list inside crls [1] costs nothing: no decoder looks into it. */
static void test_crl_is_opaque(void **state)
{
	struct buf in = from_hex("3080a180" "3083030d40");
	struct ber_element e;

	(void)state;
	for (size_t i = 0; i < 100000; i++)
		buf_add(&in, "\x30\x00", 2);
	buf_grow(&in, 4);
	assert_int_equal(ber_check(buf_bytes(&in), &e, NULL), ERR_OK);
	assert_int_equal(e.visited, 3);
	buf_free(&in);
}

static void test_hostile(void **state)
{
	(void)state;
	for (size_t i = 0; i < hostile_count; i++) {
		struct buf in = {0};
		struct ber_element e;
		struct why why = {0};
		enum err err;

		hostile_list[i].make(&in);
		err = ber_check(buf_bytes(&in), &e, &why);
		if (err != (hostile_list[i].passes ? ERR_OK : ERR_SYNTAX))
			fail_msg("%s: %s", hostile_list[i].name, err == ERR_OK ? "passes" : why.text);
		assert_true(e.visited <= BER_MAX_ELEMENTS + 1);
		buf_free(&in);
	}
}

static void test_octets(void **state)
{
	static const struct {
		const char *in;
		uint8_t tag;
		const char *joined;	/* NULL: refused */
	} rows[] = {
		{"0400", 0x04, ""},
		{"0403616263", 0x04, "616263"},
		{"04810161", 0x04, "61"},
		{"2400", 0x04, ""},
		{"24800000", 0x04, ""},
		{"248004016104000401620000", 0x04, "6162"},
		{"2409040161240404026263", 0x04, "616263"},
		{"24090401612404040262630000", 0x04, NULL},	/* more after it */
		{"2409040161240404036263", 0x04, NULL},		/* a segment longer than its parent */
		{"240904016124040402", 0x04, NULL},
		{"040161040162", 0x04, NULL},			/* two strings */
		{"80026162", 0x80, "6162"},
		{"a0800401610401620000", 0x80, "6162"},
		{"a00604016104016a", 0x80, "616a"},
		{"a0808001610000", 0x80, NULL},			/* segments are OCTET STRINGs */
		{"0c0161", 0x04, NULL},
		{"24030c0161", 0x04, NULL},
		{"040261", 0x04, NULL},
		{"", 0x04, NULL},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct buf in = from_hex(rows[i].in), out = from_hex("ff"), want = from_hex("ff");
		bool ok = ber_octets(buf_bytes(&in), rows[i].tag, &out);

		if (ok != (rows[i].joined != NULL))
			fail_msg("%s", rows[i].in);
		if (ok)
			assert_true(hex_decode(&want, rows[i].joined));
		assert_true(bytes_eq(buf_bytes(&out), buf_bytes(&want)));
		buf_free(&in);
		buf_free(&out);
		buf_free(&want);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_accepts), cmocka_unit_test(test_refuses), cmocka_unit_test(test_limits),
		cmocka_unit_test(test_depth), cmocka_unit_test(test_crl_is_opaque), cmocka_unit_test(test_hostile),
		cmocka_unit_test(test_octets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
