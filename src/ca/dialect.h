/* What a profile's dialect changes in messages: which capabilities and certificates are announced, and what only tolerance accepts. */
#ifndef CA_DIALECT_H
#define CA_DIALECT_H

#include "conf/conf.h"
#include "scep/msg.h"

/* Takes the keywords that the profile hides out of a GetCACaps body. */
void dialect_hide_caps(const struct profile_conf *conf, struct buf *caps);

/* The certificates of GetCACert in the profile's order: `certs` has room for 2 + CMS_MAX_CERTS. ra NULL: the CA answers itself. */
size_t dialect_ca_certs(const struct profile_conf *conf, const struct cert *ra, const struct cert *ca, struct cert *const *chain,
    size_t n_chain, struct bytes *certs);

/* Holds an opened message to the RFC's letter where the profile tolerates nothing else. Error: STRICT. */
enum err dialect_check(const struct profile_conf *conf, const struct scep_msg *msg, struct why *why);

#endif
