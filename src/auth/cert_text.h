/* A client certificate as web servers and proxies hand it over in a variable or a header. */
#ifndef AUTH_CERT_TEXT_H
#define AUTH_CERT_TEXT_H

#include "base/buf.h"
#include "base/err.h"

#define CERT_TEXT_MAX 32768	/* octets: more fits into no server's variables */

/*
 * Appends the DER octets of the one certificate in `text`: PEM with line ends, with blanks in their place, or percent-escaped; base64 without
 * the lines around it, escaped or not; or as RFC 9440 has it, between colons. Whatever stands beside it, a second certificate for one, makes it
 * malformed. What the octets are is not looked at. Error: TLS_CERT.
 */
enum err cert_text_read(struct bytes text, struct buf *der, struct why *why);

#endif
