/* ASN.1 character strings as UTF-8. Declared in name.h. */
#include "pki/der.h"
#include "pki/name.h"

static bool add_utf8(struct buf *out, uint32_t c)
{
	if (c == 0 || c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
		return false;
	if (c < 0x80) {
		buf_add_byte(out, (uint8_t)c);
		return true;
	}
	if (c < 0x800) {
		buf_add_byte(out, (uint8_t)(0xc0 | c >> 6));
	} else {
		if (c < 0x10000) {
			buf_add_byte(out, (uint8_t)(0xe0 | c >> 12));
		} else {
			buf_add_byte(out, (uint8_t)(0xf0 | c >> 18));
			buf_add_byte(out, (uint8_t)(0x80 | (c >> 12 & 0x3f)));
		}
		buf_add_byte(out, (uint8_t)(0x80 | (c >> 6 & 0x3f)));
	}
	buf_add_byte(out, (uint8_t)(0x80 | (c & 0x3f)));
	return true;
}

/* Big-endian units of `size` octets. */
static uint32_t unit(struct bytes in, size_t at, size_t size)
{
	uint32_t c = 0;

	for (size_t i = 0; i < size; i++)
		c = c << 8 | in.p[at + i];
	return c;
}

/* ASCII, Latin-1 (limit 0x100) or UCS-4 (no limit but Unicode's). */
static bool from_units(struct bytes in, size_t size, uint32_t limit, struct buf *out)
{
	if (in.n % size != 0)
		return false;
	for (size_t at = 0; at < in.n; at += size) {
		uint32_t c = unit(in, at, size);

		if (c >= limit || !add_utf8(out, c))
			return false;
	}
	return true;
}

/* BMPString is UCS-2 by the letter; Windows puts UTF-16 with surrogate pairs into it. */
static bool from_utf16(struct bytes in, struct buf *out)
{
	if (in.n % 2 != 0)
		return false;
	for (size_t at = 0; at < in.n; at += 2) {
		uint32_t c = unit(in, at, 2);

		if (c >= 0xd800 && c < 0xdc00 && at + 4 <= in.n && (in.p[at + 2] & 0xfc) == 0xdc) {
			c = 0x10000 + ((c & 0x3ff) << 10) + (unit(in, at + 2, 2) & 0x3ff);
			at += 2;
		}
		if (!add_utf8(out, c))
			return false;
	}
	return true;
}

/* RFC 3629: copies while it decodes, so that whatever is not the shortest form comes out differently and is refused. */
static bool from_utf8(struct bytes in, struct buf *out)
{
	size_t at = 0, start = out->n;

	while (at < in.n) {
		uint8_t first = in.p[at];
		size_t more = first < 0x80 ? 0 : first < 0xe0 ? 1 : first < 0xf0 ? 2 : 3;
		uint32_t c = more == 0 ? first : first & (0x3fu >> more);

		if (in.n - at <= more || (first >= 0x80 && first < 0xc2) || first > 0xf4)
			return false;
		for (size_t i = 1; i <= more; i++) {
			if ((in.p[at + i] & 0xc0) != 0x80)
				return false;
			c = c << 6 | (in.p[at + i] & 0x3f);
		}
		if (!add_utf8(out, c))
			return false;
		at += more + 1;
		if (out->n - start != at)
			return false;
	}
	return true;
}

bool utf8_valid(struct bytes text)
{
	struct buf copy = {0};
	bool ok = from_utf8(text, &copy);

	buf_wipe(&copy);
	return ok;
}

bool string_utf8(struct bytes tlv, struct buf *out)
{
	struct tlv t;
	size_t start = out->n;
	bool ok;

	if (!der_next(&tlv, &t) || tlv.n != 0)
		return false;
	switch (t.tag) {
	case DER_UTF8:
		ok = from_utf8(t.body, out);
		break;
	case DER_NUMERIC:
	case DER_PRINTABLE:
	case DER_VISIBLE:
	case DER_IA5:
		ok = from_units(t.body, 1, 0x80, out);
		break;
	case DER_TELETEX:
		ok = from_units(t.body, 1, 0x100, out);
		break;
	case DER_BMP:
		ok = from_utf16(t.body, out);
		break;
	case DER_UNIVERSAL:
		ok = from_units(t.body, 4, UINT32_MAX, out);
		break;
	default:
		ok = false;
	}
	if (!ok)
		buf_cut(out, start);
	return ok;
}
