/* What a signed challenge says of a device, against what the device's request asks for. */
#ifndef AUTH_BINDING_H
#define AUTH_BINDING_H

#include "auth/claims.h"
#include "pki/csr.h"

/*
 * device_name is the request's only common name, letter for letter; each list of names is, as a set and without regard to ASCII case, the
 * request's names of that kind. An empty claim constrains nothing. Names of a kind for which there is no claim (IP, URI, directory and others) are
 * refused unless unbound_allowed. Error: SIGNED_CLAIM.
 */
enum err binding_check(const struct claims *c, const struct csr *csr, bool unbound_allowed, struct why *why);

#endif
