#include "base/codec.h"

#include <string.h>

static const char hex_digits[] = "0123456789abcdef";

void hex_encode(struct buf *out, struct bytes in)
{
	uint8_t *p = buf_grow(out, 2 * in.n);
	size_t i;

	for (i = 0; i < in.n; i++) {
		*p++ = (uint8_t)hex_digits[in.p[i] >> 4];
		*p++ = (uint8_t)hex_digits[in.p[i] & 15];
	}
}

/* The value of a hex digit, or -1. */
static int hex_value(int c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

bool hex_decode(struct buf *out, const char *text)
{
	size_t start = out->n;
	int high, low;

	while (*text != '\0') {
		high = hex_value((unsigned char)text[0]);
		low = high < 0 ? -1 : hex_value((unsigned char)text[1]);
		if (low < 0)
			goto bad;
		buf_add_byte(out, (uint8_t)(high << 4 | low));
		text += 2;
		if (text[0] == ':' && *++text == '\0')
			goto bad;
	}
	return true;
bad:
	buf_cut(out, start);
	return false;
}

static const char base64_alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static void encode_group(char to[4], const uint8_t *from, size_t n)
{
	unsigned v = (unsigned)from[0] << 16 | (n > 1 ? (unsigned)from[1] << 8 : 0) | (n > 2 ? from[2] : 0);

	to[0] = base64_alphabet[v >> 18];
	to[1] = base64_alphabet[v >> 12 & 63];
	to[2] = n > 1 ? base64_alphabet[v >> 6 & 63] : '=';
	to[3] = n > 2 ? base64_alphabet[v & 63] : '=';
}

/* line: characters before a line end is inserted; 0: one line without a line end. */
static void encode_lines(struct buf *out, struct bytes in, size_t line)
{
	size_t i, column = 0;
	char group[4];

	for (i = 0; i < in.n; i += 3) {
		encode_group(group, in.p + i, in.n - i < 3 ? in.n - i : 3);
		buf_add(out, group, 4);
		column += 4;
		if (line != 0 && (column == line || i + 3 >= in.n)) {
			buf_add_byte(out, '\n');
			column = 0;
		}
	}
}

void base64_encode(struct buf *out, struct bytes in)
{
	encode_lines(out, in, 0);
}

static int base64_value(uint8_t c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	if (c == '+')
		return 62;
	return c == '/' ? 63 : -1;
}

/* Text as it arrives, character by character: groups of four, then padding, then nothing. */
struct base64_state {
	unsigned bits;		/* of the group so far */
	unsigned n;		/* characters of the group so far, 0 to 3 */
	unsigned padding;
};

static bool decode_char(struct base64_state *st, struct buf *out, uint8_t c)
{
	int v;

	if (c == '=') {
		st->padding++;
		return true;	/* their number is checked at the end */
	}
	v = base64_value(c);
	if (v < 0 || st->padding > 0)
		return false;
	st->bits = st->bits << 6 | (unsigned)v;
	if (++st->n == 4) {
		buf_add(out, (uint8_t[]){st->bits >> 16 & 255, st->bits >> 8 & 255, st->bits & 255}, 3);
		*st = (struct base64_state){0};
	}
	return true;
}

/* The last, short group: its unused bits are zero (RFC 4648, 3.5), its padding complete or, where allowed, missing. */
static bool decode_end(struct base64_state *st, struct buf *out, bool may_lack_padding)
{
	unsigned want = st->n == 0 ? 0 : 4 - st->n;

	if (st->padding != want && !(may_lack_padding && st->padding == 0))
		return false;
	if (st->n == 0)
		return true;
	if (st->n == 1 || (st->bits & (st->n == 2 ? 15 : 3)) != 0)
		return false;
	if (st->n == 2) {
		buf_add_byte(out, (uint8_t)(st->bits >> 4));
	} else {
		buf_add_byte(out, (uint8_t)(st->bits >> 10));
		buf_add_byte(out, (uint8_t)(st->bits >> 2));
	}
	return true;
}

bool base64_decode(struct buf *out, struct bytes text)
{
	struct base64_state st = {0};
	size_t i, start = out->n;

	for (i = 0; i < text.n; i++) {
		uint8_t c = text.p[i];

		if (c == ' ' || c == '\t' || c == '\r' || c == '\n')
			continue;
		if (!decode_char(&st, out, c))
			goto bad;
	}
	if (decode_end(&st, out, false))
		return true;
bad:
	buf_cut(out, start);
	return false;
}

bool base64_decode_scep(struct buf *out, struct bytes text)
{
	struct base64_state st = {0};
	bool url = false, standard = false;
	size_t i, start = out->n;

	for (i = 0; i < text.n; i++) {
		uint8_t c = text.p[i];

		if (c == '\r' || c == '\n')
			continue;
		if (c == ' ')	/* somebody form-decoded an unescaped '+' */
			c = '+';
		url |= c == '-' || c == '_';
		standard |= c == '+' || c == '/';
		c = c == '-' ? '+' : c == '_' ? '/' : c;
		if (!decode_char(&st, out, c))
			goto bad;
	}
	if (!(url && standard) && decode_end(&st, out, true))
		return true;
bad:
	buf_cut(out, start);
	return false;
}

bool percent_decode(struct buf *out, struct bytes text)
{
	size_t i, start = out->n;
	int high, low;

	for (i = 0; i < text.n; i++) {
		if (text.p[i] != '%') {
			buf_add_byte(out, text.p[i]);
			continue;
		}
		high = text.n - i > 2 ? hex_value(text.p[i + 1]) : -1;
		low = high < 0 ? -1 : hex_value(text.p[i + 2]);
		if (low < 0) {
			buf_cut(out, start);
			return false;
		}
		buf_add_byte(out, (uint8_t)(high << 4 | low));
		i += 2;
	}
	return true;
}

/* RFC 3986, 2.3; not isalnum(), whose answer depends on the locale. */
static bool unreserved(uint8_t c)
{
	return base64_value(c) >= 0 ? c != '+' && c != '/' : c == '-' || c == '.' || c == '_' || c == '~';
}

void percent_encode(struct buf *out, struct bytes in)
{
	size_t i;

	for (i = 0; i < in.n; i++) {
		if (unreserved(in.p[i]))
			buf_add_byte(out, in.p[i]);
		else
			buf_printf(out, "%%%02X", in.p[i]);
	}
}

bool query_param(struct bytes query, const char *name, struct bytes *value)
{
	size_t at = 0, end, name_len = strlen(name);

	while (at < query.n) {
		const uint8_t *amp = memchr(query.p + at, '&', query.n - at);

		end = amp == NULL ? query.n : (size_t)(amp - query.p);
		if (end - at >= name_len && memcmp(query.p + at, name, name_len) == 0) {
			if (end - at == name_len) {	/* a name without '=' has an empty value */
				*value = bytes_cut(query, end, 0);
				return true;
			}
			if (query.p[at + name_len] == '=') {
				*value = bytes_cut(query, at + name_len + 1, end - at - name_len - 1);
				return true;
			}
		}
		at = end + 1;
	}
	return false;
}

void escape_text(struct buf *out, struct bytes in, size_t max)
{
	size_t i;

	for (i = 0; i < in.n && i < max; i++) {
		uint8_t c = in.p[i];

		if (c >= 0x20 && c < 0x7f && c != '"' && c != '\\')
			buf_add_byte(out, c);
		else
			buf_printf(out, "\\x%02x", c);
	}
}

/* Cuts the first line, without its line end and trailing blanks, off `text`. */
static struct bytes take_line(struct bytes *text)
{
	const uint8_t *nl = memchr(text->p, '\n', text->n);
	size_t n = nl == NULL ? text->n : (size_t)(nl - text->p);
	struct bytes line = bytes_of(text->p, n);

	*text = bytes_cut(*text, nl == NULL ? n : n + 1, text->n);
	while (line.n > 0 && (line.p[line.n - 1] == '\r' || line.p[line.n - 1] == ' ' || line.p[line.n - 1] == '\t'))
		line.n--;
	return line;
}

/* Is `line` "-----<what> LABEL-----"? Gives the label. */
static bool boundary(struct bytes line, const char *what, struct bytes *label)
{
	size_t n = strlen(what);

	if (line.n < n + 5 || memcmp(line.p, what, n) != 0 || memcmp(line.p + line.n - 5, "-----", 5) != 0)
		return false;
	*label = bytes_cut(line, n, line.n - n - 5);
	return true;
}

/* Whether the label is wanted; gives the list's own string, or NULL when any label is. */
static bool wanted(struct bytes label, const char *const labels[], const char **found)
{
	size_t i;

	*found = NULL;
	if (labels == NULL)
		return true;
	for (i = 0; labels[i] != NULL; i++) {
		if (bytes_eq_str(label, labels[i])) {
			*found = labels[i];
			return true;
		}
	}
	return false;
}

bool pem_next(struct bytes *text, const char *const labels[], struct buf *der, const char **label)
{
	struct bytes rest = *text, begin, end, body, line;
	const char *found;

	while (rest.n > 0) {
		if (!boundary(take_line(&rest), "-----BEGIN ", &begin))
			continue;
		body = rest;
		do {
			if (rest.n == 0)
				return false;	/* no END: damaged */
			line = take_line(&rest);
		} while (!boundary(line, "-----END ", &end));
		if (!bytes_eq(begin, end))
			return false;
		if (!wanted(begin, labels, &found))
			continue;
		if (!base64_decode(der, bytes_of(body.p, (size_t)(line.p - body.p))))
			return false;
		*text = rest;
		if (label != NULL)
			*label = found;
		return true;
	}
	return false;
}

void pem_write(struct buf *out, const char *label, struct bytes der)
{
	buf_printf(out, "-----BEGIN %s-----\n", label);
	encode_lines(out, der, 64);
	buf_printf(out, "-----END %s-----\n", label);
}
