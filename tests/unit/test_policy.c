/* The policy against the text tables in tests/policy: one line, one decision, or one thing that is wrong with settings. */
#include <gnutls/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/codec.h"
#include "base/mem.h"
#include "ca/policy.h"
#include "conf/value.h"
#include "pki/der.h"
#include "pki/name.h"
#include "pki/oid.h"
#include "unit.h"

#define NOW ((time_t)1800000000)
#define COLUMNS 5

enum { SUBJECT, SANS, ASK, PROFILE, EXPECTED };

struct line {
	const char *table;
	int number;
	char *column[COLUMNS];
};

static void trim(char **s)
{
	*s += strspn(*s, " \t");
	for (size_t n = strlen(*s); n > 0 && strchr(" \t\n", (*s)[n - 1]) != NULL; n--)
		(*s)[n - 1] = '\0';
}

/* The next word of a list, '~' standing for a blank and '!' for a '|', split at its first '='. False: none left. The caller frees *name. */
static bool next_word(const char **words, char **name, char **value)
{
	size_t n;

	*words += strspn(*words, " ");
	n = strcspn(*words, " ");
	if (n == 0)
		return false;
	*name = mem_strndup(*words, n);
	*words += n;
	for (char *p = *name; *p != '\0'; p++)
		*p = *p == '~' ? ' ' : *p == '!' ? '|' : *p;
	*value = strchr(*name, '=');
	if (*value != NULL)
		*(*value)++ = '\0';
	return true;
}

/* The value of NAME=VALUE; NULL when it is not there. The caller frees. */
static char *value_of(const char *words, const char *wanted)
{
	char *name, *value, *found = NULL;

	while (found == NULL && next_word(&words, &name, &value)) {
		if (value != NULL && strcmp(name, wanted) == 0)
			found = mem_strdup(value);
		free(name);
	}
	return found;
}

static long number_of(const char *words, const char *name, long otherwise)
{
	char *v = value_of(words, name);
	long n = v == NULL ? otherwise : strtol(v, NULL, 10);

	free(v);
	return n;
}

/* --- what is asked for -------------------------------------------------------------------------------------------- */

static void add_extension(struct buf *out, const char *oid, struct bytes value)
{
	size_t at = der_open(out);

	der_oid(out, oid);
	der_tlv(out, DER_OCTET_STRING, value);
	der_close(out, at, DER_SEQUENCE);
}

/* subjectAltName of "dns:a upn:b", separated by any of `separators`. "dir:" is a directory name. */
static void add_sans(struct buf *out, const char *words, const char *separators)
{
	struct buf names = {0};
	size_t at = der_open(&names);

	for (const char *w = words; *w != '\0'; w += strcspn(w, separators), w += strspn(w, separators)) {
		char *word = mem_strndup(w, strcspn(w, separators));

		if (strncmp(word, "dir:", 4) == 0) {
			size_t dir = der_open(&names);

			assert_int_equal(name_parse(word + 4, &names, NULL), ERR_OK);
			der_close(&names, dir, DER_CTX(4));
		} else if (strncmp(word, "raw:", 4) == 0) {	/* dNSName as it stands, good or not */
			der_str(&names, DER_CTX_PRIM(2), word + 4);
		} else {
			assert_int_equal(san_parse(word, &names, NULL), ERR_OK);
		}
		free(word);
	}
	der_close(&names, at, DER_SEQUENCE);
	add_extension(out, OID_SUBJECT_ALT_NAME, buf_bytes(&names));
	buf_free(&names);
}

/* OID:HEX */
static void add_hex(struct buf *out, const char *text)
{
	char *oid = mem_strndup(text, strcspn(text, ":"));
	struct buf value = {0};

	assert_true(hex_decode(&value, text + strlen(oid) + 1));
	add_extension(out, oid, buf_bytes(&value));
	buf_free(&value);
	free(oid);
}

static void add_purposes(struct buf *out, const char *list)
{
	struct buf value = {0};
	size_t at = der_open(&value);

	for (const char *w = list; *w != '\0'; w += strcspn(w, ","), w += strspn(w, ",")) {
		char *oid = mem_strndup(w, strcspn(w, ","));

		der_oid(&value, oid);
		free(oid);
	}
	der_close(&value, at, DER_SEQUENCE);
	add_extension(out, OID_EXT_KEY_USAGE, buf_bytes(&value));
	buf_free(&value);
}

