/* Keys that live in a token: PKCS#11 URIs (RFC 7512), modules, PINs. Only key.c uses this. */
#ifndef PKI_TOKEN_H
#define PKI_TOKEN_H

#include <gnutls/abstract.h>

#include "base/err.h"

struct token_key;	/* the PIN: the library asks for it whenever it logs in anew, so it lives as long as the key */

/*
 * Opens the private key that `uri` names. The module is the URI's module-path, else whatever p11-kit is configured with; the first
 * key that a process opens decides between the two, and a later one without module-path after one with it is an error.
 * pin_file: NULL, or a 0600 file. The URI may hold pin-value or pin-source (a plain path)
 * itself. Errors: FILE (pin_file), KEY.
 */
enum err token_open(const char *uri, const char *pin_file, gnutls_privkey_t *handle, struct token_key **out, struct why *why);
void token_free(struct token_key *token);	/* after the handle; NULL is allowed */

#endif
