/* What a client learns of a server before it enrols: GetCACaps and GetCACert (RFC 8894, sections 3.5 and 4.2). */
#ifndef ADMIN_CLIENT_CA_H
#define ADMIN_CLIENT_CA_H

#include "pki/alg.h"
#include "pki/cert.h"

enum client_cap {
	CAP_AES = 1, CAP_DES3 = 2, CAP_SHA1 = 4, CAP_SHA256 = 8, CAP_SHA384 = 16, CAP_SHA512 = 32, CAP_POST = 64, CAP_RENEWAL = 128,
	CAP_NEXT_CA = 256, CAP_STANDARD = 512
};

/* The keywords of a GetCACaps answer that we know; SCEPStandard brings what it implies (section 3.5.2). */
unsigned client_caps_read(struct bytes body);

/* What to protect messages with. digest and cipher: the user's wish, or NULL: the best that both sides can. */
struct client_algs {
	const struct digest_row *digest;
	const struct cipher_row *cipher;
};

/* Errors: CONFIG (no such name), REMOTE (the server offers nothing we would use). */
enum err client_algs_choose(unsigned caps, const char *digest, const char *cipher, struct client_algs *out, struct why *why);

struct client_ca {
	struct cert **certs;		/* as the server sent them */
	size_t n;
	/* set by client_ca_pin: */
	const struct cert *anchor;	/* what is trusted */
	const struct cert *encrypt;	/* requests are encrypted to it: RA or CA */
	const struct cert *issuer;	/* the CA that will sign */
};

/* One DER certificate, or a certs-only SignedData, whatever the Content-Type says. Error: REMOTE. */
enum err client_ca_read(struct bytes body, struct client_ca **out, struct why *why);
void client_ca_free(struct client_ca *ca);	/* NULL is allowed */

/* The CA certificate nearest the root: what a user would compare the fingerprint of. Never NULL. */
const struct cert *client_ca_top(const struct client_ca *ca);

/* Makes the certificate with this SHA-256 fingerprint the anchor and picks the recipient among those that chain to it. Error: REMOTE. */
enum err client_ca_pin(struct client_ca *ca, const uint8_t fingerprint[32], struct why *why);

/* Does `cert` chain to the anchor, through the server's certificates and `extra` (untrusted; may be NULL)? */
bool client_ca_chains(const struct client_ca *ca, const struct cert *cert, struct cert *const *extra, size_t n_extra);

/* One of the server's certificates that chains to the anchor and may sign its answers. */
bool client_ca_signs(const struct client_ca *ca, const struct cert *signer);

#endif
