/* What Names are made of: the walk over RDNs and AttributeTypeAndValues, and the attribute types that have a keyword. */
#ifndef PKI_AVA_H
#define PKI_AVA_H

#include "base/buf.h"

struct ava {
	struct bytes oid;	/* contents octets */
	struct bytes value;	/* TLV */
};

struct ava_type {
	const char *keyword;	/* "CN" */
	const char *oid;
	uint8_t tag;		/* string type that we write */
	unsigned max;		/* characters, RFC 5280, appendix A.1 */
};

/* The contents of a Name's SEQUENCE; false when it is not one. */
bool name_contents(struct bytes name, struct bytes *rdns);
/* Takes the next RDN's contents, then its next attribute. False: none left, or malformed (then rest->n > 0). */
bool rdn_next(struct bytes *rest, struct bytes *avas);
bool ava_next(struct bytes *rest, struct ava *out);

const struct ava_type *ava_type_by_oid(struct bytes oid);	/* NULL: unknown */
const struct ava_type *ava_type_by_keyword(struct bytes keyword);	/* case does not matter; NULL: unknown */

#endif
