/* Which shapes are a light client's, and what a dialect changes in messages. */
#include "unit.h"

#include <string.h>

#include "base/file.h"
#include "ca/dialect.h"
#include "ca/light.h"

#define CORPUS TEST_DATA "/../fuzz/corpus/light/"

static void read_data(const char *path, struct buf *out)
{
	struct why why;

	print_message("# %s\n", path);
	assert_int_equal(file_read(path, out, &why), ERR_OK);
}

static void shapes(void **state)
{
	static const struct {
		const char *file;
		bool light;
	} rows[] = {
	    {CORPUS "bare.der", true}, {CORPUS "bare-zero-after.der", true}, {CORPUS "wrapped.der", true}, {CORPUS "wrapped-ber.der", true},
	    {CORPUS "unsigned.der", true}, {CORPUS "bare-octet-after.der", false}, {CORPUS "wrapped-one-attribute.der", false},
	    {CORPUS "scep.der", false}, {CORPUS "scep-bare-content.der", false}, {CORPUS "certificate.der", false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct buf data = {0};

		read_data(rows[i].file, &data);
		assert_int_equal(light_shape(buf_bytes(&data)), rows[i].light);
		for (size_t n = 0; rows[i].light && n + 4 < data.n; n += 7)	/* cut anywhere it is nothing */
			assert_false(light_shape(bytes_cut(buf_bytes(&data), 0, n)));
		buf_free(&data);
	}
	assert_false(light_shape((struct bytes){0}));
}

static void letter(void **state)
{
	static const struct {
		unsigned tolerate;
		const char *text;
	} rows[] = {
	    {0, "senderNonce has 1 octets"}, {TOLERATE_NONCE, "not a PrintableString"}, {TOLERATE_NONCE | TOLERATE_STRINGS, "not in DER order"},
	    {TOLERATE_NONCE | TOLERATE_STRINGS | TOLERATE_UNSORTED, NULL},
	};
	struct buf good = {0}, odd = {0};
	struct scep_msg *msg = NULL;
	struct profile_conf conf = {0};
	struct why why = {0};

	(void)state;
	read_data(CORPUS "scep.der", &good);
	assert_int_equal(scep_open(buf_bytes(&good), &msg, &why), ERR_OK);
	assert_int_equal(dialect_check(&conf, msg, &why), ERR_OK);
	scep_msg_free(msg);
	read_data(CORPUS "scep-unsorted.der", &odd);
	assert_int_equal(scep_open(buf_bytes(&odd), &msg, &why), ERR_OK);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		conf.tolerate = rows[i].tolerate;
		assert_int_equal(dialect_check(&conf, msg, &why), rows[i].text == NULL ? ERR_OK : ERR_STRICT);
		assert_true(rows[i].text == NULL || strstr(why.text, rows[i].text) != NULL);
	}
	scep_msg_free(msg);
	buf_free(&good);
	buf_free(&odd);
}

static void hidden_keywords(void **state)
{
	struct profile_conf conf = {.post = true, .hide_caps = HIDE_SHA1 | HIDE_RENEWAL};
	struct buf caps = {0};

	(void)state;
	buf_add_str(&caps, "AES\nSHA-1\nSHA-256\nPOSTPKIOperation\nRenewal\nSCEPStandard\nExample.com-Name\n");
	dialect_hide_caps(&conf, &caps);
	assert_string_equal(buf_str(&caps), "AES\nSHA-256\nPOSTPKIOperation\nSCEPStandard\nExample.com-Name\n");
	conf = (struct profile_conf){.post = false};
	dialect_hide_caps(&conf, &caps);
	assert_string_equal(buf_str(&caps), "AES\nSHA-256\nExample.com-Name\n");
	buf_free(&caps);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(shapes), cmocka_unit_test(letter), cmocka_unit_test(hidden_keywords)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
