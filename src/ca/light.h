/*
 * Light clients, where a profile serves them: a PKCS#10 without a SCEP message around it, bare or wrapped in SignedData. The challenge in it
 * travels in the clear as far as TLS does not hide it.
 */
#ifndef CA_LIGHT_H
#define CA_LIGHT_H

#include "ca/work.h"

/*
 * By its shape alone: SEQUENCE { SEQUENCE { INTEGER is a PKCS#10; a SignedData is one that wraps a PKCS#10 when its content has that shape and
 * it has no SCEP attribute at all. A pkiMessage, however broken, is never one.
 */
bool light_shape(struct bytes body);

/* From such a body to the answer, as work_certify does for a pkiMessage. */
enum err light_certify(struct work *w, struct bytes body);

#endif
