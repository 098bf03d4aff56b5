/* RFC 4514: Names to text and back. Declared in name.h. */
#include <string.h>

#include "base/codec.h"
#include "base/text.h"
#include "pki/ava.h"
#include "pki/der.h"
#include "pki/name.h"

/* --- to text ----------------------------------------------------------------------------------------------------- */

/* RFC 4514, 2.4. What only acts, and is not seen, may stay as it is there; here it is escaped, for who reads names in a terminal or a list. */
static void add_escaped(struct buf *out, struct bytes text)
{
	size_t hidden = 0;

	for (size_t i = 0; i < text.n; i++) {
		uint8_t c = text.p[i];
		bool edge_blank = c == ' ' && (i == 0 || i == text.n - 1);

		if (hidden == 0)
			hidden = text_control(bytes_cut(text, i, text.n));
		if (hidden > 0) {
			buf_printf(out, "\\%02X", c);
			hidden--;
			continue;
		}
		if (edge_blank || (c == '#' && i == 0) || strchr("\"+,;<=>\\", c) != NULL)
			buf_add_byte(out, '\\');
		buf_add_byte(out, c);
	}
}

static enum err ava_text(const struct ava *ava, struct buf *out, struct why *why)
{
	const struct ava_type *type = ava_type_by_oid(ava->oid);
	struct buf text = {0};
	char dotted[300];	/* der_oid_text takes 64 octets, up to four characters each */

	if (type == NULL && !der_oid_text(ava->oid, dotted, sizeof(dotted)))
		return fail(why, ERR_SYNTAX, "a name has an attribute whose type is not an object identifier");
	buf_printf(out, "%s=", type != NULL ? type->keyword : dotted);
	if (type != NULL && string_utf8(ava->value, &text)) {
		add_escaped(out, buf_bytes(&text));
	} else {
		buf_add_byte(out, '#');
		hex_encode(out, ava->value);
	}
	buf_free(&text);
	return ERR_OK;
}

static enum err rdn_text(struct bytes avas, struct buf *out, struct why *why)
{
	struct ava ava;
	enum err err;

	for (bool first = true; avas.n > 0; first = false) {
		if (!ava_next(&avas, &ava))
			return fail(why, ERR_SYNTAX, "a name has a malformed attribute");
		if (!first)
			buf_add_byte(out, '+');
		if ((err = ava_text(&ava, out, why)) != ERR_OK)
			return err;
	}
	return ERR_OK;
}

enum err name_text(struct bytes name, struct buf *out, struct why *why)
{
	struct bytes rest, rdns[NAME_MAX_RDNS];
	struct buf text = {0};
	enum err err = ERR_OK;
	size_t n = 0;

	if (!name_contents(name, &rest))
		return fail(why, ERR_SYNTAX, "not a Name");
	while (rest.n > 0) {
		if (n == NAME_MAX_RDNS)
			return fail(why, ERR_SYNTAX, "a name has more than %d parts", NAME_MAX_RDNS);
		if (!rdn_next(&rest, &rdns[n++]))
			return fail(why, ERR_SYNTAX, "a name has a malformed part");
	}
	for (size_t i = n; i > 0 && err == ERR_OK; i--) {
		if (i < n)
			buf_add_byte(&text, ',');
		err = rdn_text(rdns[i - 1], &text, why);
	}
	if (err == ERR_OK)
		buf_add_bytes(out, buf_bytes(&text));
	buf_free(&text);
	return err;
}

/* --- from text --------------------------------------------------------------------------------------------------- */

static void skip_blanks(struct bytes *in)
{
	while (in->n > 0 && in->p[0] == ' ')
		*in = bytes_cut(*in, 1, in->n);
}

static int hex_digit(uint8_t c)
{
	const char *digits = "0123456789abcdef", *at = c == 0 ? NULL : strchr(digits, c | 0x20);

	return at == NULL ? -1 : (int)(at - digits);
}

