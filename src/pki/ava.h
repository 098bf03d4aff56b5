/* What Names are made of: the walk over RDNs and AttributeTypeAndValues, and the attribute types that have a keyword. */
#ifndef PKI_AVA_H
#define PKI_AVA_H

#include "base/buf.h"
#include "base/err.h"

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

/* --- from text: nametext.c ---------------------------------------------------------------------------------------- */

/* The attribute type before '=': keyword or dotted OID. Appends the OID's TLV; *type is NULL for one without a keyword. Error: SUBJECT. */
enum err ava_type_write(struct bytes name, const struct ava_type **type, struct buf *out, struct why *why);
/* Appends the value's TLV, when it is as long and of such characters as its type allows. type NULL: a UTF8String. Error: SUBJECT. */
enum err ava_value_write(const struct ava_type *type, struct bytes text, struct buf *out, struct why *why);
/* One character of a value, or "\," "\2C" as one octet. False at the value's end (',' or '+') and on a bad escape (then *bad). */
bool ava_next_char(struct bytes *in, uint8_t *c, bool *escaped, bool *bad);

#endif
