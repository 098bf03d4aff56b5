#include "conf/value.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "conf/date.h"
#include "conf/list.h"
#include "conf/number.h"
#include "conf/rate.h"

static const struct conf_word yes_no[] = {
    {.word = "yes", .value = 1}, {.word = "no", .value = 0}, {.word = "true", .value = 1}, {.word = "false", .value = 0},
    {.word = "on", .value = 1}, {.word = "off", .value = 0}, {0},
};

static const struct conf_word *words_of(const struct setting *row)
{
	return row->words == NULL ? yes_no : row->words;
}

static void *field(const struct setting *row, void *conf)
{
	return (char *)conf + row->offset;
}

static const void *const_field(const struct setting *row, const void *conf)
{
	return (const char *)conf + row->offset;
}

enum err value_bad(const struct setting *row, const char *text, struct why *why)
{
	struct buf expected = {0};
	enum err err;

	value_expected(row, &expected);
	err = fail(why, ERR_CONFIG, "'%.100s' is not %s", text, (char *)expected.p);
	buf_free(&expected);
	return err;
}

static void set_text(char **at, char *text)
{
	free(*at);
	*at = text;
}

static bool is_listen(const char *text)
{
	const char *colon = strrchr(text, ':');
	int64_t port;

	if (text[0] == '/')
		return true;
	return colon != NULL && colon != text && number_parse(colon + 1, NULL, &port) && port >= 1 && port <= 65535;
}

/* No '_': most servers drop such a header, and to a program behind the others it is the same as one with '-'. */
bool is_header(const char *text)
{
	size_t n = strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-");

	return n > 0 && n <= HEADER_MAX && text[n] == '\0' && text[0] != '-';
}

bool is_url_path(const char *text)
{
	size_t n = strlen(text);

	return n > 1 && text[0] == '/' && text[n - 1] != '/' && strstr(text, "//") == NULL && strpbrk(text, " \t%?#\"\\") == NULL;
}

static enum err set_string(const struct setting *row, const char *file, const char *text, char **at, struct why *why)
{
	switch (row->kind) {
	case KIND_LISTEN:
		if (!is_listen(text))
			return value_bad(row, text, why);
		break;
	case KIND_HEADER:
		if (!is_header(text))
			return value_bad(row, text, why);
		break;
	case KIND_URL_PATH:
		if (!is_url_path(text))
			return value_bad(row, text, why);
		break;
	case KIND_KEY:
		if (strncmp(text, "pkcs11:", 7) == 0)
			break;
		set_text(at, file_beside(file, text));
		return ERR_OK;
	case KIND_PATH:
		set_text(at, file_beside(file, text));
		return ERR_OK;
	default:
		break;
	}
	set_text(at, mem_strdup(text));
	return ERR_OK;
}

static enum err set_number(const struct setting *row, const char *text, int64_t *at, struct why *why)
{
	int64_t v;

	if (!number_parse(text, number_units(row->kind), &v) || v < row->min || v > row->max)
		return value_bad(row, text, why);
	*at = v;
	return ERR_OK;
}

static enum err set_mode(const struct setting *row, const char *text, unsigned *at, struct why *why)
{
	unsigned v = 0;
	const char *s;

	for (s = text; *s >= '0' && *s <= '7' && v <= (unsigned)row->max; s++)
		v = v * 8 + (unsigned)(*s - '0');
	if (s == text || *s != '\0' || v > (unsigned)row->max)
		return value_bad(row, text, why);
	*at = v;
	return ERR_OK;
}

static enum err set_date(const struct setting *row, const char *text, int64_t *at, struct why *why)
{
	time_t t;

	if (!date_parse(text, &t))
		return value_bad(row, text, why);
	*at = t;
	return ERR_OK;
}

static enum err set_word(const struct setting *row, const char *text, void *at, struct why *why)
{
	const struct conf_word *word = word_find(words_of(row), bytes_str(text));

	if (word == NULL)
		return value_bad(row, text, why);
	if (row->kind == KIND_BOOL)
		*(bool *)at = word->value != 0;
	else
		memcpy(at, &word->value, sizeof(word->value));	/* an enum, which has the size of an int */
	return ERR_OK;
}

enum err value_set(const struct setting *row, const char *file, const char *text, void *conf, struct why *why)
{
	void *at = field(row, conf);

	if (text[0] == '\0')
		return fail(why, ERR_CONFIG, "has no value; leave the line out for the default");
	switch (row->kind) {
	case KIND_TEXT:
	case KIND_CONNINFO:
	case KIND_PATH:
	case KIND_KEY:
	case KIND_LISTEN:
	case KIND_HEADER:
	case KIND_URL_PATH:
		return set_string(row, file, text, at, why);
	case KIND_BOOL:
	case KIND_ENUM:
		return set_word(row, text, at, why);
	case KIND_WORDS:
		return words_set(row, text, at, why);
	case KIND_OIDS:
		return oids_set(row, text, at, why);
	case KIND_NAMES:
	case KIND_URLS:
	case KIND_CIDRS:
	case KIND_URL_PATHS:
		return names_set(row, text, at, why);
	case KIND_MODE:
		return set_mode(row, text, at, why);
	case KIND_DATE:
		return set_date(row, text, at, why);
	case KIND_RATE:
		return rate_set(row, text, at, why);
	default:
		return set_number(row, text, at, why);
	}
}

static const char *word_text(const struct setting *row, int value)
{
	const struct conf_word *word = words_of(row);

	while (word->word != NULL && word->value != value)
		word++;
	return word->word;
}

