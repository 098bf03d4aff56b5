/*
 * The guard before libtasn1: one linear, iterative walk over a BER message that bounds what a decoder would have to do. libtasn1
 * needs quadratic time (900 KB of attributes: 21 s), so nothing reaches it that has not passed here (P-59, P-176, P-191).
 */
#ifndef PKI_BER_H
#define PKI_BER_H

#include "base/buf.h"
#include "base/err.h"

#define BER_MAX_DEPTH 24	/* elements inside one another */
#define BER_MAX_ELEMENTS 8192	/* in all: a 4 MiB message in 1,000-octet segments has half as many */
#define BER_MAX_OID 128		/* octets of an object identifier: libtasn1 needs 20 ns for each, and the longest met has 20 */
#define BER_MAX_MEMBERS 32	/* of a SET or a context-specific tag, segments of a string excepted */

struct ber_element {
	struct bytes raw;	/* the first element of the input, with tag, length and end-of-contents */
	size_t visited;		/* elements looked at: the work done, also when the input is refused */
};

/*
 * Walks the first element of `in`, which has to be constructed. Definite and indefinite lengths, minimal or not, are accepted.
 * After it only zero octets, CR and LF may come (P-187). `out` is filled on failure too, for `visited`. Error: SYNTAX.
 */
enum err ber_check(struct bytes in, struct ber_element *out, struct why *why);

/*
 * Appends the contents of the OCTET STRING that `in` is, segments joined. tag: DER_OCTET_STRING, or the context-specific one that
 * stands in its place (0x80 for [0]). False, with `out` untouched: something else, or nested too deep.
 */
bool ber_octets(struct bytes in, uint8_t tag, struct buf *out);

#endif
