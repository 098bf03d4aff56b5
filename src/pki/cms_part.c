#include "pki/cms_part.h"

#include <stdio.h>
#include <string.h>

#include "pki/ber.h"

enum err cms_unwrap(struct bytes in, const char *type, struct buf *store, struct bytes *content, struct why *why)
{
	struct ber_element outer;
	asn1_node node = NULL;
	char oid[ASN_OID_SIZE];
	enum err err;

	err = ber_check(in, &outer, why);
	if (err != ERR_OK)
		return err;
	buf_add_bytes(store, outer.raw);
	err = asn_decode("ContentInfo", buf_bytes(store), &node, why);
	if (err != ERR_OK)
		return err;
	if (!asn_oid(node, "contentType", oid) || strcmp(oid, type) != 0)
		err = fail(why, ERR_SYNTAX, "ContentInfo has another type than %s", type);
	else if (asn_count(node, "content") != 1 || !asn_member(node, "content", 0, buf_bytes(store), content))
		err = fail(why, ERR_SYNTAX, "ContentInfo without content");
	asn1_delete_structure(&node);
	return err;
}

bool cms_id_read(asn1_node node, const char *field, struct bytes in, struct buf *store, struct cms_signer_id *out)
{
	struct cms_signer_id id = {0};
	char name[96];

	snprintf(name, sizeof(name), "%s.subjectKeyIdentifier", field);
	if (asn_value(node, name, store, &id.skid) && id.skid.n > 0) {
		*out = id;
		return true;
	}
	snprintf(name, sizeof(name), "%s.issuerAndSerialNumber.issuer", field);
	if (!asn_view(node, name, in, &id.issuer))
		return false;
	snprintf(name, sizeof(name), "%s.issuerAndSerialNumber.serialNumber", field);
	if (!asn_value(node, name, store, &id.serial) || id.serial.n == 0)
		return false;
	id.skid = (struct bytes){0};
	*out = id;
	return true;
}
