#include "conf/scan.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

struct scan {
	const char *file;
	struct problems *problems;
	struct ini *ini;
	unsigned line;
	const char *section;	/* the one we are in, NULL before the first; owned by the list */
};

/* Always false: the line is not good. */
static bool problem(struct scan *s, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static bool problem(struct scan *s, const char *fmt, ...)
{
	char *where = mem_printf("%s:%u", s->file, s->line), text[400];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	problem_add(s->problems, PROBLEM_ERROR, where, "%s", text);
	free(where);
	return false;
}

static bool is_blank(uint8_t c)
{
	return c == ' ' || c == '\t';
}

static struct bytes trim(struct bytes b)
{
	while (b.n > 0 && (is_blank(b.p[b.n - 1]) || b.p[b.n - 1] == '\r'))
		b.n--;
	while (b.n > 0 && is_blank(b.p[0]))
		b = bytes_cut(b, 1, b.n);
	return b;
}

static bool is_comment(uint8_t c)
{
	return c == '#' || c == ';';
}

/* A name in lower case, or NULL when it has other characters than ours: ':' would confuse iniparser's own names. */
static char *take_name(struct bytes b)
{
	char *name = mem_strndup((const char *)b.p, b.n);
	size_t i;

	for (i = 0; i < b.n; i++) {
		char c = name[i];

		if (c >= 'A' && c <= 'Z')
			name[i] = (char)(c - 'A' + 'a');
		else if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && c != '_' && c != '-' && c != '.')
			break;
	}
	if (b.n == 0 || i < b.n) {
		free(name);
		return NULL;
	}
	return name;
}

static const struct ini_entry *find(const struct ini *ini, const char *section, const char *key)
{
	size_t i;

	for (i = 0; i < ini->n; i++) {
		const struct ini_entry *e = &ini->list[i];

		if (strcmp(e->section, section) == 0 && (e->key == NULL) == (key == NULL) &&
		    (key == NULL || strcmp(e->key, key) == 0))
			return e;
	}
	return NULL;
}

static void add(struct scan *s, char *section, char *key)
{
	struct ini *ini = s->ini;

	ini->list = mem_resize(ini->list, (ini->n + 1) * sizeof(*ini->list));
	ini->list[ini->n++] = (struct ini_entry){.section = section, .key = key, .line = s->line};
}

static bool section_line(struct scan *s, struct bytes line)
{
	const uint8_t *close = memchr(line.p, ']', line.n);
	const struct ini_entry *before;
	struct bytes after;
	char *name;

	if (close == NULL)
		return problem(s, "']' is missing after the section's name");
	after = trim(bytes_of(close + 1, (size_t)(line.p + line.n - close - 1)));
	if (after.n > 0 && !is_comment(after.p[0]))
		return problem(s, "'%.*s' after the section's name; it would be lost", after.n > 40 ? 40 : (int)after.n, after.p);
	name = take_name(trim(bytes_of(line.p + 1, (size_t)(close - line.p - 1))));
	if (name == NULL)
		return problem(s, "'%.*s' is not a section's name: letters, digits and '_'", line.n > 40 ? 40 : (int)line.n, line.p);
	before = find(s->ini, name, NULL);
	if (before != NULL) {
		s->section = before->section;
		problem(s, "section [%s] stands here again, first in line %u; join the two", name, before->line);
		free(name);
		return true;	/* what follows is still looked at */
	}
	add(s, name, NULL);
	s->section = name;
	return true;
}

/* A quoted value ends at its own quote, and nothing but a comment may follow: iniparser would drop it. */
static bool quoted_value(struct scan *s, const char *key, struct bytes value)
{
	uint8_t quote = value.p[0];
	const uint8_t *end = memchr(value.p + 1, quote, value.n - 1);
	struct bytes after;

	if (end == NULL)
		return problem(s, "the value of '%s' begins with %c but does not end with it", key, quote);
	after = trim(bytes_of(end + 1, (size_t)(value.p + value.n - end - 1)));
	if (after.n > 0 && !is_comment(after.p[0]))
		return problem(s, "'%.*s' after the quoted value of '%s'; to have %c in a value, quote it with %c",
		    after.n > 40 ? 40 : (int)after.n, after.p, key, quote, quote == '"' ? '\'' : '"');
	return true;
}

