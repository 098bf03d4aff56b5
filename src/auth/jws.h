/*
 * JSON Web Signatures in compact form (RFC 7515), as a signed challenge is one. Debian's libraries for it (libjwt on jansson, libjose and
 * libcjose on OpenSSL) would each bring a second JSON reader or a second crypto library and take in more than is wanted here: two algorithms, one
 * form. So it is read here, with json-c and the signature checks of pki/.
 */
#ifndef AUTH_JWS_H
#define AUTH_JWS_H

#include "base/buf.h"
#include "base/err.h"

#define JWS_MAX ((size_t)16 << 10)	/* octets of a token */

enum jws_alg { JWS_RS256, JWS_ES256 };	/* RFC 7518, 3.3 and 3.4 */

struct jws {
	enum jws_alg alg;
	struct bytes signed_part;	/* header and payload as received: a view into the token */
	struct buf payload;		/* nothing in it is to be believed before the signature is found right */
	struct buf signature;		/* as pubkey_verify wants it: ECDSA in DER, whichever form it came in */
};

/* Is it meant to be one? Longer than 200 octets, and exactly two dots. */
bool jws_looks_like(struct bytes text);

/*
 * Takes a token apart; verifies nothing. Errors: SIGNED_FORM (segments, base64url, header), SIGNED_SIG (an algorithm other than those two,
 * a signature that cannot be one).
 */
enum err jws_read(struct bytes token, struct jws *out, struct why *why);
void jws_free(struct jws *j);

#endif