/* The SID extension, as Windows writes it. */
static void add_sid(struct buf *out, const char *sid)
{
	struct buf value = {0};
	size_t names = der_open(&value), other = names, wrapped;

	der_oid(&value, OID_MS_SID_OBJECT);
	wrapped = der_open(&value);
	der_str(&value, DER_OCTET_STRING, sid);
	der_close(&value, wrapped, DER_CTX(0));
	der_close(&value, other, DER_CTX(0));
	der_close(&value, names, DER_SEQUENCE);
	add_extension(out, OID_MS_SID, buf_bytes(&value));
	buf_free(&value);
}

struct asked {
	struct buf extensions, old_subject, old_extensions;
	struct values values;
	struct cert old;
	struct key_kind key;
	bool ours, renews, foreign;
};

static bool add_known(struct asked *a, const char *word)
{
	static const struct {
		const char *ask, *oid;
		struct bytes value;
	} rows[] = {
	    {"ca", OID_BASIC_CONSTRAINTS, {(const uint8_t *)"\x30\x03\x01\x01\xff", 5}},
	    {"leaf", OID_BASIC_CONSTRAINTS, {(const uint8_t *)"\x30\x00", 2}},
	    {"badbc", OID_BASIC_CONSTRAINTS, {(const uint8_t *)"\x04\x00", 2}},
	    {"badsan", OID_SUBJECT_ALT_NAME, {(const uint8_t *)"\x30\x03\x82\x09\x61", 5}},
	    {"staple", OID_TLS_FEATURE, {(const uint8_t *)"\x30\x03\x02\x01\x05", 5}},
	};
	static const struct {
		const char *ask;
		struct key_kind kind;
	} keys[] = {
	    {"ec", {KEY_EC, 256, GNUTLS_ECC_CURVE_SECP256R1}}, {"p384", {KEY_EC, 384, GNUTLS_ECC_CURVE_SECP384R1}},
	    {"p521", {KEY_EC, 521, GNUTLS_ECC_CURVE_SECP521R1}}, {"ed25519", {KEY_ED25519, 256, GNUTLS_ECC_CURVE_ED25519}},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (strcmp(word, rows[i].ask) == 0)
			return add_extension(&a->extensions, rows[i].oid, rows[i].value), true;
	}
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		if (strcmp(word, keys[i].ask) == 0)
			return a->key = keys[i].kind, true;
	}
	if (strcmp(word, "foreign") == 0)
		return a->foreign = true;
	return a->ours = strcmp(word, "ours") == 0;
}

static void add_asked(struct asked *a, const char *name, const char *value)
{
	const char *dot = strchr(name, '.');

	if (value == NULL) {
		assert_true(add_known(a, name));
	} else if (dot != NULL) {
		char *source = mem_strndup(name, (size_t)(dot - name));

		assert_true(values_add(&a->values, source, dot + 1, bytes_str(value)));
		free(source);
	} else if (strcmp(name, "ext") == 0) {
		add_hex(&a->extensions, value);
	} else if (strcmp(name, "eku") == 0) {
		add_purposes(&a->extensions, value);
	} else if (strcmp(name, "sid") == 0) {
		add_sid(&a->extensions, value);
	} else if (strcmp(name, "old") == 0) {
		a->renews = true;
		assert_int_equal(name_parse(value, &a->old_subject, NULL), ERR_OK);
	} else if (strcmp(name, "oldsan") == 0) {
		add_sans(&a->old_extensions, value, ";");
	} else if (strcmp(name, "oldsid") == 0) {
		add_sid(&a->old_extensions, value);
	} else {
		fail_msg("unknown word '%s'", name);
	}
}

static void read_asked(const char *words, struct asked *a)
{
	char *name, *value;

	a->key = (struct key_kind){.type = KEY_RSA, .bits = 2048};
	while (next_word(&words, &name, &value)) {
		add_asked(a, name, value);
		free(name);
	}
	a->old.subject = buf_bytes(&a->old_subject);
	a->old.extensions = buf_bytes(&a->old_extensions);
}

/* --- settings ----------------------------------------------------------------------------------------------------- */

/* "[SECTION.]KEY"; without a section [certificate]. */
static enum err set(struct profile_conf *conf, const char *name, const char *value, struct why *why)
{
	const char *dot = strchr(name, '.');
	char *section = dot == NULL ? mem_strdup("certificate") : mem_strndup(name, (size_t)(dot - name));
	const struct setting *row = setting_find(&profile_settings, section, dot == NULL ? name : dot + 1);

