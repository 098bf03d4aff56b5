#include "conf/edit.h"

#include <string.h>
#include <strings.h>

/* One line of the file as the reader takes it. */
struct line {
	struct bytes whole;	/* with its newline */
	enum { LINE_OTHER, LINE_SECTION, LINE_KEY, LINE_EXAMPLE } kind;	/* EXAMPLE: "#key = value" */
	struct bytes name;
};

static bool is_blank(uint8_t c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static struct bytes trim(struct bytes b)
{
	while (b.n > 0 && is_blank(b.p[b.n - 1]))
		b.n--;
	while (b.n > 0 && is_blank(b.p[0]))
		b = bytes_cut(b, 1, b.n);
	return b;
}

static bool is_named(struct bytes name, const char *wanted)
{
	return name.n == strlen(wanted) && strncasecmp((const char *)name.p, wanted, name.n) == 0;
}

/* What stands before the '=' of "key = value" or "#key = value"; n == 0: nothing that is a key. */
static struct bytes key_of(struct bytes line)
{
	const uint8_t *equals = memchr(line.p, '=', line.n);
	struct bytes key = equals == NULL ? (struct bytes){0} : trim(bytes_of(line.p, (size_t)(equals - line.p)));

	for (size_t i = 0; i < key.n; i++) {
		if (is_blank(key.p[i]))
			return (struct bytes){0};
	}
	return key;
}

static struct line classify(struct bytes whole)
{
	struct line l = {.whole = whole, .kind = LINE_OTHER};
	struct bytes text = trim(whole);
	const uint8_t *close;

	if (text.n == 0)
		return l;
	if (text.p[0] == '[' && (close = memchr(text.p, ']', text.n)) != NULL) {
		l.kind = LINE_SECTION;
		l.name = trim(bytes_of(text.p + 1, (size_t)(close - text.p - 1)));
	} else if (text.p[0] == '#' || text.p[0] == ';') {
		l.name = key_of(bytes_cut(text, 1, text.n));
		l.kind = l.name.n > 0 ? LINE_EXAMPLE : LINE_OTHER;
	} else {
		l.name = key_of(text);
		l.kind = l.name.n > 0 ? LINE_KEY : LINE_OTHER;
	}
	return l;
}

/* The line at *at, which moves on. False at the end. */
static bool next_line(const struct buf *text, size_t *at, struct line *out)
{
	struct bytes rest = bytes_cut(buf_bytes(text), *at, text->n);
	const uint8_t *nl;

	if (rest.n == 0)
		return false;
	nl = memchr(rest.p, '\n', rest.n);
	*out = classify(bytes_of(rest.p, nl == NULL ? rest.n : (size_t)(nl - rest.p) + 1));
	*at += out->whole.n;
	return true;
}

/* Puts `with` in the place of `n` octets at `at`. */
static void replace(struct buf *text, size_t at, size_t n, struct bytes with)
{
	struct buf out = {0};
	struct bytes all = buf_bytes(text);

	buf_add_bytes(&out, bytes_cut(all, 0, at));
	buf_add_bytes(&out, with);
	buf_add_bytes(&out, bytes_cut(all, at + n, all.n));
	buf_free(text);
	*text = out;
}

/* Where a key stands or would stand. */
struct place {
	bool section, key, example;	/* was it found? */
	size_t at, n;			/* the key's line, or the example's; n == 0: where a new line goes */
};

static struct place find(const struct buf *text, const char *section, const char *key)
{
	struct place p = {0};
	size_t at = 0, begin;
	bool inside = false;
	struct line l;

	for (begin = 0; next_line(text, &at, &l); begin = at) {
		if (l.kind == LINE_SECTION)
			inside = is_named(l.name, section);
		if (!inside || p.key)
			continue;
		p.section = true;
		if (l.kind == LINE_KEY && is_named(l.name, key)) {
			p = (struct place){.section = true, .key = true, .at = begin, .n = l.whole.n};
		} else if (l.kind == LINE_EXAMPLE && !p.example && is_named(l.name, key)) {
			p.example = true;
			p.at = begin;
			p.n = l.whole.n;
		} else if (!p.example && (l.kind == LINE_SECTION || l.kind == LINE_KEY)) {
			p.at = at;
		}
	}
	return p;
}

void edit_line(struct buf *out, const char *key, const char *value)
{
	size_t n = strlen(value);

	if (n == 0 || (strpbrk(value, ";#\"'") == NULL && value[0] != ' ' && value[n - 1] != ' '))
		buf_printf(out, "%s = %s\n", key, value);
	else if (strchr(value, '"') == NULL)
		buf_printf(out, "%s = \"%s\"\n", key, value);
	else
		buf_printf(out, "%s = '%s'\n", key, value);
}

static void end_last_line(struct buf *text)
{
	if (text->n > 0 && text->p[text->n - 1] != '\n')
		buf_add_byte(text, '\n');
}

void edit_set(struct buf *text, const char *section, const char *key, const char *value)
{
	struct place p;
	struct buf line = {0};

	end_last_line(text);
	p = find(text, section, key);
	if (value == NULL) {
		if (p.key)
			replace(text, p.at, p.n, (struct bytes){0});
		return;
	}
	if (!p.section) {
		buf_printf(&line, "%s[%s]\n", text->n > 0 ? "\n" : "", section);
		p.at = text->n;
	}
	edit_line(&line, key, value);
	replace(text, p.at, p.n, buf_bytes(&line));
	buf_free(&line);
}

void edit_clear(struct buf *text, const char *section)
{
	size_t at = 0, begin = 0, heading = 0, n_heading = 0;
	bool inside = false, empty = true;
	struct line l;

	while (next_line(text, &at, &l)) {
		if (l.kind == LINE_SECTION) {
			inside = is_named(l.name, section);
			heading = inside ? begin : heading;
			n_heading = inside ? l.whole.n : n_heading;
		} else if (inside && l.kind == LINE_KEY) {
			replace(text, begin, l.whole.n, (struct bytes){0});
			at = begin;
		} else if (inside && trim(l.whole).n > 0) {
			empty = false;
		}
		begin = at;
	}
	if (n_heading > 0 && empty)
		replace(text, heading, n_heading, (struct bytes){0});
}
