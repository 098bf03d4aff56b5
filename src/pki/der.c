#include "pki/der.h"

#include <libtasn1.h>
#include <stdlib.h>
#include <string.h>

size_t der_open(const struct buf *b)
{
	return b->n;
}

static size_t header(uint8_t out[6], uint8_t tag, size_t n)
{
	size_t k = 0, octets = 0;

	out[k++] = tag;
	if (n < 0x80) {
		out[k++] = (uint8_t)n;
		return k;
	}
	while (octets < 4 && n >> (8 * octets) != 0)
		octets++;
	out[k++] = (uint8_t)(0x80 | octets);
	while (octets-- > 0)
		out[k++] = (uint8_t)(n >> (8 * octets));
	return k;
}

void der_close(struct buf *b, size_t at, uint8_t tag)
{
	uint8_t h[6];

	buf_insert(b, at, h, header(h, tag, b->n - at));
}

/* X.690, 11.6: ascending as octet strings, a shorter one padded with zeros. */
static int by_encoding(const void *x, const void *y)
{
	const struct bytes *a = x, *b = y;
	size_t n = a->n < b->n ? a->n : b->n;
	int c = memcmp(a->p, b->p, n);

	return c != 0 ? c : (a->n > b->n) - (a->n < b->n);
}

void der_close_set_of(struct buf *b, size_t at, uint8_t tag)
{
	struct bytes in = bytes_cut(buf_bytes(b), at, b->n), list[64];
	struct buf sorted = {0};
	struct tlv t;
	size_t n = 0;

	while (n < sizeof(list) / sizeof(list[0]) && der_next(&in, &t))
		list[n++] = t.raw;
	if (in.n != 0)
		abort();	/* only our own small sets come here */
	qsort(list, n, sizeof(list[0]), by_encoding);
	for (size_t i = 0; i < n; i++)
		buf_add_bytes(&sorted, list[i]);
	if (sorted.n > 0)
		memcpy(b->p + at, sorted.p, sorted.n);
	buf_free(&sorted);
	der_close(b, at, tag);
}

void der_tlv(struct buf *b, uint8_t tag, struct bytes content)
{
	uint8_t h[6];

	buf_add(b, h, header(h, tag, content.n));
	buf_add_bytes(b, content);
}

void der_str(struct buf *b, uint8_t tag, const char *s)
{
	der_tlv(b, tag, bytes_str(s));
}

void der_int(struct buf *b, long v)
{
	uint8_t o[sizeof(v) + 1];
	size_t n = sizeof(v);

	for (size_t i = 0; i < n; i++)
		o[n - 1 - i] = (uint8_t)((unsigned long)v >> (8 * i));
	size_t skip = 0;
	while (skip < n - 1 && ((o[skip] == 0 && o[skip + 1] < 0x80) || (o[skip] == 0xff && o[skip + 1] >= 0x80)))
		skip++;
	der_tlv(b, DER_INTEGER, bytes_of(o + skip, n - skip));
}

void der_uint(struct buf *b, struct bytes m)
{
	size_t at = der_open(b);

	while (m.n > 0 && m.p[0] == 0)
		m = bytes_cut(m, 1, m.n);
	if (m.n == 0 || m.p[0] >= 0x80)
		buf_add_byte(b, 0);
	buf_add_bytes(b, m);
	der_close(b, at, DER_INTEGER);
}

void der_oid(struct buf *b, const char *dotted)
{
	uint8_t tlv[64];
	int n = sizeof(tlv);

	if (asn1_object_id_der(dotted, tlv, &n, 0) != ASN1_SUCCESS)
		abort();
	buf_add(b, tlv, (size_t)n);
}

/* The library takes much for an OID ("1.2x", arcs too large): what does not come back as it went in is none. */
bool der_oid_try(struct buf *b, const char *dotted)
{
	uint8_t tlv[64];
	char back[256];
	int n = sizeof(tlv);

	if (asn1_object_id_der(dotted, tlv, &n, 0) != ASN1_SUCCESS || n < 3 ||
	    !der_oid_text(bytes_of(tlv + 2, (size_t)n - 2), back, sizeof(back)) || strcmp(back, dotted) != 0)
		return false;
	buf_add(b, tlv, (size_t)n);
	return true;
}

void der_null(struct buf *b)
{
	der_tlv(b, DER_NULL, (struct bytes){0});
}

void der_bool(struct buf *b, bool v)
{
	uint8_t o = v ? 0xff : 0x00;

	der_tlv(b, DER_BOOLEAN, bytes_of(&o, 1));
}

void der_bits(struct buf *b, struct bytes octets)
{
	size_t at = der_open(b);

	buf_add_byte(b, 0);
	buf_add_bytes(b, octets);
	der_close(b, at, DER_BIT_STRING);
}

void der_named_bits(struct buf *b, unsigned bits, unsigned n)
{
	uint8_t o[3] = {0};
	unsigned used = 0;

	for (unsigned i = 0; i < n && i < 16; i++) {
		if (bits >> i & 1) {
			o[1 + i / 8] |= (uint8_t)(0x80 >> i % 8);
			used = i + 1;
		}
	}
	o[0] = (uint8_t)((8 - used % 8) % 8);
	der_tlv(b, DER_BIT_STRING, bytes_of(o, 1 + (used + 7) / 8));
}

