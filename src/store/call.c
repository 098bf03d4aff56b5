#include "store/call.h"

#include <stdlib.h>

#include "base/mem.h"

#define PG_EPOCH INT64_C(946684800)	/* timestamptz counts microseconds from 2000-01-01 */

static struct call_param *next_param(struct call *c)
{
	if (c->n == CALL_PARAMS)
		abort();
	return &c->params[c->n++];
}

static void add_own(struct call *c, const void *p, size_t n)
{
	*next_param(c) = (struct call_param){NULL, c->own.n, (int)n};
	buf_add(&c->own, p, n);
}

static void add_null(struct call *c)
{
	*next_param(c) = (struct call_param){NULL, 0, -1};
}

static void put_be(uint8_t *out, size_t n, uint64_t v)
{
	while (n-- > 0) {
		out[n] = (uint8_t)v;
		v >>= 8;
	}
}

static uint64_t get_be(const uint8_t *p, size_t n)
{
	uint64_t v = 0;

	while (n-- > 0)
		v = v << 8 | *p++;
	return v;
}

void call_uuid(struct call *c, const uint8_t *uuid)
{
	if (uuid == NULL)
		add_null(c);
	else
		*next_param(c) = (struct call_param){uuid, 0, 16};
}

void call_bytes(struct call *c, struct bytes v)
{
	*next_param(c) = (struct call_param){v.p != NULL ? v.p : (const uint8_t *)"", 0, (int)v.n};
}

void call_own(struct call *c, struct bytes v)
{
	add_own(c, v.p, v.n);
}

/* Length of the UTF-8 sequence at s (RFC 3629), or 0 when it is not one. PostgreSQL refuses text with anything else. */
static size_t utf8_length(const unsigned char *s)
{
	size_t i, n;

	if (s[0] < 0x80)
		return 1;
	n = s[0] >= 0xf0 ? 4 : s[0] >= 0xe0 ? 3 : 2;
	if (s[0] < 0xc2 || s[0] > 0xf4)
		return 0;
	for (i = 1; i < n; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	}
	if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f) || (s[0] == 0xf0 && s[1] < 0x90) ||
	    (s[0] == 0xf4 && s[1] > 0x8f))
		return 0;
	return n;
}

void call_clean(const char *text, struct buf *out)
{
	const unsigned char *s = (const unsigned char *)text;
	size_t n, at = out->n;

	while (*s != '\0') {
		n = utf8_length(s);
		if (out->n - at + n > CALL_TEXT_MAX)
			break;
		if (n == 0 || *s < 0x20 || *s == 0x7f) {
			buf_add_byte(out, '?');
			n = 1;
		} else {
			buf_add(out, s, n);
		}
		s += n;
	}
}

void call_text(struct call *c, const char *text)
{
	struct call_param *p = next_param(c);

	*p = (struct call_param){NULL, c->own.n, -1};
	if (text == NULL)
		return;
	call_clean(text, &c->own);
	p->n = (int)(c->own.n - p->at);
}

void call_no_int(struct call *c)
{
	add_null(c);
}

void call_int(struct call *c, int v)
{
	uint8_t be[4];

	put_be(be, sizeof(be), (uint32_t)v);
	add_own(c, be, sizeof(be));
}

void call_long(struct call *c, long v)
{
	uint8_t be[8];

	put_be(be, sizeof(be), (uint64_t)v);
	add_own(c, be, sizeof(be));
}

void call_bool(struct call *c, bool v)
{
	add_own(c, &(uint8_t){v}, 1);
}

void call_time(struct call *c, time_t v)
{
	uint8_t be[8];

	if (v == 0) {
		add_null(c);
		return;
	}
	put_be(be, sizeof(be), (uint64_t)(((int64_t)v - PG_EPOCH) * 1000000));
	add_own(c, be, sizeof(be));
}

void call_free(struct call *c)
{
	buf_free(&c->own);
	c->n = 0;
}

void call_pointers(const struct call *c, const char *values[CALL_PARAMS], int lengths[CALL_PARAMS], int formats[CALL_PARAMS])
{
	const struct call_param *p;
	int i;

	for (i = 0; i < c->n; i++) {
		p = &c->params[i];
		values[i] = NULL;
		if (p->n >= 0)
			values[i] = (const char *)(p->borrowed != NULL ? p->borrowed : c->own.p != NULL ? c->own.p + p->at : (const uint8_t *)"");
		lengths[i] = p->n > 0 ? p->n : 0;
		formats[i] = 1;
	}
}

static uint64_t column_be(const PGresult *r, int row, int column, int n)
{
	if (PQgetisnull(r, row, column) || PQgetlength(r, row, column) != n)
		return 0;
	return get_be((const uint8_t *)PQgetvalue(r, row, column), (size_t)n);
}

int row_int(const PGresult *r, int row, int column)
{
	return (int32_t)column_be(r, row, column, 4);
}

long row_long(const PGresult *r, int row, int column)
{
	return (long)(int64_t)column_be(r, row, column, 8);
}

bool row_bool(const PGresult *r, int row, int column)
{
	return column_be(r, row, column, 1) != 0;
}

time_t row_time(const PGresult *r, int row, int column)
{
	int64_t us;

	if (PQgetisnull(r, row, column))
		return 0;
	us = (int64_t)column_be(r, row, column, 8);
	return (time_t)(us / 1000000 - (us % 1000000 < 0) + PG_EPOCH);
}

char *row_str(const PGresult *r, int row, int column)
{
	return PQgetisnull(r, row, column) ? NULL : mem_strdup(PQgetvalue(r, row, column));
}

struct bytes row_bytes(const PGresult *r, int row, int column)
{
	return bytes_of(PQgetvalue(r, row, column), (size_t)PQgetlength(r, row, column));
}
