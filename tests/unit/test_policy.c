/* policy_decide against the text tables in tests/policy: one line, one decision. */
#include <gnutls/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "ca/policy.h"
#include "pki/der.h"
#include "pki/name.h"
#include "pki/oid.h"
#include "unit.h"

#define NOW ((time_t)1800000000)
#define COLUMNS 5

enum { SUBJECT, SANS, ASK, PROFILE, EXPECTED };

struct line {
	int number;
	char *column[COLUMNS];
};

static void trim(char **s)
{
	*s += strspn(*s, " \t");
	for (size_t n = strlen(*s); n > 0 && strchr(" \t\n", (*s)[n - 1]) != NULL; n--)
		(*s)[n - 1] = '\0';
}

/* The value of NAME=VALUE in a list of words, '~' standing for a blank; NULL when it is not there. The caller frees. */
static char *value_of(const char *words, const char *name)
{
	size_t n = strlen(name);

	for (const char *w = words; *w != '\0'; w += strcspn(w, " "), w += strspn(w, " ")) {
		if (strncmp(w, name, n) == 0 && w[n] == '=') {
			char *v = mem_strndup(w + n + 1, strcspn(w + n + 1, " "));

			for (char *p = v; *p != '\0'; p++)
				*p = *p == '~' ? ' ' : *p;
			return v;
		}
	}
	return NULL;
}

static long number_of(const char *words, const char *name, long otherwise)
{
	char *v = value_of(words, name);
	long n = v == NULL ? otherwise : strtol(v, NULL, 10);

	free(v);
	return n;
}

static void add_extension(struct buf *out, const char *oid, struct bytes value)
{
	size_t at = der_open(out);

	der_oid(out, oid);
	der_tlv(out, DER_OCTET_STRING, value);
	der_close(out, at, DER_SEQUENCE);
}

static void add_sans(struct buf *out, const char *words)
{
	struct buf names = {0};
	size_t at = der_open(&names);

	for (const char *w = words; *w != '\0'; w += strcspn(w, " "), w += strspn(w, " ")) {
		char *word = mem_strndup(w, strcspn(w, " "));

		assert_int_equal(san_parse(word, &names, NULL), ERR_OK);
		free(word);
	}
	der_close(&names, at, DER_SEQUENCE);
	add_extension(out, OID_SUBJECT_ALT_NAME, buf_bytes(&names));
	buf_free(&names);
}

static void add_asked(struct buf *out, const char *ask)
{
	static const struct {
		const char *ask, *oid;
		struct bytes value;
	} rows[] = {
	    {"ca", OID_BASIC_CONSTRAINTS, {(const uint8_t *)"\x30\x03\x01\x01\xff", 5}},
	    {"leaf", OID_BASIC_CONSTRAINTS, {(const uint8_t *)"\x30\x00", 2}},
	    {"badbc", OID_BASIC_CONSTRAINTS, {(const uint8_t *)"\x04\x00", 2}},
	    {"badsan", OID_SUBJECT_ALT_NAME, {(const uint8_t *)"\x30\x03\x82\x09\x61", 5}},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (strcmp(ask, rows[i].ask) == 0)
			add_extension(out, rows[i].oid, rows[i].value);
	}
}

static unsigned san_bits(const char *words)
{
	static const struct {
		const char *name;
		unsigned bit;
	} kinds[] = {{"dns", SAN_DNS}, {"ip", SAN_IP}, {"email", SAN_EMAIL}, {"uri", SAN_URI}, {"upn", SAN_UPN}};
	char *v = value_of(words, "san");
	unsigned bits = 0;

	for (size_t i = 0; v != NULL && i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (strstr(v, kinds[i].name) != NULL)
			bits |= kinds[i].bit;
	}
	free(v);
	return bits;
}

static void expect_text(const struct line *l, const char *name, const struct buf *got)
{
	char *want = value_of(l->column[EXPECTED], name);

	if (want != NULL && strcmp(strcmp(want, "none") == 0 ? "" : want, buf_str(got)) != 0)
		fail_msg("line %d: %s is '%s', expected '%s'", l->number, name, buf_str(got), want);
	free(want);
}

