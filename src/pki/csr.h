/* PKCS#10 (RFC 2986): parsed strictly where it is signed, tolerantly where the field needs it (P-116 to P-119, P-194, P-195). */
#ifndef PKI_CSR_H
#define PKI_CSR_H

#include "base/buf.h"
#include "base/err.h"
#include "pki/key.h"

/* Views into `der`, which is owned (and wiped: it holds the challenge). */
struct csr {
	struct buf der;
	struct bytes info;		/* CertificationRequestInfo TLV, as received */
	struct bytes subject;		/* Name TLV */
	struct bytes spki;		/* TLV */
	struct bytes sig_alg;		/* AlgorithmIdentifier TLV */
	struct bytes signature;
	struct buf challenge;		/* UTF-8; owned; wiped by csr_free */
	bool has_challenge;
	struct bytes challenge_octets;	/* as they stand in `der` */
	struct bytes extensions;	/* contents of the requested Extensions SEQUENCE; n == 0: none */
};

/* Error: UNSEAL for anything that is not a PKCS#10 (one answer: P-85); CSR for a readable one that breaks a rule (two challenges,
 * both kinds of extension request, duplicate extensions, too many elements, more than 64 KiB). */
enum err csr_parse(struct bytes der, struct csr **out, struct why *why);
void csr_free(struct csr *csr);		/* NULL is allowed */

/* Proof of possession, over the received bytes. algs NULL: any of the table. Errors: CSR_SIG, ALG (key kind; digest not in
 * `algs`), KEY_WEAK, CSR (the key cannot be read). The key is given back
 * when out is not NULL (the caller frees it). */
enum err csr_verify(const struct csr *csr, const struct key_limits *limits, const struct alg_set *algs, struct pubkey **out,
    struct why *why);

/* The requested extension's extnValue contents; false when not asked for. */
bool csr_extension(const struct csr *csr, const char *oid, struct bytes *value);

/* Appends the request with every octet of its challenge made '*', of the same length: for others, who are not to know it; they cannot verify it. */
void csr_mask_challenge(const struct csr *csr, struct buf *out);

/* A new request signed by `key`: challenge may be NULL, san (a GeneralNames TLV) empty. Error: KEY. */
enum err csr_build(const struct key *key, struct bytes subject, const char *challenge, struct bytes san, struct buf *der,
    struct why *why);

#endif
