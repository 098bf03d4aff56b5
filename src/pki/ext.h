/* Extensions of certificates and CRLs (RFC 5280, 4.2): the walk over them, and the frame of one that is written. */
#ifndef PKI_EXT_H
#define PKI_EXT_H

#include "base/buf.h"

struct extension {
	struct bytes oid;	/* contents octets */
	struct bytes value;	/* contents of extnValue */
	bool critical;
};

/* Takes the next one off the contents of an Extensions SEQUENCE. False: none left, or malformed (then rest->n > 0). */
bool extension_next(struct bytes *rest, struct extension *out);
/* The one called `oid`; false: not there. */
bool extension_find(struct bytes extensions, const char *oid, struct extension *out);

/* Open places in a buffer: extension_open, append the value, extension_close. */
struct extension_at {
	size_t seq, value;
};

struct extension_at extension_open(struct buf *b, const char *oid, bool critical);
void extension_close(struct buf *b, struct extension_at at);

/* authorityKeyIdentifier with the issuer's subjectKeyIdentifier; nothing when that is empty. */
void extension_authority_key_id(struct buf *b, struct bytes skid);

#endif
