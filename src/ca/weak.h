/* Old algorithms that a request uses with the profile's leave: told in the log and in the audit trail (P-157, P-200). */
#ifndef CA_WEAK_H
#define CA_WEAK_H

#include "ca/work.h"

/* Those of the message itself, once it is unsealed. */
void weak_note_message(struct work *w);
/* The digest in the PKCS#10's own signature. */
void weak_note_csr(struct work *w);

#endif
