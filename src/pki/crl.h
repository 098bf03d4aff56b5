/*
 * Certificate revocation lists (RFC 5280, section 5): version 2, complete, by the CA itself. Writing and reading are linear in the number
 * of entries.
 */
#ifndef PKI_CRL_H
#define PKI_CRL_H

#include <time.h>

#include "base/buf.h"
#include "base/err.h"
#include "pki/cert.h"
#include "pki/key.h"

#define CRL_REASON_UNSPECIFIED 0

/* A reason that may be given for a revocation: name as RFC 5280 has it, and number. Case does not matter; -1: no such reason. */
int crl_reason_by_name(const char *name);
const char *crl_reason_name(int reason);	/* never NULL: "unspecified" also for what is unknown */
const char *crl_reason_names(void);		/* "unspecified, keyCompromise, ...", for messages */

/* --- writing ----------------------------------------------------------------------------------------------------- */

struct crl_spec {
	const struct cert *issuer;
	time_t this_update, next_update;
	uint64_t number;
	const struct digest_row *digest;
};

struct crl_entry {
	struct bytes serial;	/* magnitude to write; content octets of the INTEGER as read */
	time_t revoked, invalid_since;	/* invalid_since 0: not given */
	int reason;
};

/* Appends one entry to a list of them; {0} is a valid empty one. */
void crl_entry_write(struct buf *entries, const struct crl_entry *entry);

/* Appends the CRL over `entries`, signed by the issuer's key. Errors: CA_KEY; INTERNAL when the times are impossible. */
enum err crl_build(const struct crl_spec *spec, struct bytes entries, const struct key *key, struct buf *der, struct why *why);

/* --- reading ----------------------------------------------------------------------------------------------------- */

/* Views into `der`, which is owned. */
struct crl {
	struct buf der;
	struct bytes tbs, sig_alg, signature;
	struct bytes issuer;			/* Name TLV */
	time_t this_update, next_update;	/* next_update 0: none */
	struct bytes entries;			/* contents of revokedCertificates */
	size_t n_entries;
	struct bytes extensions;
	struct bytes number;			/* content octets of cRLNumber; n == 0: none */
	struct bytes authority_key_id;		/* n == 0: none */
};

/* Copies and parses one DER CRL, every entry of it. Error: SYNTAX. */
enum err crl_parse(struct bytes der, struct crl **out, struct why *why);
void crl_free(struct crl *crl);		/* NULL is allowed */

/* All CRLs of a file, PEM or one in DER, at least one; *out is an array of *n, freed with crl_list_free. Errors: FILE, CERT. */
enum err crl_list_read(const char *path, struct crl ***out, size_t *n, struct why *why);
void crl_list_free(struct crl **list, size_t n);

/* Takes the next entry off crl->entries. False: none left. */
bool crl_entry_next(struct bytes *rest, struct crl_entry *out);

/* False: it is a delta, or speaks of a part only, or of other CAs' certificates. */
bool crl_is_complete(const struct crl *crl);

/* Is the certificate with this serial number (content octets of an INTEGER) on it? */
bool crl_lists(const struct crl *crl, struct bytes serial);

/* Its signature is by `issuer`'s key, and it names it. Error: CERT. */
enum err crl_verify_by(const struct crl *crl, const struct cert *issuer, struct why *why);

#endif