static void expect_usage(const struct line *l, unsigned usage)
{
	char *want = value_of(l->column[EXPECTED], "usage");
	unsigned bits = 0;

	if (want == NULL)
		return;
	bits |= strstr(want, "digitalSignature") != NULL ? GNUTLS_KEY_DIGITAL_SIGNATURE : 0;
	bits |= strstr(want, "keyEncipherment") != NULL ? GNUTLS_KEY_KEY_ENCIPHERMENT : 0;
	if (bits != usage)
		fail_msg("line %d: key usage %#x, expected %s", l->number, usage, want);
	free(want);
}

static void expect_template(const struct line *l, const struct template *t)
{
	long from = number_of(l->column[EXPECTED], "from", (long)(t->not_before - NOW));
	long to = number_of(l->column[EXPECTED], "to", (long)(t->not_after - NOW));

	assert_int_equal(t->not_before - NOW, from);
	assert_int_equal(t->not_after - NOW, to);
	expect_text(l, "san", &t->sans_text);
	expect_text(l, "left_out", &t->left_out);
	expect_usage(l, t->key_usage);
}

static void decide(void **state)
{
	const struct line *l = *state;
	struct profile_conf conf = {
	    .key_usage = GNUTLS_KEY_DIGITAL_SIGNATURE | GNUTLS_KEY_KEY_ENCIPHERMENT,
	    .san_types = san_bits(l->column[PROFILE]),
	    .validity_s = number_of(l->column[PROFILE], "validity", 86400),
	    .backdate_s = number_of(l->column[PROFILE], "backdate", 0),
	};
	struct buf subject = {0}, extensions = {0};
	struct csr csr = {0};
	struct facts facts = {
	    .csr = &csr,
	    .key = {.type = strcmp(l->column[ASK], "ec") == 0 ? KEY_EC : KEY_RSA},
	    .key_is_ours = strcmp(l->column[ASK], "ours") == 0,
	    .ca_not_after = NOW + number_of(l->column[PROFILE], "ca_left", 10 * 365 * 86400L),
	};
	struct template t = {0};
	struct why why = {0};
	enum err err;

	assert_int_equal(name_parse(l->column[SUBJECT], &subject, &why), ERR_OK);
	if (l->column[SANS][0] != '\0')
		add_sans(&extensions, l->column[SANS]);
	add_asked(&extensions, l->column[ASK]);
	csr.subject = buf_bytes(&subject);
	csr.extensions = buf_bytes(&extensions);
	err = policy_decide(&conf, &facts, NOW, &t, &why);
	if (strncmp(l->column[EXPECTED], err_row(err)->label, strlen(err_row(err)->label)) != 0)
		fail_msg("line %d: %s (%s), expected %s", l->number, err_row(err)->label, why.text, l->column[EXPECTED]);
	if (err == ERR_OK)
		expect_template(l, &t);
	else
		assert_true(why.text[0] != '\0');
	template_free(&t);
	buf_free(&subject);
	buf_free(&extensions);
}

/* Every line of the table is a test of its own, named by its number. */
static size_t read_table(FILE *f, struct CMUnitTest **tests)
{
	char text[512];
	size_t n = 0;

	for (int number = 1; fgets(text, sizeof(text), f) != NULL; number++) {
		struct line *l;
		char *rest;

		if (text[0] == '#' || text[0] == '\n')
			continue;
		l = mem_alloc(sizeof(*l));
		rest = mem_strdup(text);
		l->number = number;
		for (int i = 0; i < COLUMNS; i++) {
			l->column[i] = strsep(&rest, "|");
			if (l->column[i] == NULL)
				abort();
			trim(&l->column[i]);
		}
		*tests = mem_resize(*tests, (n + 1) * sizeof(**tests));
		(*tests)[n++] = (struct CMUnitTest){mem_printf("line %d: %s", number, l->column[EXPECTED]), decide, NULL, NULL, l};
	}
	return n;
}

int main(void)
{
	FILE *f = fopen(TEST_POLICY "/basic.txt", "r");
	struct CMUnitTest *tests = NULL;
	size_t n = f == NULL ? 0 : read_table(f, &tests);

	if (n == 0)
		return 1;
	fclose(f);
	return _cmocka_run_group_tests("policy", tests, n, NULL, NULL);
}
