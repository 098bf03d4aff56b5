/*
 * X.509 certificates: a tolerant view of what a client sends (P-185: only names, serial, key and identifiers are looked at),
 * and building our own (a hand-made TBSCertificate: 2 us against 200 us through gnutls_x509_crt_*).
 */
#ifndef PKI_CERT_H
#define PKI_CERT_H

#include <time.h>

#include "base/buf.h"
#include "base/err.h"
#include "pki/key.h"

/* Views into `der`, which is owned. */
struct cert {
	struct buf der;
	struct bytes tbs, sig_alg, signature;	/* TLV, TLV, octets: what cert_verify_by looks at */
	struct bytes issuer, subject;		/* Name TLVs */
	struct bytes serial;			/* content octets of the INTEGER, as they are */
	struct bytes spki;			/* TLV */
	struct bytes key_bits;			/* contents of the BIT STRING in spki */
	struct bytes extensions;		/* contents of the Extensions SEQUENCE; n == 0: none */
	struct bytes skid;			/* subjectKeyIdentifier value; n == 0: none */
	bool times_ok;				/* both times below could be read */
	time_t not_before, not_after;
};

/* Copies and parses one DER certificate. Error: SYNTAX. */
enum err cert_parse(struct bytes der, struct cert **out, struct why *why);
/* Reads a PEM or DER file holding one certificate, or the first of several. Errors: FILE, CERT. */
enum err cert_read(const char *path, struct cert **out, struct why *why);
void cert_free(struct cert *cert);	/* NULL is allowed */

/* All certificates of a PEM file; *out is an array of *n, freed with cert_list_free. Errors: FILE, CERT. */
enum err cert_list_read(const char *path, struct cert ***out, size_t *n, struct why *why);
void cert_list_free(struct cert **list, size_t n);

/* The extension's extnValue contents; false when the certificate has none. critical may be NULL. */
bool cert_extension(const struct cert *cert, const char *oid, struct bytes *value, bool *critical);
unsigned cert_key_usage(const struct cert *cert);	/* GNUTLS_KEY_* bits; ~0u when there is no such extension */
bool cert_is_ca(const struct cert *cert);
/* How many CAs may stand between this one and an end entity's certificate; -1: as many as there are. */
int cert_path_len(const struct cert *cert);
/* Is `purpose`, a dotted OID, among its extended key usages? False when it has none. */
bool cert_has_purpose(const struct cert *cert, const char *purpose);
/* True when issuer and subject are the same and its own key verifies it. */
bool cert_is_self_signed(const struct cert *cert);
/* Verifies `cert`'s signature with `issuer`'s key, and that the names chain. Error: CERT. */
enum err cert_verify_by(const struct cert *cert, const struct cert *issuer, struct why *why);
void cert_fingerprint(const struct cert *cert, uint8_t sha256[32]);	/* over the whole DER */
/* Does the sid name this certificate? P-181, P-182. One of (issuer, serial) or skid has n > 0. */
bool cert_is_named(const struct cert *cert, struct bytes issuer, struct bytes serial, struct bytes skid);

/* --- building ---------------------------------------------------------------------------------------------------- */

struct cert_spec {
	struct bytes serial;		/* magnitude, not zero, at most 20 octets as a DER INTEGER */
	struct bytes issuer, subject;	/* Name TLVs */
	time_t not_before, not_after;
	struct bytes spki;
	bool ca;			/* basicConstraints, always there and critical, says CA:TRUE */
	int path_len;			/* -1: no limit; only for a CA */
	unsigned key_usage;		/* GNUTLS_KEY_* bits; 0: no such extension; critical */
	const char *const *eku;		/* dotted OIDs, NULL-terminated; NULL or empty: none */
	struct bytes san;		/* GeneralNames TLV; n == 0: none; critical when the subject is empty */
	struct bytes authority_key_id;	/* the issuer's subjectKeyIdentifier; n == 0: none */
	const char *const *crl_urls;	/* cRLDistributionPoints; NULL or empty: none. All three: URLs, NULL-terminated */
	const char *const *ca_issuers_urls, *const *ocsp_urls;	/* authorityInfoAccess */
	struct bytes extensions;	/* more of them, as Extension TLVs one after the other; n == 0: none */
	const struct digest_row *digest;
	bool pss;			/* an RSA key signs by RSASSA-PSS */
};

/*
 * Appends a certificate signed by `issuer_key`. subjectKeyIdentifier is SHA-1 of the key bits (RFC 5280, 4.2.1.2). Errors: CA_KEY;
 * INTERNAL when the spec itself is impossible (serial, dates, key).
 */
enum err cert_build(const struct cert_spec *spec, const struct key *issuer_key, struct buf *der, struct why *why);
/* SHA-1 of the key bits; of nothing when `spki` is not a SubjectPublicKeyInfo, which cert_parse and pubkey_import rule out. */
void spki_key_id(struct bytes spki, uint8_t sha1[20]);

#endif
