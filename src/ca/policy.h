/* What a certificate may be: a pure function of the profile, the request and the time (RFC 5280; P-120 to P-122). */
#ifndef CA_POLICY_H
#define CA_POLICY_H

#include "conf/conf.h"
#include "pki/csr.h"

struct facts {
	const struct csr *csr;
	struct key_kind key;		/* of the CSR */
	bool key_is_ours;		/* the CA's or RA's own key (P-123) */
	time_t ca_not_after;
};

/* The template to sign. Owned buffers; template_free. */
struct template {
	struct buf subject;		/* Name TLV */
	struct buf san;			/* GeneralNames TLV, empty: none */
	struct buf sans_text;		/* for the database */
	time_t not_before, not_after;
	unsigned key_usage;
	const char *const *eku;		/* of the profile */
};

/* Errors: SUBJECT (empty or over-long, no SAN either), KEY_WEAK, CSR (asks to be a CA, malformed extensions). */
enum err policy_decide(const struct profile_conf *policy, const struct facts *facts, time_t now, struct template *out, struct why *why);
void template_free(struct template *t);

#endif
