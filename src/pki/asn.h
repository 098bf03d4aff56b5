/* The ASN.1 module pki/scepter.asn through libtasn1: tolerant BER, for input that ber_check() let pass. */
#ifndef PKI_ASN_H
#define PKI_ASN_H

#include <libtasn1.h>

#include "base/buf.h"
#include "base/err.h"

#define ASN_OID_SIZE 64		/* an object identifier as dotted text; longer ones are refused */

/* Decodes `in`, the whole of it, as `type` ("SignedData"). The caller frees *out with asn1_delete_structure. Error: SYNTAX. */
enum err asn_decode(const char *type, struct bytes in, asn1_node *out, struct why *why);

/* All false when the field is not there, or not of that kind. */
bool asn_view(asn1_node node, const char *field, struct bytes in, struct bytes *out);	/* its TLV, a view into `in` */
size_t asn_count(asn1_node node, const char *set);	/* members of a SET OF; 0 when it is not there */
bool asn_member(asn1_node node, const char *set, size_t i, struct bytes in, struct bytes *out);	/* TLV of member i, from 0 */
bool asn_oid(asn1_node node, const char *field, char out[ASN_OID_SIZE]);
/* Contents of an INTEGER or a short OCTET STRING, appended to `store`; *out views it there. */
bool asn_value(asn1_node node, const char *field, struct buf *store, struct bytes *out);
/* The same of an OCTET STRING that the module has as ANY. tag: DER_OCTET_STRING, or the one in its place. */
bool asn_octets(asn1_node node, const char *field, struct bytes in, uint8_t tag, struct buf *store, struct bytes *out);

/* A buffer with room for n octets that will not move while no more are added: views into it stay good. */
void asn_reserve(struct buf *store, size_t n);

#endif
