/*
 * CMS (RFC 5652): SignedData and EnvelopedData. Reading accepts BER (indefinite lengths, constructed strings) through libtasn1 and
 * pki/scepter.asn behind a linear guard; signatures are checked over the bytes as received. Writing is DER.
 */
#ifndef PKI_CMS_H
#define PKI_CMS_H

#include <time.h>

#include "base/buf.h"
#include "base/err.h"
#include "pki/alg.h"
#include "pki/cert.h"
#include "pki/key.h"

#define CMS_MAX_CERTS 16
#define CMS_MAX_ATTRS 32
#define CMS_MAX_RECIPIENTS 8
#define CMS_MAX_ITERATIONS 100000	/* of PBKDF2, in all of a message (P-90) */

struct cms_attr {
	char oid[64];
	struct bytes value;	/* TLV of the single value */
};

struct cms_signer_id {		/* issuer and serial, or skid */
	struct bytes issuer, serial, skid;
};

/* One SignedData with at most one SignerInfo. All views live as long as the struct. */
struct cms_signed {
	struct buf store[3];		/* what the views below point into */
	bool has_content;		/* eContent present, be it empty */
	struct bytes content;		/* joined from its segments */
	struct bytes certs[CMS_MAX_CERTS];	/* certificate TLVs; other kinds are skipped (P-184) */
	size_t n_certs;
	struct bytes crl;		/* the first CRL, TLV; n == 0: none */
	bool has_signer;		/* false: degenerate (certs-only) */
	struct cms_signer_id sid;
	char digest_oid[64];
	const struct digest_row *digest;	/* NULL: not in our table */
	struct bytes sig_alg;		/* AlgorithmIdentifier TLV */
	struct bytes signed_attrs;	/* TLV as received, tag A0; n == 0: none */
	struct cms_attr attrs[CMS_MAX_ATTRS];
	size_t n_attrs;
	struct bytes signature;
};

/*
 * Parses a ContentInfo holding SignedData. Cost is linear in `in` and small whatever is in it. Zero octets, CR and LF after it
 * are tolerated. Errors: SYNTAX; ATTRIBUTE (an attribute twice, or with several values or none).
 */
enum err cms_signed_parse(struct bytes in, struct cms_signed **out, struct why *why);
void cms_signed_free(struct cms_signed *s);		/* NULL is allowed */
const struct cms_attr *cms_attr_find(const struct cms_signed *s, const char *oid);	/* NULL: not there */

/* The certificate that the sid names, parsed; the caller frees. Error: NO_SIGNER. */
enum err cms_signer_cert(const struct cms_signed *s, struct cert **out, struct why *why);

/*
 * contentType is id-data, messageDigest is the content's, and the signature over the signed attributes (as received; then
 * sorted: P-170) is by `pub`. algs NULL: any of the table. Errors: MSG_CHECK, ALG.
 */
enum err cms_signed_verify(const struct cms_signed *s, const struct pubkey *pub, const struct alg_set *algs, struct why *why);

/* --- EnvelopedData ----------------------------------------------------------------------------------------------- */

enum cms_recipient_kind { RECIPIENT_KTRI, RECIPIENT_PWRI, RECIPIENT_OTHER };

struct cms_pwri {		/* how a password wraps the content key */
	const struct digest_row *prf;	/* PBKDF2 with this HMAC; NULL: derived or wrapped in a way that we have not */
	unsigned long iterations;
	struct bytes salt;
	const struct cipher_row *cipher;	/* of the wrapping */
	struct bytes iv;
};

struct cms_recipient {
	enum cms_recipient_kind kind;
	struct cms_signer_id rid;	/* KTRI */
	char alg_oid[64];		/* KTRI: key encryption algorithm */
	struct cms_pwri pwri;		/* PWRI */
	struct bytes encrypted_key;
};

