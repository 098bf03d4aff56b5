#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

struct bytes bytes_str(const char *s)
{
	return bytes_of(s, s == NULL ? 0 : strlen(s));
}

bool bytes_eq(struct bytes a, struct bytes b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

bool bytes_eq_str(struct bytes a, const char *s)
{
	return bytes_eq(a, bytes_str(s));
}

struct bytes bytes_cut(struct bytes b, size_t from, size_t n)
{
	if (from > b.n)
		from = b.n;
	if (n > b.n - from)
		n = b.n - from;
	return bytes_of(b.p == NULL ? NULL : b.p + from, n);
}

static void reserve(struct buf *b, size_t more)
{
	size_t size = b->size ? b->size : 256;

	if (more > BUF_MAX - b->n) {
		fputs("buffer over its cap\n", stderr);
		abort();
	}
	while (size < b->n + more + 1)
		size *= 2;
	if (size != b->size) {
		b->p = mem_resize(b->p, size);
		b->size = size;
	}
}

uint8_t *buf_grow(struct buf *b, size_t n)
{
	uint8_t *p;

	reserve(b, n);
	p = b->p + b->n;
	memset(p, 0, n + 1);
	b->n += n;
	return p;
}

void buf_add(struct buf *b, const void *p, size_t n)
{
	reserve(b, n);
	if (n > 0)
		memcpy(b->p + b->n, p, n);
	b->n += n;
	b->p[b->n] = '\0';
}

void buf_add_bytes(struct buf *b, struct bytes v)
{
	buf_add(b, v.p, v.n);
}

void buf_add_byte(struct buf *b, uint8_t c)
{
	buf_add(b, &c, 1);
}

void buf_add_str(struct buf *b, const char *s)
{
	buf_add(b, s, strlen(s));
}

void buf_printf(struct buf *b, const char *fmt, ...)
{
	va_list ap, again;
	int n;

	va_start(ap, fmt);
	va_copy(again, ap);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n > 0) {
		reserve(b, (size_t)n);
		vsnprintf((char *)b->p + b->n, (size_t)n + 1, fmt, again);
		b->n += (size_t)n;
	}
	va_end(again);
}

void buf_insert(struct buf *b, size_t at, const void *p, size_t n)
{
	reserve(b, n);
	memmove(b->p + at + n, b->p + at, b->n - at);
	if (n > 0)
		memcpy(b->p + at, p, n);
	b->n += n;
	b->p[b->n] = '\0';
}

void buf_cut(struct buf *b, size_t n)
{
	if (n < b->n) {
		b->n = n;
		b->p[n] = '\0';
	}
}

char *buf_take_str(struct buf *b)
{
	char *s;

	reserve(b, 0);
	b->p[b->n] = '\0';
	s = (char *)b->p;
	*b = (struct buf){0};
	return s;
}

void buf_free(struct buf *b)
{
	if (b == NULL)
		return;
	free(b->p);
	*b = (struct buf){0};
}

void buf_wipe(struct buf *b)
{
	if (b == NULL)
		return;
	mem_wipe(b->p, b->size);
	buf_free(b);
}