	if (row == NULL)
		fail_msg("there is no setting '%s'", name);
	free(section);
	return value_set(row, "/etc/p.ini", value, conf, why);
}

static void read_profile(const char *words, struct profile_conf *conf)
{
	char *name, *value;
	struct why why;

	values_set_standard(&profile_settings, "/etc/p.ini", conf);
	conf->file = (char *)"p.ini";
	while (next_word(&words, &name, &value)) {
		if (strcmp(name, "ca_left") != 0 && set(conf, name, value, &why) != ERR_OK)
			fail_msg("%s: %s", name, why.text);
		free(name);
	}
}

/* --- what comes out ----------------------------------------------------------------------------------------------- */

static void expect_text(const struct line *l, const char *name, const char *got)
{
	char *want = value_of(l->column[EXPECTED], name);

	if (want != NULL && strcmp(strcmp(want, "none") == 0 ? "" : want, got) != 0)
		fail_msg("%s, line %d: %s is '%s', expected '%s'", l->table, l->number, name, got, want);
	free(want);
}

static void expect_usage(const struct line *l, unsigned usage)
{
	static const struct {
		unsigned bit;
		const char *name;
	} bits[] = {
	    {GNUTLS_KEY_DIGITAL_SIGNATURE, "digitalSignature"}, {GNUTLS_KEY_NON_REPUDIATION, "nonRepudiation"},
	    {GNUTLS_KEY_KEY_ENCIPHERMENT, "keyEncipherment"}, {GNUTLS_KEY_KEY_AGREEMENT, "keyAgreement"},
	    {GNUTLS_KEY_KEY_CERT_SIGN, "keyCertSign"}, {GNUTLS_KEY_CRL_SIGN, "cRLSign"},
	};
	struct buf text = {0};

	for (size_t i = 0; i < sizeof(bits) / sizeof(bits[0]); i++) {
		if ((usage & bits[i].bit) != 0)
			buf_printf(&text, "%s%s", text.n > 0 ? "," : "", bits[i].name);
	}
	expect_text(l, "usage", buf_str(&text));
	buf_free(&text);
}

static void expect_purposes(const struct line *l, const char *const *eku)
{
	struct buf text = {0};

	for (; eku != NULL && *eku != NULL; eku++)
		buf_printf(&text, "%s%s", text.n > 0 ? "," : "", *eku);
	expect_text(l, "eku", buf_str(&text));
	buf_free(&text);
}

static void expect_template(const struct line *l, const struct template *t)
{
	long from = number_of(l->column[EXPECTED], "from", (long)(t->not_before - NOW));
	long to = number_of(l->column[EXPECTED], "to", (long)(t->not_after - NOW));
	struct buf subject = {0}, extensions = {0};

	assert_int_equal(t->not_before - NOW, from);
	assert_int_equal(t->not_after - NOW, to);
	assert_int_equal(name_text(t->subject, &subject, NULL), ERR_OK);
	hex_encode(&extensions, buf_bytes(&t->extensions));
	expect_text(l, "subject", buf_str(&subject));
	expect_text(l, "san", buf_str(&t->sans_text));
	expect_text(l, "left_out", buf_str(&t->left_out));
	expect_text(l, "ext", buf_str(&extensions));
	expect_usage(l, t->key_usage);
	expect_purposes(l, t->eku);
	buf_free(&subject);
	buf_free(&extensions);
}

static void expect_refusal(const struct line *l, enum err err, const char *why)
{
	char *want = value_of(l->column[EXPECTED], "why");
	size_t n = strcspn(l->column[EXPECTED], " ");

	if (strlen(err_row(err)->label) != n || strncmp(l->column[EXPECTED], err_row(err)->label, n) != 0)
		fail_msg("%s, line %d: %s (%s), expected %s", l->table, l->number, err_row(err)->label, why, l->column[EXPECTED]);
	if (want != NULL && strstr(why, want) == NULL)
		fail_msg("%s, line %d: '%s' does not say '%s'", l->table, l->number, why, want);
	free(want);
}

