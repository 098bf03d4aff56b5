/* SubjectPublicKeyInfo taken apart on the encoding: what a key is and how big, before any library does arithmetic with it. */
#ifndef PKI_SPKI_H
#define PKI_SPKI_H

#include "base/buf.h"
#include "base/err.h"
#include "pki/key.h"

/* Views into the encoding. */
struct spki_view {
	struct key_kind kind;
	struct bytes key_bits;			/* contents of the BIT STRING, without the octet that counts unused bits */
	struct bytes modulus, exponent;		/* RSA: magnitudes without leading zeros */
};

/*
 * Reads one SubjectPublicKeyInfo (strict DER). An unknown algorithm gives KEY_OTHER, an unknown curve
 * GNUTLS_ECC_CURVE_INVALID: both are no error here. Error: SYNTAX.
 */
enum err spki_read(struct bytes spki, struct spki_view *out, struct why *why);

#endif
