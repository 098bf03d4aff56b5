/* What a profile's dialect changes in messages: which capabilities and certificates are announced, and what only tolerance accepts. */
#ifndef CA_DIALECT_H
#define CA_DIALECT_H

#include "ca/profile.h"

/* Takes the keywords that the profile hides out of a GetCACaps body. */
void dialect_hide_caps(const struct profile_conf *conf, struct buf *caps);

/* The certificates of GetCACert in the profile's order (P-38): `certs` has room for 3 + CMS_MAX_CERTS. */
size_t dialect_ca_certs(const struct profile *p, struct bytes *certs);

/* Holds an opened message to the RFC's letter where the profile tolerates nothing else. Error: STRICT. */
enum err dialect_check(const struct profile_conf *conf, const struct scep_msg *msg, struct why *why);

#endif
