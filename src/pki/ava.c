#include "pki/ava.h"

#include <strings.h>

#include "pki/der.h"
#include "pki/oid.h"

/* The first row of an OID gives the keyword that we write; later ones are other spellings that we read. */
static const struct ava_type types[] = {
    {"CN", OID_CN, DER_UTF8, 64},
    {"C", "2.5.4.6", DER_PRINTABLE, 2},
    {"L", "2.5.4.7", DER_UTF8, 128},
    {"ST", "2.5.4.8", DER_UTF8, 128},
    {"STREET", "2.5.4.9", DER_UTF8, 128},
    {"O", OID_O, DER_UTF8, 64},
    {"OU", OID_OU, DER_UTF8, 64},
    {"DC", "0.9.2342.19200300.100.1.25", DER_IA5, 63},
    {"UID", OID_UID, DER_UTF8, 256},
    {"serialNumber", OID_SERIAL_NUMBER, DER_PRINTABLE, 64},
    {"emailAddress", OID_EMAIL_ADDRESS, DER_IA5, 255},
    {"E", OID_EMAIL_ADDRESS, DER_IA5, 255},
    {"EMAIL", OID_EMAIL_ADDRESS, DER_IA5, 255},
    {"unstructuredName", "1.2.840.113549.1.9.2", DER_IA5, 255},
    {"unstructuredAddress", "1.2.840.113549.1.9.8", DER_UTF8, 255},
    {"SN", "2.5.4.4", DER_UTF8, 64},
    {"surname", "2.5.4.4", DER_UTF8, 64},
    {"GN", "2.5.4.42", DER_UTF8, 64},
    {"givenName", "2.5.4.42", DER_UTF8, 64},
    {"name", "2.5.4.41", DER_UTF8, 64},
    {"initials", "2.5.4.43", DER_UTF8, 64},
    {"title", "2.5.4.12", DER_UTF8, 64},
    {"description", "2.5.4.13", DER_UTF8, 1024},
    {"postalCode", "2.5.4.17", DER_UTF8, 40},
    {"dnQualifier", "2.5.4.46", DER_PRINTABLE, 64},
    {"pseudonym", "2.5.4.65", DER_UTF8, 128},
};

bool name_contents(struct bytes name, struct bytes *rdns)
{
	struct tlv t;

	if (!der_whole(name, DER_SEQUENCE, &t))
		return false;
	*rdns = t.body;
	return true;
}

bool rdn_next(struct bytes *rest, struct bytes *avas)
{
	struct bytes in = *rest;
	struct tlv t;

	/* SET SIZE (1..MAX) */
	if (!der_expect(&in, DER_SET, &t) || t.body.n == 0)
		return false;
	*rest = in;
	*avas = t.body;
	return true;
}

bool ava_next(struct bytes *rest, struct ava *out)
{
	struct bytes in = *rest;
	struct tlv seq, oid, value;

	if (!der_expect(&in, DER_SEQUENCE, &seq) || !der_expect(&seq.body, DER_OID, &oid) || !der_next(&seq.body, &value) ||
	    seq.body.n != 0)
		return false;
	*rest = in;
	out->oid = oid.body;
	out->value = value.raw;
	return true;
}

const struct ava_type *ava_type_by_oid(struct bytes oid)
{
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		if (der_oid_is(oid, types[i].oid))
			return &types[i];
	}
	return NULL;
}

const struct ava_type *ava_type_by_keyword(struct bytes keyword)
{
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		struct bytes k = bytes_str(types[i].keyword);

		if (k.n == keyword.n && strncasecmp(types[i].keyword, (const char *)keyword.p, k.n) == 0)
			return &types[i];
	}
	return NULL;
}
