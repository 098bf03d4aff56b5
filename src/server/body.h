/* What clients POST: octets, or text that stands for them. */
#ifndef SERVER_BODY_H
#define SERVER_BODY_H

#include <stdbool.h>

#include "base/buf.h"

/* PEM with any label, or base64 (P-190). False, and nothing appended, when `body` is neither; what is DER or BER is neither. */
bool body_from_text(struct bytes body, struct buf *out);

/* Is the Content-Type application/x-pki-message? Parameters and case do not matter. */
bool body_is_pki_message(const char *content_type);

#endif
