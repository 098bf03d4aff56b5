/* SIGNED { tbs } of X.509: certificates, CRLs and PKCS#10 have this shape. */
#ifndef PKI_SIGNED_H
#define PKI_SIGNED_H

#include "pki/key.h"

/*
 * Appends SEQUENCE { tbs, AlgorithmIdentifier, signature } to `der`, signed by `key`. Error: CA_KEY, also for a digest that the key cannot
 * sign with.
 */
enum err signed_write_as(struct bytes tbs, const struct key *key, enum sig_scheme scheme, const struct digest_row *digest, struct buf *der,
    struct why *why);
/* The same by sig_scheme_of. */
enum err signed_write(struct bytes tbs, const struct key *key, const struct digest_row *digest, struct buf *der, struct why *why);

/* The library's name of it; GNUTLS_SIGN_UNKNOWN: it has none. */
gnutls_sign_algorithm_t sig_algorithm(enum sig_scheme scheme, const struct digest_row *digest);

#endif