void der_time(struct buf *b, time_t t)
{
	struct tm tm;
	char text[32];

	if (gmtime_r(&t, &tm) == NULL)
		abort();
	bool utc = tm.tm_year >= 50 && tm.tm_year < 150;
	strftime(text, sizeof(text), "%Y%m%d%H%M%SZ", &tm);
	der_str(b, utc ? DER_UTC_TIME : DER_GENERALIZED_TIME, text + (utc ? 2 : 0));
}

void der_algorithm(struct buf *b, const char *oid, bool null_parameters)
{
	size_t at = der_open(b);

	der_oid(b, oid);
	if (null_parameters)
		der_null(b);
	der_close(b, at, DER_SEQUENCE);
}

/* Length octets at in[1]: minimal, definite, at most four octets of length. */
static bool read_length(struct bytes in, size_t *head, size_t *n)
{
	size_t octets = in.p[1] & 0x7f, v = 0;

	if (in.p[1] < 0x80) {
		*head = 2;
		*n = in.p[1];
		return true;
	}
	if (octets == 0 || octets > 4 || in.n < 2 + octets)
		return false;
	for (size_t i = 0; i < octets; i++)
		v = v << 8 | in.p[2 + i];
	if (v < 0x80 || in.p[2] == 0)
		return false;
	*head = 2 + octets;
	*n = v;
	return true;
}

bool der_next(struct bytes *in, struct tlv *out)
{
	size_t head, n;

	if (in->n < 2 || (in->p[0] & 0x1f) == 0x1f || !read_length(*in, &head, &n) || n > in->n - head)
		return false;
	out->tag = in->p[0];
	out->body = bytes_of(in->p + head, n);
	out->raw = bytes_of(in->p, head + n);
	*in = bytes_of(in->p + head + n, in->n - head - n);
	return true;
}

bool der_expect(struct bytes *in, uint8_t tag, struct tlv *out)
{
	return in->n > 0 && in->p[0] == tag && der_next(in, out);
}

bool der_whole(struct bytes in, uint8_t tag, struct tlv *out)
{
	return der_expect(&in, tag, out) && in.n == 0;
}

/* X.690, 8.19.2: every arc ends, and none begins with a padding octet. The library looks at neither. */
static bool arcs_are_whole(struct bytes body)
{
	bool first = true;

	for (size_t i = 0; i < body.n; i++) {
		if (first && body.p[i] == 0x80)
			return false;
		first = body.p[i] < 0x80;
	}
	return first;
}

bool der_oid_text(struct bytes body, char *out, size_t size)
{
	struct buf tlv = {0};
	int rest;
	bool ok;

	if (body.n == 0 || body.n > 64 || !arcs_are_whole(body))
		return false;
	der_tlv(&tlv, DER_OID, body);
	ok = asn1_get_object_id_der(tlv.p + 1, (int)tlv.n - 1, &rest, out, (int)size) == ASN1_SUCCESS;
	buf_free(&tlv);
	return ok;
}

bool der_oid_is(struct bytes body, const char *dotted)
{
	uint8_t tlv[64];
	int n = sizeof(tlv);

	return asn1_object_id_der(dotted, tlv, &n, 0) == ASN1_SUCCESS && body.n == (size_t)n - 2 &&
	    memcmp(body.p, tlv + 2, body.n) == 0;
}

static bool digits(struct bytes b)
{
	for (size_t i = 0; i < b.n; i++) {
		if (b.p[i] < '0' || b.p[i] > '9')
			return false;
	}
	return true;
}

static int two(const uint8_t *p)
{
	return (p[0] - '0') * 10 + (p[1] - '0');
}

bool der_time_read(const struct tlv *t, time_t *out)
{
	struct bytes b = t->body;
	size_t year = t->tag == DER_UTC_TIME ? 2 : 4;
	struct tm tm = {0}, check;

	if ((t->tag != DER_UTC_TIME && t->tag != DER_GENERALIZED_TIME) || b.n != year + 11 || b.p[b.n - 1] != 'Z' ||
	    !digits(bytes_cut(b, 0, b.n - 1)))
		return false;
	if (year == 2)
		tm.tm_year = two(b.p) < 50 ? two(b.p) + 100 : two(b.p);
	else
		tm.tm_year = two(b.p) * 100 + two(b.p + 2) - 1900;
	tm.tm_mon = two(b.p + year) - 1;
	tm.tm_mday = two(b.p + year + 2);
	tm.tm_hour = two(b.p + year + 4);
	tm.tm_min = two(b.p + year + 6);
	tm.tm_sec = two(b.p + year + 8);
	check = tm;
	*out = timegm(&check);
	return check.tm_mon == tm.tm_mon && check.tm_mday == tm.tm_mday && check.tm_hour == tm.tm_hour &&
	    check.tm_min == tm.tm_min && check.tm_sec == tm.tm_sec;
}