/* iniparser ends an unquoted value at the first ';' or '#', also in "pkcs11:token=x;object=y". */
static bool plain_value(struct scan *s, const char *key, struct bytes value)
{
	bool quote = false;
	size_t i;

	for (i = 0; i < value.n; i++) {
		quote |= value.p[i] == '"' || value.p[i] == '\'';
		if (!is_comment(value.p[i]))
			continue;
		if (quote || (i > 0 && !is_blank(value.p[i - 1])))
			return problem(s, "'%c' in the value of '%s' would begin a comment; put the whole value in quotes",
			    value.p[i], key);
		break;
	}
	return true;
}

static bool key_line(struct scan *s, struct bytes line)
{
	const uint8_t *equals = memchr(line.p, '=', line.n);
	const struct ini_entry *before;
	struct bytes value;
	char *key;

	if (equals == NULL)
		return problem(s, "'%.*s' is neither '[section]' nor 'key = value'", line.n > 60 ? 60 : (int)line.n, line.p);
	key = take_name(trim(bytes_of(line.p, (size_t)(equals - line.p))));
	if (key == NULL)
		return problem(s, "'%.*s' is not a key: letters, digits and '_'",
		    equals - line.p > 60 ? 60 : (int)(equals - line.p), line.p);
	value = trim(bytes_of(equals + 1, (size_t)(line.p + line.n - equals - 1)));
	if (s->section == NULL) {
		problem(s, "'%s' stands before the first [section]", key);
		free(key);
		return false;
	}
	before = find(s->ini, s->section, key);
	if (before != NULL) {
		problem(s, "[%s] %s stands here again, first in line %u; keep one of them", s->section, key, before->line);
		free(key);
		return false;
	}
	add(s, mem_strdup(s->section), key);	/* also with a bad value: it is not missing */
	if (value.n > 0 && (value.p[0] == '"' || value.p[0] == '\''))
		return quoted_value(s, key, value);
	return plain_value(s, key, value);
}

static bool only_text(struct bytes line)
{
	size_t i;

	for (i = 0; i < line.n; i++) {
		if ((line.p[i] < 0x20 && line.p[i] != '\t') || line.p[i] == 0x7f)
			return false;
	}
	return true;
}

/* True when iniparser shall see the line. */
static bool good_line(struct scan *s, struct bytes raw)
{
	struct bytes line = trim(raw);

	if (s->line == 1 && line.n >= 3 && memcmp(line.p, "\xef\xbb\xbf", 3) == 0)
		return problem(s, "the file begins with a byte order mark; save it as UTF-8 without one");
	if (line.n == 0 || is_comment(line.p[0]))
		return false;
	if (!only_text(line))
		return problem(s, "the line has control characters");
	if (raw.n > INI_MAX_LINE)
		return problem(s, "the line is longer than %d octets", INI_MAX_LINE);
	if (line.p[line.n - 1] == '\\')
		return problem(s, "the line ends with '\\'; a value cannot go on in the next line");
	return line.p[0] == '[' ? section_line(s, line) : key_line(s, line);
}

void scan_lines(const char *file, struct bytes text, struct ini *ini, struct buf *clean, struct problems *problems)
{
	struct scan s = {.file = file, .problems = problems, .ini = ini};

	while (text.n > 0 && ini->n < INI_MAX_ENTRIES) {
		const uint8_t *nl = memchr(text.p, '\n', text.n);
		struct bytes line = bytes_of(text.p, nl == NULL ? text.n : (size_t)(nl - text.p));

		s.line++;
		if (good_line(&s, line))
			buf_add_bytes(clean, line);
		buf_add_byte(clean, '\n');
		text = bytes_cut(text, line.n + 1, text.n);
	}
	if (text.n > 0)
		problem(&s, "more than %d lines with settings; the rest is not read", INI_MAX_ENTRIES);
}
