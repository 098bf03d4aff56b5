#include "conf/list.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "base/problems.h"
#include "conf/cidr.h"
#include "conf/value.h"

#define BLANKS ", \t"

const struct conf_word *word_find(const struct conf_word *words, struct bytes text)
{
	for (; words->word != NULL; words++) {
		if (strlen(words->word) == text.n && strncasecmp(words->word, (const char *)text.p, text.n) == 0)
			return words;
	}
	return NULL;
}

/* The next word of a list, or an empty one at its end. */
static struct bytes next_item(const char **text)
{
	const char *start = *text + strspn(*text, BLANKS);
	size_t n = strcspn(start, BLANKS);

	*text = start + n;
	return bytes_of(start, n);
}

/* "none" alone, where it is a value. */
static bool is_none(const struct setting *row, const char *text)
{
	return (row->flags & NONE_OK) != 0 && strcasecmp(text, "none") == 0;
}

static enum err refuse(const struct conf_word *word, struct why *why)
{
	return fail(why, ERR_CONFIG, "'%s' is never given by a profile: %s; take it out", word->word, word->refused);
}

static enum err unknown_item(const struct setting *row, struct bytes item, struct why *why)
{
	const char *names[32], *near;
	char *text = mem_strndup((const char *)item.p, item.n);
	enum err err;
	size_t n = 0;

	while (n < 31 && row->words[n].word != NULL) {
		names[n] = row->words[n].word;
		n++;
	}
	names[n] = NULL;
	near = nearest_word(text, names);
	err = near == NULL ? value_bad(row, text, why) : fail(why, ERR_CONFIG, "unknown word '%.60s'; did you mean '%s'?", text, near);
	free(text);
	return err;
}

enum err words_set(const struct setting *row, const char *text, unsigned *at, struct why *why)
{
	const struct conf_word *word;
	struct bytes item;
	unsigned bits = 0;

	if (!is_none(row, text)) {
		for (item = next_item(&text); item.n > 0; item = next_item(&text)) {
			word = word_find(row->words, item);
			if (word == NULL)
				return unknown_item(row, item, why);
			if (word->refused != NULL)
				return refuse(word, why);
			bits |= (unsigned)word->value;
		}
		if (bits == 0)
			return value_bad(row, ",", why);
	}
	*at = bits;
	return ERR_OK;
}

void oids_free(char **list)
{
	size_t i;

	for (i = 0; list != NULL && list[i] != NULL; i++)
		free(list[i]);
	free(list);
}

/* A dotted OID: no leading zeros, the first two arcs in their ranges (X.660), every arc in 32 bits. */
static bool is_oid(struct bytes item)
{
	uint64_t arc = 0, first = 0;
	size_t i, digits = 0, arcs = 0;

	for (i = 0; i <= item.n; i++) {
		if (i == item.n || item.p[i] == '.') {
			if (digits == 0 || (arcs == 0 && arc > 2) || (arcs == 1 && first < 2 && arc > 39))
				return false;
			if (arcs++ == 0)
				first = arc;
			arc = digits = 0;
			continue;
		}
		if (item.p[i] < '0' || item.p[i] > '9' || (digits > 0 && arc == 0))
			return false;
		arc = arc * 10 + (uint64_t)(item.p[i] - '0');
		digits++;
		if (arc > UINT32_MAX)
			return false;
	}
	return arcs >= 2 && arcs <= 32;
}

/* One purpose by name or number, as its OID. */
static enum err purpose(const struct setting *row, struct bytes item, char **oid, struct why *why)
{
	const struct conf_word *word = word_find(row->words, item);
	size_t i;

	for (i = 0; word == NULL && row->words[i].word != NULL; i++) {	/* by number: refused all the same */
		if (bytes_eq_str(item, row->words[i].oid))
			word = &row->words[i];
	}
	if (word != NULL && word->refused != NULL)
		return refuse(word, why);
	if (word == NULL && !is_oid(item))
		return unknown_item(row, item, why);
	*oid = word != NULL ? mem_strdup(word->oid) : mem_strndup((const char *)item.p, item.n);
	return ERR_OK;
}

static bool in_list(char **list, const char *oid)
{
	while (*list != NULL && strcmp(*list, oid) != 0)
		list++;
	return *list != NULL;
}