struct cms_enveloped {
	struct buf store[2];
	struct cms_recipient recipients[CMS_MAX_RECIPIENTS];
	size_t n_recipients;
	char cipher_oid[64];
	const struct cipher_row *cipher;	/* NULL: not in our table */
	struct bytes iv;
	struct bytes ciphertext;		/* joined from its segments */
};

/* Parses a ContentInfo holding EnvelopedData (P-86 lengths checked too). An unknown cipher leaves NULL. Error: SYNTAX. */
enum err cms_enveloped_parse(struct bytes in, struct cms_enveloped **out, struct why *why);
void cms_enveloped_free(struct cms_enveloped *e);

/* The first KTRI that names `cert`, or NULL. */
const struct cms_recipient *cms_recipient_find(const struct cms_enveloped *e, const struct cert *cert);

/*
 * Unwraps with `key` and decrypts to `out`. algs NULL: any of the table. Errors: ALG (cipher or key transport not accepted; more than
 * 128 KiB of the slow DES or triple-DES), RECIPIENT (encryptedKey length), CA_KEY, UNSEAL: wrong padding, wrong key and wrong length
 * alike, one code path (P-85).
 */
enum err cms_enveloped_open(const struct cms_enveloped *e, const struct cms_recipient *r, const struct key *key,
    const struct alg_set *algs, struct buf *out, struct why *why);

/*
 * The same with a password, tried on each PWRI. Errors: ALG (cipher, derivation or wrapping not accepted; more than CMS_MAX_ITERATIONS),
 * RECIPIENT (no PWRI), UNSEAL: wrong password and damage alike.
 */
enum err cms_enveloped_open_password(const struct cms_enveloped *e, struct bytes password, const struct alg_set *algs,
    struct buf *out, struct why *why);

/* ContentInfo(EnvelopedData) for the holder of `to` (KTRI by issuerAndSerialNumber: P-82). Errors: ALG (not an RSA key), INTERNAL. */
enum err cms_envelope_write(struct buf *out, struct bytes plain, const struct cert *to, const struct pubkey *to_key,
    const struct cipher_row *cipher, struct why *why);
/* The same for whoever knows `password` (PWRI, RFC 8894, 3.1), derived by PBKDF2 with the HMAC of `prf`. Error: INTERNAL. */
enum err cms_envelope_write_password(struct buf *out, struct bytes plain, struct bytes password, const struct cipher_row *cipher,
    const struct digest_row *prf, struct why *why);

/* --- writing SignedData ------------------------------------------------------------------------------------------ */

enum cms_content { CMS_CONTENT_ABSENT, CMS_CONTENT_PRESENT };	/* PRESENT may be empty */

struct cms_sign_spec {
	enum cms_content present;
	struct bytes content;
	struct bytes attrs;		/* SCEP attributes: Attribute TLVs, one after another (cms_attr_write) */
	time_t signing_time;		/* 0: no such attribute */
	const struct key *key;
	const struct cert *cert;	/* the signer's; goes into certificates, names the sid */
	const struct cert *const *extra;	/* more certificates; may be NULL */
	size_t n_extra;
	const struct digest_row *digest;
};

/* Appends Attribute { oid, { value } }; value is one TLV. */
void cms_attr_write(struct buf *out, const char *oid, struct bytes value);

/* ContentInfo(SignedData) with contentType, messageDigest and signingTime added, attributes DER-sorted, signatureAlgorithm
 * rsaEncryption for RSA keys (P-201), digest SHA-512 for Ed25519 ones whatever the spec says (RFC 8419). Error: CA_KEY. */
enum err cms_signed_write(struct buf *out, const struct cms_sign_spec *spec, struct why *why);

/* ContentInfo(SignedData) without signers: certificates in the given order, not sorted (P-41, P-127). */
void cms_certs_only_write(struct buf *out, const struct bytes *certs, size_t n);
/* The same with one CRL and no certificate (P-126, P-127). */
void cms_crl_only_write(struct buf *out, struct bytes crl);

#endif