bool ava_next_char(struct bytes *in, uint8_t *c, bool *escaped, bool *bad)
{
	*escaped = false;
	if (in->n == 0 || in->p[0] == ',' || in->p[0] == '+')
		return false;
	*c = in->p[0];
	*in = bytes_cut(*in, 1, in->n);
	*bad = *c == '"' || *c == ';' || *c == '<' || *c == '>' || *c == 0;
	if (*c != '\\')
		return !*bad;
	*escaped = true;
	if (in->n >= 2 && hex_digit(in->p[0]) >= 0 && hex_digit(in->p[1]) >= 0) {
		*c = (uint8_t)(hex_digit(in->p[0]) << 4 | hex_digit(in->p[1]));
		*in = bytes_cut(*in, 2, in->n);
		return true;
	}
	*bad = in->n == 0 || strchr(" \"#+,;<=>\\", in->p[0]) == NULL || in->p[0] == 0;
	if (*bad)
		return false;
	*c = in->p[0];
	*in = bytes_cut(*in, 1, in->n);
	return true;
}

/* The value up to an unescaped ',' or '+', escapes undone, without unescaped blanks at its end. */
static bool take_value(struct bytes *in, struct buf *out)
{
	bool escaped, bad = false;
	size_t keep = 0;
	uint8_t c;

	skip_blanks(in);
	while (ava_next_char(in, &c, &escaped, &bad)) {
		buf_add_byte(out, c);
		if (escaped || c != ' ')
			keep = out->n;
	}
	buf_cut(out, keep);
	return !bad;
}

static bool all_in(struct bytes text, uint8_t tag)
{
	static const char printable[] = " '()+,-./:=?";

	for (size_t i = 0; i < text.n; i++) {
		uint8_t c = text.p[i];
		bool alnum = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');

		if (tag == DER_IA5 ? c >= 0x80 : !alnum && (c == 0 || strchr(printable, c) == NULL))
			return false;
	}
	return true;
}

static size_t characters(struct bytes utf8)
{
	size_t n = 0;

	for (size_t i = 0; i < utf8.n; i++)
		n += (utf8.p[i] & 0xc0) != 0x80;
	return n;
}

enum err ava_value_write(const struct ava_type *type, struct bytes text, struct buf *out, struct why *why)
{
	uint8_t tag = type == NULL ? DER_UTF8 : type->tag;
	const char *keyword = type == NULL ? "attribute" : type->keyword;
	struct buf tlv = {0}, check = {0};
	enum err err = ERR_OK;

	der_tlv(&tlv, tag, text);
	if (text.n == 0)
		err = fail(why, ERR_SUBJECT, "%s has no value", keyword);
	else if (!string_utf8(buf_bytes(&tlv), &check))
		err = fail(why, ERR_SUBJECT, "%s is not valid %s", keyword, tag == DER_UTF8 ? "UTF-8" : "ASCII");
	else if (tag != DER_UTF8 && !all_in(text, tag))
		err = fail(why, ERR_SUBJECT, "%s holds characters that are not allowed there", keyword);
	else if (type != NULL && characters(text) > type->max)
		err = fail(why, ERR_SUBJECT, "%s has %zu characters, %u are allowed", keyword, characters(text), type->max);
	else if (type != NULL && strcmp(type->keyword, "C") == 0 && text.n != 2)
		err = fail(why, ERR_SUBJECT, "C is a country code of two letters");
	else
		buf_add_bytes(out, buf_bytes(&tlv));
	buf_free(&tlv);
	buf_free(&check);
	return err;
}

/* "#0C0161": the value's TLV in hexadecimal. */
static enum err write_hex(struct bytes text, struct buf *out, struct why *why)
{
	struct buf digits = {0}, tlv = {0};
	struct tlv t;
	struct bytes rest;
	bool ok;

	buf_add_bytes(&digits, text);
	ok = hex_decode(&tlv, (char *)digits.p);
	rest = buf_bytes(&tlv);
	ok = ok && der_next(&rest, &t) && rest.n == 0;
	if (ok)
		buf_add_bytes(out, buf_bytes(&tlv));
	buf_free(&digits);
	buf_free(&tlv);
	return ok ? ERR_OK : fail(why, ERR_SUBJECT, "'#' begins a value in hexadecimal, which must be one DER encoding");
}

