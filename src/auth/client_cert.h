/* TLS client certificates: which CAs a profile takes them from, and whether one is good (RFC 5280, 6.1, as far as a bundle of CAs needs it). */
#ifndef AUTH_CLIENT_CERT_H
#define AUTH_CLIENT_CERT_H

#include "base/problems.h"
#include "conf/client_cert_conf.h"
#include "pki/cert.h"

struct client_trust;	/* one profile's */

/*
 * Reads the CAs and CRLs that a profile's [client_certificate] names. Everything wrong goes to `problems`, below `where`; NULL when nothing is
 * configured or nothing could be read.
 */
struct client_trust *client_trust_load(const struct client_cert_conf *conf, const char *where, time_t now, struct problems *problems);
void client_trust_free(struct client_trust *trust);	/* NULL is allowed */

/*
 * Is `cert` good for this profile at `now`? Issued by one of the CAs, which are good themselves up to the topmost that is in the bundle; inside its
 * dates; for signing (and for clientAuth, as configured); no CA; its key and signature not weak; inside its CAs' name constraints; not revoked,
 * where there are CRLs. Who only sent it has proved nothing yet: that it holds the key was for the web server to see. Error: TLS_CERT, with the
 * rule that was broken and what would help.
 */
enum err client_cert_check(const struct client_trust *trust, const struct cert *cert, time_t now, struct why *why);

#endif