enum err oids_set(const struct setting *row, const char *text, char ***at, struct why *why)
{
	char **list = mem_alloc(sizeof(*list)), *oid = NULL;
	struct bytes item;
	enum err err = ERR_OK;
	size_t n = 0;

	if (!is_none(row, text)) {
		for (item = next_item(&text); item.n > 0; item = next_item(&text)) {
			if ((err = purpose(row, item, &oid, why)) != ERR_OK)
				goto out;
			if (in_list(list, oid)) {	/* once is enough */
				free(oid);
				continue;
			}
			list = mem_resize(list, (n + 2) * sizeof(*list));
			list[n++] = oid;
			list[n] = NULL;
		}
		if (n == 0) {
			err = value_bad(row, ",", why);
			goto out;
		}
	}
	oids_free(*at);
	*at = list;
	list = NULL;
out:
	oids_free(list);
	return err;
}

static bool is_printable(const char *text)
{
	while (*text > ' ' && *text < 0x7f)
		text++;
	return *text == '\0';
}

/*
 * What may stand in a certificate as it is (RFC 3986): http or https, a host, and no character that is not ASCII and printable. ldap is
 * not offered: whoever checks a certificate would need credentials.
 */
static bool is_url(const char *text)
{
	size_t n = strncasecmp(text, "http://", 7) == 0 ? 7 : strncasecmp(text, "https://", 8) == 0 ? 8 : 0;

	if (n == 0 || !is_printable(text) || strpbrk(text, "\"<>\\^`|") != NULL || strcspn(text + n, "/:?#") == 0)
		return false;
	for (; (text = strpbrk(text, "{}")) != NULL; text += strlen("{ca}")) {	/* stands for the CA's key identifier */
		if (strncmp(text, "{ca}", 4) != 0)
			return false;
	}
	return true;
}

static bool is_name(const struct setting *row, const char *text)
{
	switch (row->kind) {
	case KIND_URL_PATHS:
		return is_printable(text) && is_url_path(text);
	case KIND_URLS:
		return is_url(text);
	case KIND_CIDRS:
		return is_cidr(text);
	default:
		return is_printable(text);
	}
}

enum err names_set(const struct setting *row, const char *text, char ***at, struct why *why)
{
	char **list = mem_alloc(sizeof(*list)), *name;
	struct bytes item;
	enum err err = ERR_OK;
	size_t n = 0;

	for (item = next_item(&text); err == ERR_OK && item.n > 0; item = next_item(&text)) {
		name = mem_strndup((const char *)item.p, item.n);
		if (!is_name(row, name)) {
			err = value_bad(row, name, why);
			free(name);
			break;
		}
		list = mem_resize(list, (n + 2) * sizeof(*list));
		list[n++] = name;
		list[n] = NULL;
	}
	if (err == ERR_OK && n == 0)
		err = value_bad(row, ",", why);
	if (err != ERR_OK) {
		oids_free(list);
		return err;
	}
	oids_free(*at);
	*at = list;
	return ERR_OK;
}

void names_text(char *const *list, struct buf *out)
{
	for (size_t i = 0; list[i] != NULL; i++)
		buf_printf(out, "%s%s", i > 0 ? " " : "", list[i]);
}

void words_text(const struct setting *row, unsigned bits, struct buf *out)
{
	const struct conf_word *word;
	size_t start = out->n;

	for (word = row->words; word->word != NULL; word++) {
		if (word->refused == NULL && (bits & (unsigned)word->value) != 0)
			buf_printf(out, "%s%s", out->n > start ? " " : "", word->word);
	}
	if (out->n == start)
		buf_add_str(out, "none");
}

void oids_text(const struct setting *row, char *const *list, struct buf *out)
{
	const struct conf_word *word;
	size_t i;

	if (list[0] == NULL)
		buf_add_str(out, "none");
	for (i = 0; list[i] != NULL; i++) {
		for (word = row->words; word->word != NULL && strcmp(word->oid, list[i]) != 0; word++)
			;
		buf_printf(out, "%s%s", i > 0 ? " " : "", word->word != NULL ? word->word : list[i]);
	}
}