enum err ava_type_write(struct bytes name, const struct ava_type **type, struct buf *out, struct why *why)
{
	struct buf text = {0};
	enum err err = ERR_OK;

	while (name.n > 0 && name.p[name.n - 1] == ' ')
		name.n--;
	*type = ava_type_by_keyword(name);
	buf_add_bytes(&text, name);
	if (*type != NULL)
		der_oid(out, (*type)->oid);
	else if (!der_oid_try(out, (char *)text.p))
		err = fail(why, ERR_SUBJECT, "unknown attribute type '%.40s': CN, O, OU, C, ... or a dotted OID", (char *)text.p);
	buf_free(&text);
	return err;
}

static enum err take_ava(struct bytes *in, struct buf *out, struct why *why)
{
	const uint8_t *equals;
	const struct ava_type *type;
	struct buf value = {0};
	size_t at = der_open(out);
	enum err err;
	bool hex;

	skip_blanks(in);
	equals = in->n == 0 ? NULL : memchr(in->p, '=', in->n);
	if (equals == NULL)
		return fail(why, ERR_SUBJECT, "a name is written like 'CN=device,O=Example'");
	err = ava_type_write(bytes_cut(*in, 0, (size_t)(equals - in->p)), &type, out, why);
	if (err != ERR_OK)
		return err;
	*in = bytes_cut(*in, (size_t)(equals - in->p) + 1, in->n);
	skip_blanks(in);
	hex = in->n > 0 && in->p[0] == '#';
	if (!take_value(in, &value))
		err = fail(why, ERR_SUBJECT, "a name has a bad escape, or one of \" ; < > without '\\' before it");
	else if (hex)
		err = write_hex(bytes_cut(buf_bytes(&value), 1, value.n), out, why);
	else
		err = ava_value_write(type, buf_bytes(&value), out, why);
	buf_free(&value);
	der_close(out, at, DER_SEQUENCE);
	return err;
}

/* "A=x" or "A=x+B=y", up to ',' or the end. Appends the SET. */
static enum err take_rdn(struct bytes *in, struct buf *out, struct why *why)
{
	size_t at = der_open(out);
	enum err err = take_ava(in, out, why);

	for (int n = 1; err == ERR_OK && in->n > 0 && in->p[0] == '+'; n++) {
		if (n == NAME_MAX_RDNS)
			return fail(why, ERR_SUBJECT, "one part of a name has more than %d attributes", NAME_MAX_RDNS);
		*in = bytes_cut(*in, 1, in->n);
		err = take_ava(in, out, why);
	}
	der_close_set_of(out, at, DER_SET);
	return err;
}

enum err name_parse(const char *text, struct buf *der, struct why *why)
{
	struct bytes in = bytes_str(text);
	struct buf name = {0}, rdn = {0};
	enum err err = ERR_OK;
	size_t n = 0;

	skip_blanks(&in);
	while (err == ERR_OK && in.n > 0) {
		buf_cut(&rdn, 0);
		if (n++ == NAME_MAX_RDNS)
			err = fail(why, ERR_SUBJECT, "a name has more than %d parts", NAME_MAX_RDNS);
		else
			err = take_rdn(&in, &rdn, why);
		/* the text begins with the most specific part, the encoding ends with it */
		if (err == ERR_OK)
			buf_insert(&name, 0, rdn.p, rdn.n);
		if (err == ERR_OK && in.n > 0) {
			in = bytes_cut(in, 1, in.n);
			if (in.n == 0)
				err = fail(why, ERR_SUBJECT, "a name ends with ','");
		}
	}
	if (err == ERR_OK)
		der_tlv(der, DER_SEQUENCE, buf_bytes(&name));
	buf_free(&name);
	buf_free(&rdn);
	return err;
}