static void decide(void **state)
{
	const struct line *l = *state;
	struct profile_conf conf = {0};
	struct problems problems = {0};
	struct buf subject = {0};
	struct asked asked = {0};
	struct csr csr = {0};
	struct template t = {0};
	struct why why = {0};
	struct policy *policy;
	enum err err = ERR_OK;

	read_profile(l->column[PROFILE], &conf);
	policy = policy_load(&conf, &problems);
	if (problems.n > 0)
		fail_msg("%s, line %d: %s: %s", l->table, l->number, problems.list[0].where, problems.list[0].text);
	assert_int_equal(name_parse(l->column[SUBJECT], &subject, &why), ERR_OK);
	if (l->column[SANS][0] != '\0')
		add_sans(&asked.extensions, l->column[SANS], " ");
	read_asked(l->column[ASK], &asked);
	csr.subject = buf_bytes(&subject);
	csr.extensions = buf_bytes(&asked.extensions);
	struct facts facts = {
	    .csr = &csr, .key = asked.key, .key_is_ours = asked.ours, .values = &asked.values, .renews = asked.renews ? &asked.old : NULL,
	    .foreign = asked.foreign,
	    .ca_not_after = NOW + number_of(l->column[PROFILE], "ca_left", 10 * 365 * 86400L)};

	if (asked.renews)
		err = policy_within(policy, &csr, &asked.old, &why);
	if (err == ERR_OK)
		err = policy_decide(policy, &facts, NOW, &t, &why);
	expect_refusal(l, err, why.text);
	if (err == ERR_OK)
		expect_template(l, &t);
	else
		assert_true(why.text[0] != '\0' && t.subject.n == 0);
	template_free(&t);
	policy_free(policy);
	conf_values_free(&profile_settings, &conf);
	values_free(&asked.values);
	buf_free(&asked.extensions);
	buf_free(&asked.old_extensions);
	buf_free(&asked.old_subject);
	buf_free(&subject);
}

/* settings.txt: setting | value | what the problem says; "ok": there is none. */
static void judge_setting(void **state)
{
	const struct line *l = *state;
	struct profile_conf conf = {.file = (char *)"p.ini"};
	const char *expected = l->column[2];
	struct problems problems = {0};
	struct policy *policy;
	struct buf told = {0};
	struct why why;

	values_set_standard(&profile_settings, "/etc/p.ini", &conf);
	for (char *p = l->column[1]; *p != '\0'; p++)
		*p = *p == '!' ? '|' : *p;
	if (set(&conf, l->column[0], l->column[1], &why) != ERR_OK)
		buf_add_str(&told, why.text);
	policy = policy_load(&conf, &problems);
	for (size_t i = 0; i < problems.n; i++)
		buf_printf(&told, "%s: %s", problems.list[i].where, problems.list[i].text);
	if (strcmp(expected, "ok") == 0 ? told.n > 0 : strstr(buf_str(&told), expected) == NULL)
		fail_msg("%s, line %d: '%s', expected '%s'", l->table, l->number, buf_str(&told), expected);
	policy_free(policy);
	problems_free(&problems);
	conf_values_free(&profile_settings, &conf);
	buf_free(&told);
}

/* --- tables ------------------------------------------------------------------------------------------------------- */

struct tests {
	struct CMUnitTest *list;
	size_t n;
};

/* Every line of a table is a test of its own, named by its number. */
static void read_table(const char *name, int columns, void (*judge)(void **state), struct tests *tests)
{
	char *path = mem_printf(TEST_POLICY "/%s", name), text[1024];
	FILE *f = fopen(path, "r");

	if (f == NULL)
		abort();
	for (int number = 1; fgets(text, sizeof(text), f) != NULL; number++) {
		struct line *l;
		char *rest;

		if (text[0] == '#' || text[0] == '\n')
			continue;
		l = mem_alloc(sizeof(*l));
		*l = (struct line){.table = name, .number = number};
		rest = mem_strdup(text);
		for (int i = 0; i < columns; i++) {
			l->column[i] = i == columns - 1 ? rest : strsep(&rest, "|");
			if (l->column[i] == NULL)
				abort();
			trim(&l->column[i]);
		}
		tests->list = mem_resize(tests->list, (tests->n + 1) * sizeof(*tests->list));
		tests->list[tests->n++] = (struct CMUnitTest){
		    mem_printf("%s, line %d: %s", name, number, l->column[columns - 1]), judge, NULL, NULL, l};
	}
	fclose(f);
	free(path);
}

int main(void)
{
	static const char *const tables[] = {"basic.txt", "keys.txt", "usage.txt", "extensions.txt", "names.txt", "templates.txt", "renewal.txt"};
	struct tests tests = {0};

	for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++)
		read_table(tables[i], COLUMNS, decide, &tests);
	read_table("settings.txt", 3, judge_setting, &tests);
	return _cmocka_run_group_tests("policy", tests.list, tests.n, NULL, NULL);
}
