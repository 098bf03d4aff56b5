/* DER: a writer that appends to a buffer, and a cursor that reads strict definite-length DER without copying. */
#ifndef PKI_DER_H
#define PKI_DER_H

#include <time.h>

#include "base/buf.h"

enum der_tag {
	DER_BOOLEAN = 0x01, DER_INTEGER = 0x02, DER_BIT_STRING = 0x03, DER_OCTET_STRING = 0x04, DER_NULL = 0x05,
	DER_OID = 0x06, DER_ENUMERATED = 0x0a, DER_UTF8 = 0x0c, DER_NUMERIC = 0x12, DER_PRINTABLE = 0x13, DER_TELETEX = 0x14, DER_IA5 = 0x16, DER_UTC_TIME = 0x17,
	DER_GENERALIZED_TIME = 0x18, DER_VISIBLE = 0x1a, DER_UNIVERSAL = 0x1c, DER_BMP = 0x1e, DER_SEQUENCE = 0x30, DER_SET = 0x31
};
#define DER_CTX(n) (0xa0 | (n))		/* context-specific, constructed */
#define DER_CTX_PRIM(n) (0x80 | (n))	/* context-specific, primitive */

/*
 * Writing. Constructed values: `at = der_open(b)`, append the children, `der_close(b, at, tag)`, which puts tag and length
 * before them.
 */
size_t der_open(const struct buf *b);
void der_close(struct buf *b, size_t at, uint8_t tag);
void der_close_set_of(struct buf *b, size_t at, uint8_t tag);	/* sorts the children first: X.690, 11.6 */

void der_tlv(struct buf *b, uint8_t tag, struct bytes content);
void der_str(struct buf *b, uint8_t tag, const char *s);
void der_int(struct buf *b, long v);
void der_uint(struct buf *b, struct bytes magnitude);	/* big-endian, made minimal and positive */
void der_oid(struct buf *b, const char *dotted);	/* aborts on a malformed constant */
bool der_oid_try(struct buf *b, const char *dotted);	/* the same for text from outside; false (nothing appended): malformed */
void der_null(struct buf *b);
void der_bool(struct buf *b, bool v);
void der_bits(struct buf *b, struct bytes octets);	/* BIT STRING with no unused bits */
void der_named_bits(struct buf *b, unsigned bits, unsigned n);	/* bit i of `bits` is named bit i (i < n <= 16); minimal */
void der_time(struct buf *b, time_t t);			/* UTCTime until 2049, GeneralizedTime after: RFC 5280, 4.1.2.5 */
void der_algorithm(struct buf *b, const char *oid, bool null_parameters);	/* AlgorithmIdentifier */

/* Reading. */
struct tlv {
	uint8_t tag;		/* one octet; high tag numbers are refused */
	struct bytes body;	/* contents */
	struct bytes raw;	/* with tag and length */
};

/* Takes the first TLV off `in`. False (both untouched): empty, cut, indefinite, non-minimal length or high tag number. */
bool der_next(struct bytes *in, struct tlv *out);
/* The same, and the tag must be `tag`. */
bool der_expect(struct bytes *in, uint8_t tag, struct tlv *out);
/* True when the whole of `in` is one TLV of that tag. */
bool der_whole(struct bytes in, uint8_t tag, struct tlv *out);

/* Dotted text of the content octets of an OID; false when malformed or longer than `size`. */
bool der_oid_text(struct bytes body, char *out, size_t size);
bool der_oid_is(struct bytes body, const char *dotted);
bool der_time_read(const struct tlv *t, time_t *out);	/* UTCTime or GeneralizedTime as RFC 5280 has them */

#endif
