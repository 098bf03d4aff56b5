#include "unit.h"

#include <string.h>

#include "base/codec.h"

static const char *const certs[] = {"CERTIFICATE", "X509 CERTIFICATE", NULL};

#define BLOCK(label, body) "-----BEGIN " label "-----\n" body "-----END " label "-----\n"

static void one_of_several(void **state)
{
	/* text around a block is what "openssl x509 -text" writes */
	struct bytes text = BYTES_LIT("Subject: x\n" BLOCK("PRIVATE KEY", "Zg==\n") BLOCK("CERTIFICATE", "Zm9v\nYmFy\n")
	    "between\n" BLOCK("X509 CERTIFICATE", "Zm8=\n") "after\n");
	struct buf der = {0};
	const char *label;

	(void)state;
	assert_true(pem_next(&text, certs, &der, &label));
	assert_ptr_equal(label, certs[0]);
	assert_string_equal((char *)der.p, "foobar");
	assert_true(pem_next(&text, certs, &der, &label));
	assert_ptr_equal(label, certs[1]);
	assert_string_equal((char *)der.p, "foobarfo");
	assert_false(pem_next(&text, certs, &der, &label));
	assert_string_equal((char *)der.p, "foobarfo");
	assert_true(bytes_eq_str(text, "after\n"));
	buf_free(&der);
}

static void any_label(void **state)
{
	struct bytes text = BYTES_LIT("-----BEGIN A B-----\r\nZm9v\r\n-----END A B-----");	/* CRLF; the last line without its end */
	struct buf der = {0};

	(void)state;
	assert_true(pem_next(&text, NULL, &der, NULL));
	assert_string_equal((char *)der.p, "foo");
	assert_int_equal(text.n, 0);
	buf_free(&der);
}

static void damaged(void **state)
{
	static const char *const rows[] = {
	    "", "no block here\n", "-----BEGIN CERTIFICATE-----\n", "-----BEGIN CERTIFICATE-----\nZm9v\n",
	    "-----BEGIN CERTIFICATE-----\nZm9v\n-----END CERTIFICATE----\n",	/* a dash is missing */
	    "-----BEGIN CERTIFICATE-----\nZm9v\n-----END PRIVATE KEY-----\n",
	    "-----BEGIN CERTIFICATE-----\nZm9\n-----END CERTIFICATE-----\n",	/* padding is missing */
	    "-----BEGIN CERTIFICATE-----\nZm9v!\n-----END CERTIFICATE-----\n",
	    " -----BEGIN CERTIFICATE-----\nZm9v\n-----END CERTIFICATE-----\n",
	    "-----BEGIN CERTIFICATE-----\n" BLOCK("CERTIFICATE", "Zm9v\n"),	/* cut, and another one begins */
	    BLOCK("CERTIFICATE", "Proc-Type: 4,ENCRYPTED\nZm9v\n"), BLOCK("CERTIFICATES", "Zm9v\n"), BLOCK("certificate", "Zm9v\n"),
	    "-----BEGIN -----\nZm9v\n-----END -----\n", "-----BEGIN CERT", "-----BEGIN ----",
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct bytes text = bytes_str(rows[i]);
		struct buf der = {0};
		const char *label = "untouched";

		print_message("# %zu\n", i);
		buf_add_str(&der, "kept");
		assert_false(pem_next(&text, certs, &der, &label));
		assert_true(bytes_eq_str(text, rows[i]));
		assert_string_equal((char *)der.p, "kept");
		assert_string_equal(label, "untouched");
		buf_free(&der);
	}
}

static void written_and_read(void **state)
{
	uint8_t octets[100];
	struct buf text = {0}, der = {0};
	struct bytes rest;
	size_t n;

	(void)state;
	memset(octets, 0xa5, sizeof(octets));
	for (n = 0; n <= sizeof(octets); n++) {
		buf_cut(&text, 0);
		buf_cut(&der, 0);
		pem_write(&text, "CERTIFICATE", bytes_of(octets, n));
		rest = buf_bytes(&text);
		assert_true(pem_next(&rest, certs, &der, NULL));
		assert_int_equal(rest.n, 0);
		assert_true(bytes_eq(buf_bytes(&der), bytes_of(octets, n)));
	}
	buf_cut(&text, 0);
	pem_write(&text, "X", bytes_of(octets, 49));	/* 48 octets fill a line of 64 */
	assert_string_equal((char *)text.p, "-----BEGIN X-----\npaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWl\n"
	    "pQ==\n-----END X-----\n");
	buf_free(&text);
	buf_free(&der);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(one_of_several), cmocka_unit_test(any_label), cmocka_unit_test(damaged),
	    cmocka_unit_test(written_and_read),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
