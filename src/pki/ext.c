#include "pki/ext.h"

#include "pki/der.h"
#include "pki/oid.h"

bool extension_next(struct bytes *rest, struct extension *out)
{
	struct bytes in = *rest;
	struct tlv seq, oid, flag = {0}, octets;

	if (!der_expect(&in, DER_SEQUENCE, &seq) || !der_expect(&seq.body, DER_OID, &oid))
		return false;
	der_expect(&seq.body, DER_BOOLEAN, &flag);
	if (!der_expect(&seq.body, DER_OCTET_STRING, &octets) || seq.body.n != 0)
		return false;
	*rest = in;
	*out = (struct extension){oid.body, octets.body, flag.body.n == 1 && flag.body.p[0] != 0};
	return true;
}

bool extension_find(struct bytes extensions, const char *oid, struct extension *out)
{
	struct extension e;

	while (extension_next(&extensions, &e)) {
		if (der_oid_is(e.oid, oid)) {
			*out = e;
			return true;
		}
	}
	return false;
}

struct extension_at extension_open(struct buf *b, const char *oid, bool critical)
{
	struct extension_at at = {.seq = der_open(b)};

	der_oid(b, oid);
	if (critical)	/* DEFAULT FALSE is not encoded: P-188 */
		der_bool(b, true);
	at.value = der_open(b);
	return at;
}

void extension_close(struct buf *b, struct extension_at at)
{
	der_close(b, at.value, DER_OCTET_STRING);
	der_close(b, at.seq, DER_SEQUENCE);
}

void extension_authority_key_id(struct buf *b, struct bytes skid)
{
	struct extension_at e;
	size_t at;

	if (skid.n == 0)
		return;
	e = extension_open(b, OID_AUTHORITY_KEY_ID, false);
	at = der_open(b);
	der_tlv(b, DER_CTX_PRIM(0), skid);
	der_close(b, at, DER_SEQUENCE);
	extension_close(b, e);
}
