/* Names as they are: looked into and compared, never re-encoded. Text is in nametext.c, subjectAltName in san.c. */
#include "pki/name.h"

#include "pki/ava.h"
#include "pki/der.h"

bool name_is_empty(struct bytes name)
{
	struct bytes rdns;

	return name_contents(name, &rdns) && rdns.n == 0;
}

static bool is_text(struct bytes value)
{
	struct buf text = {0};
	struct bytes in = value;
	struct tlv t;
	bool ok = der_next(&in, &t) && (t.tag & 0xc0) == 0 && t.body.n > 0;

	switch (ok ? t.tag : 0) {
	case DER_UTF8:
	case DER_PRINTABLE:
	case DER_TELETEX:
	case DER_IA5:
	case DER_UNIVERSAL:
	case DER_BMP:
		ok = string_utf8(value, &text);
	}
	buf_free(&text);
	return ok;
}

bool name_is_text(struct bytes name)
{
	struct bytes rdns, avas;
	struct ava ava;
	char dotted[300];	/* as in name_text */

	if (!name_contents(name, &rdns))
		return false;
	while (rdn_next(&rdns, &avas)) {
		while (ava_next(&avas, &ava)) {
			if (!is_text(ava.value) || !der_oid_text(ava.oid, dotted, sizeof(dotted)))
				return false;
		}
		if (avas.n > 0)
			return false;
	}
	return rdns.n == 0;
}

/*
 * Longer names are compared by their bytes only and have no attributes: a message may hold many of them, and 1 MiB compared 16 times
 * took 28 ms before anything was known about its sender.
 */
#define LOOK_MAX 4096

/* How many values of `oid` there are, and the first of them. */
static size_t count_attr(struct bytes name, const char *oid, struct bytes *first)
{
	struct bytes rdns, avas;
	struct ava ava;
	size_t n = 0;

	if (name.n > LOOK_MAX || !name_contents(name, &rdns))
		return 0;
	while (rdn_next(&rdns, &avas)) {
		while (ava_next(&avas, &ava)) {
			if (der_oid_is(ava.oid, oid) && n++ == 0)
				*first = ava.value;
		}
	}
	return n;
}

bool name_attr(struct bytes name, const char *oid, struct buf *out)
{
	struct bytes value;

	return count_attr(name, oid, &value) > 0 && string_utf8(value, out);
}

bool name_attr_only(struct bytes name, const char *oid, struct buf *out)
{
	struct bytes value;

	return count_attr(name, oid, &value) == 1 && string_utf8(value, out);
}

static uint8_t lower(uint8_t c)
{
	return c >= 'A' && c <= 'Z' ? (uint8_t)(c + ('a' - 'A')) : c;
}

static bool same_text(struct bytes a, struct bytes b)
{
	struct buf x = {0}, y = {0};
	bool same = string_utf8(a, &x) && string_utf8(b, &y) && x.n == y.n;

	for (size_t i = 0; same && i < x.n; i++)
		same = lower(x.p[i]) == lower(y.p[i]);
	buf_free(&x);
	buf_free(&y);
	return same;
}

static bool same_rdn(struct bytes a, struct bytes b)
{
	struct ava x, y;

	while (a.n > 0 && b.n > 0) {
		if (!ava_next(&a, &x) || !ava_next(&b, &y) || !bytes_eq(x.oid, y.oid))
			return false;
		if (!bytes_eq(x.value, y.value) && !same_text(x.value, y.value))
			return false;
	}
	return a.n == 0 && b.n == 0;
}

bool name_eq(struct bytes a, struct bytes b)
{
	struct bytes x, y, p, q;

	if (bytes_eq(a, b))
		return true;
	if (a.n > LOOK_MAX || b.n > LOOK_MAX)
		return false;
	if (!name_contents(a, &x) || !name_contents(b, &y))
		return false;
	while (x.n > 0 && y.n > 0) {
		if (!rdn_next(&x, &p) || !rdn_next(&y, &q) || !same_rdn(p, q))
			return false;
	}
	return x.n == 0 && y.n == 0;
}
