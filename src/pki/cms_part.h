/* What SignedData and EnvelopedData have in common. Only for the cms_*.c files. */
#ifndef PKI_CMS_PART_H
#define PKI_CMS_PART_H

#include "pki/asn.h"
#include "pki/cms.h"

/* Checks and copies a ContentInfo of that type to `store`; *content views the TLV inside [0]. Error: SYNTAX. */
enum err cms_unwrap(struct bytes in, const char *type, struct buf *store, struct bytes *content, struct why *why);

/* A SignerIdentifier or RecipientIdentifier. `store` takes its strings and must not move: asn_reserve. */
bool cms_id_read(asn1_node node, const char *field, struct bytes in, struct buf *store, struct cms_signer_id *out);

#endif
