/* csr.NAME in templates: what a request says of itself, as text. Nothing of it is known to be true. */
#ifndef CA_CSR_VALUE_H
#define CA_CSR_VALUE_H

#include "pki/csr.h"

/* What a NAME stands for: an attribute of the subject, a kind of subjectAltName, or (email) the second and then the first. */
struct csr_name {
	const char *oid;	/* NULL: no attribute */
	unsigned san;		/* enum conf_san bit; 0: none */
};

/* "cn", "serialNumber", every other keyword of an attribute, "dns", "ip", "email", "uri", "upn"; case does not matter. False: no such name. */
bool csr_name_find(struct bytes name, struct csr_name *out);

/* Appends the nth value that can be read as text, counted from 0, in the order of the request. False: it has not so many. */
bool csr_value(const struct csr *csr, const struct csr_name *name, size_t nth, struct buf *out);

#endif
