/* Addresses in certificates that depend on the CA which issues: "{ca}" in them stands for its key identifier, in hexadecimal. */
#ifndef CA_CA_URLS_H
#define CA_CA_URLS_H

#include "base/buf.h"
#include "pki/cert.h"

/* The key identifier of a CA in lower-case hexadecimal: what names it in the address of its CRL. The caller frees. */
char *ca_key_id(const struct cert *ca);

/* A copy of `urls` (NULL-terminated; NULL: none) with every "{ca}" replaced; freed with ca_urls_free. NULL for NULL. */
char **ca_urls_make(char *const *urls, const struct cert *ca);
void ca_urls_free(char **urls);	/* NULL is allowed */

#endif