bool value_text(const struct setting *row, const void *conf, struct buf *out)
{
	const void *at = const_field(row, conf);
	char date[DATE_SIZE];
	int value;

	switch (row->kind) {
	case KIND_TEXT:
	case KIND_CONNINFO:
	case KIND_PATH:
	case KIND_KEY:
	case KIND_LISTEN:
	case KIND_HEADER:
	case KIND_URL_PATH:
		if (*(char *const *)at == NULL)
			return false;
		buf_add_str(out, *(char *const *)at);
		break;
	case KIND_BOOL:
		buf_add_str(out, word_text(row, *(const bool *)at));
		break;
	case KIND_ENUM:
		memcpy(&value, at, sizeof(value));
		buf_add_str(out, word_text(row, value));
		break;
	case KIND_WORDS:
		words_text(row, *(const unsigned *)at, out);
		break;
	case KIND_OIDS:
		oids_text(row, *(char **const *)at, out);
		break;
	case KIND_NAMES:
	case KIND_URLS:
	case KIND_CIDRS:
	case KIND_URL_PATHS:
		if (*(char **const *)at == NULL)
			return false;
		names_text(*(char **const *)at, out);
		break;
	case KIND_MODE:
		buf_printf(out, "%04o", *(const unsigned *)at);
		break;
	case KIND_DATE:
		if (*(const int64_t *)at == 0)
			return false;
		date_print((time_t)*(const int64_t *)at, date);
		buf_add_str(out, date);
		break;
	case KIND_RATE:
		rate_text(*(const struct conf_rate *)at, out);
		break;
	default:
		number_print(*(const int64_t *)at, number_units(row->kind), out);
	}
	return true;
}

static void list_words(const struct setting *row, struct buf *out)
{
	const struct conf_word *word;
	size_t n = 0;

	for (word = words_of(row); word->word != NULL; word++) {
		if (word->refused == NULL)
			buf_printf(out, "%s%s", n++ > 0 ? ", " : "", word->word);
	}
}

static void range(const struct setting *row, const char *what, struct buf *out)
{
	buf_printf(out, "%s from ", what);
	number_print(row->min, number_units(row->kind), out);
	buf_add_str(out, " to ");
	number_print(row->max, number_units(row->kind), out);
}

void value_expected(const struct setting *row, struct buf *out)
{
	static const char *const plain[] = {
	    [KIND_TEXT] = "text", [KIND_CONNINFO] = "a libpq connection string", [KIND_PATH] = "a file",
	    [KIND_KEY] = "a file or a pkcs11: URI", [KIND_LISTEN] = "the absolute path of a socket, or address:port",
	    [KIND_HEADER] = "the name of an HTTP header: letters, digits and '-'",
	    [KIND_CIDRS] = "a list of addresses and ranges such as 192.0.2.1 or 2001:db8::/32, with no bit set behind the prefix, and less than everybody",
	    [KIND_URL_PATH] = "a URL path such as /scep, without / at its end", [KIND_MODE] = "an octal mode such as 0660",
	    [KIND_NAMES] = "a list of names without blanks",
	    [KIND_URLS] = "a list of http:// or https:// URLs",
	    [KIND_URL_PATHS] = "a list of URL paths such as /certsrv/mscep/mscep.dll, without / at their end",
	    [KIND_DATE] = "a date (UTC) such as 2027-01-31T12:00:00Z or 2027-01-31",
	    [KIND_RATE] = "a number within a time such as 3/24h or 100/1m, or 0 for any number",
	};

	switch (row->kind) {
	case KIND_BOOL:
	case KIND_ENUM:
		buf_add_str(out, "one of ");
		list_words(row, out);
		break;
	case KIND_WORDS:
	case KIND_OIDS:
		buf_add_str(out, row->kind == KIND_OIDS ? "a list of dotted OIDs and of " : "a list of ");
		list_words(row, out);
		if (row->flags & NONE_OK)
			buf_add_str(out, "; or none");
		break;
	case KIND_INT:
		range(row, "a whole number", out);
		break;
	case KIND_SIZE:
		range(row, "a number of octets such as 64k or 1m,", out);
		break;
	case KIND_SECONDS:
		range(row, "a time such as 90d, 12h, 30m or 45s,", out);
		break;
	case KIND_MILLIS:
		range(row, "a time such as 2m, 30s or 500ms,", out);
		break;
	default:
		buf_add_str(out, plain[row->kind]);
	}
}

bool conninfo_has_password(const char *conninfo)
{
	return strcasestr(conninfo, "password") != NULL || strchr(conninfo, '@') != NULL;
}

void values_set_standard(const struct setting_table *table, const char *file, void *conf)
{
	struct why why;
	size_t i;

	for (i = 0; i < table->n; i++) {
		if (table->rows[i].standard != NULL && value_set(&table->rows[i], file, table->rows[i].standard, conf, &why) != ERR_OK)
			abort();	/* a bad default cannot get past the tests */
	}
}

void conf_values_free(const struct setting_table *table, void *conf)
{
	size_t i;

	for (i = 0; i < table->n; i++) {
		void *at = field(&table->rows[i], conf);

		if (table->rows[i].kind >= KIND_OIDS && table->rows[i].kind <= KIND_URL_PATHS) {
			oids_free(*(char ***)at);
			*(char ***)at = NULL;
		} else if (table->rows[i].kind <= KIND_URL_PATH) {
			set_text(at, NULL);
		}
	}
}
