/* Signing: a template and a key become a certificate. */
#ifndef CA_ISSUE_H
#define CA_ISSUE_H

#include "ca/policy.h"
#include "ca/profile.h"

/* Signs with the profile's CA key, as [certificate] signature and digest say. Error: CA_KEY. */
enum err issue_certificate(const struct profile *p, const struct template *t, struct bytes spki, struct bytes serial, struct buf *der,
    struct why *why);

/* The digest that fits a signing key's strength: SHA-384 for P-384, SHA-512 for P-521, else SHA-256. */
const struct digest_row *issue_digest(struct key_kind kind);

#endif
