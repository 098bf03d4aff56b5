/* Bytes: a borrowed view, and a growing buffer with a hard cap. */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A borrowed view: whoever made it says how long it lives. */
struct bytes {
	const uint8_t *p;
	size_t n;
};

/* A growing buffer; {0} is a valid empty one. p is owned. It always has room for a NUL at p[n], and it is there. */
struct buf {
	uint8_t *p;
	size_t n;	/* bytes in use */
	size_t size;	/* bytes allocated */
};

#define BUF_MAX ((size_t)64 << 20)	/* no buffer grows past this: passing it ends the process like exhaustion */

#define BYTES_LIT(s) ((struct bytes){(const uint8_t *)(s), sizeof(s) - 1})

static inline struct bytes bytes_of(const void *p, size_t n)
{
	return (struct bytes){p, n};
}

struct bytes bytes_str(const char *s);			/* of a C string, without its NUL; NULL gives {NULL, 0} */
bool bytes_eq(struct bytes a, struct bytes b);		/* not constant time */
bool bytes_eq_str(struct bytes a, const char *s);
struct bytes bytes_cut(struct bytes b, size_t from, size_t n);	/* clamped to b */

void buf_add(struct buf *b, const void *p, size_t n);
void buf_add_bytes(struct buf *b, struct bytes v);
void buf_add_byte(struct buf *b, uint8_t c);
void buf_add_str(struct buf *b, const char *s);
void buf_printf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void buf_insert(struct buf *b, size_t at, const void *p, size_t n);	/* at <= b->n */
uint8_t *buf_grow(struct buf *b, size_t n);		/* n more bytes, zeroed, counted in b->n; returns their start */
void buf_cut(struct buf *b, size_t n);			/* shortens to n bytes */
static inline struct bytes buf_bytes(const struct buf *b)
{
	return (struct bytes){b->p, b->n};
}

/* The buffer as a C string that lives as long as its bytes do; "" when it is empty. */
static inline const char *buf_str(const struct buf *b)
{
	return b->p == NULL ? "" : (const char *)b->p;
}

/* The buffer's bytes as a C string that the caller frees; the buffer is empty afterwards. */
char *buf_take_str(struct buf *b);

void buf_free(struct buf *b);		/* frees and zeroes the struct; NULL is allowed */
void buf_wipe(struct buf *b);		/* the same, overwriting the bytes first */

#endif
