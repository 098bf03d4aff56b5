/* Text codecs: strict unless a function says what it tolerates. All append to `out`; on failure `out` is untouched. */
#ifndef BASE_CODEC_H
#define BASE_CODEC_H

#include "base/buf.h"

void hex_encode(struct buf *out, struct bytes in);		/* lower case, no separators */
bool hex_decode(struct buf *out, const char *text);		/* ':' between octets tolerated; even number of digits */

void base64_encode(struct buf *out, struct bytes in);		/* RFC 4648 section 4, padded, one line */
bool base64_decode(struct buf *out, struct bytes text);	/* canonical, padded; blanks and line ends are skipped */

/*
 * The message parameter of a SCEP GET after one percent-decoding (P-14, P-15, clients.md 4.3): standard or URL alphabet,
 * '+' turned into blanks, CR and LF inside, padding missing. Anything else is refused.
 */
bool base64_decode_scep(struct buf *out, struct bytes text);

/* RFC 3986 percent-decoding, once; '+' stays '+'. A cut or bad escape is refused; %00 is allowed (bytes, not text). */
bool percent_decode(struct buf *out, struct bytes text);
void percent_encode(struct buf *out, struct bytes in);		/* everything but unreserved characters */

/*
 * Finds parameter `name` in a raw query string; the first occurrence counts. Gives the still encoded value as a view into
 * `query`. The value ends at '&'. False when it is not there. Names are compared exactly.
 */
bool query_param(struct bytes query, const char *name, struct bytes *value);

/* Text for a log line: printable ASCII as it is, everything else and '"' and '\\' as \xNN. At most `max` input octets. */
void escape_text(struct buf *out, struct bytes in, size_t max);

/* One PEM block with any of the given labels (NULL-terminated list; NULL: any label). Gives its DER and, if `label` is not
 * NULL, the label found (static string of the list). `text` advances past the block. False when there is none left or it is
 * damaged (then `text` is not advanced). */
bool pem_next(struct bytes *text, const char *const labels[], struct buf *der, const char **label);
void pem_write(struct buf *out, const char *label, struct bytes der);	/* 64 columns */

#endif
