/*
 * Private keys behind one small interface: sign, unwrap a content key, public part. Today a file or a PKCS#11 URI, both a
 * gnutls_privkey_t; callbacks (gnutls_privkey_import_ext4, with unwrapping called directly) fit behind the same functions.
 */
#ifndef PKI_KEY_H
#define PKI_KEY_H

#include "base/buf.h"
#include "base/err.h"
#include "pki/alg.h"

struct key;

enum key_type { KEY_RSA, KEY_EC, KEY_ED25519, KEY_OTHER };

/* What a public key is. bits: RSA modulus, or curve size. */
struct key_kind {
	enum key_type type;
	unsigned bits;
	gnutls_ecc_curve_t curve;	/* KEY_EC; GNUTLS_ECC_CURVE_INVALID when not one of P-256/384/521 */
};

/*
 * Opens a key. `where`: path of a PEM file, or a "pkcs11:" URI. pin_file: NULL, or a 0600 file with the token's PIN.
 * Errors: FILE (missing, unreadable, readable by others), KEY (not a key, token or PIN wrong).
 * A file key may be used after fork(). So may a token's: its module is initialised anew by itself in the child; but sessions are
 * better opened there than inherited, which saves the parent the token: open such keys after fork (key_is_token).
 */
enum err key_open(const char *where, const char *pin_file, struct key **out, struct why *why);
enum err key_from_pem(struct bytes pem, struct key **out, struct why *why);
void key_free(struct key *key);		/* NULL is allowed */

/* True for a "pkcs11:" URI. Such keys must be opened after fork. */
bool key_is_token(const char *where);

/* SubjectPublicKeyInfo, DER; lives as long as the key. */
struct bytes key_spki(const struct key *key);
struct key_kind key_kind(const struct key *key);

enum sig_scheme { SIG_RSA_PKCS1, SIG_RSA_PSS, SIG_ECDSA, SIG_ED25519 };

/* How a key of this type signs when nobody says how: RSA by PKCS#1 v1.5. */
enum sig_scheme sig_scheme_of(enum key_type type);
/* Can a key of this type sign so? */
bool sig_scheme_fits(enum sig_scheme scheme, enum key_type type);

/*
 * Signs `data`: RSA PKCS#1 v1.5 or PSS (MGF1 with the same digest, salt of its size), or ECDSA (DER signature), over its digest; Ed25519 over the
 * data itself (digest ignored). Appends the signature. Error: CA_KEY.
 */
enum err key_sign_as(const struct key *key, enum sig_scheme scheme, const struct digest_row *digest, struct bytes data, struct buf *out,
    struct why *why);
/* The same by sig_scheme_of. */
enum err key_sign(const struct key *key, const struct digest_row *digest, struct bytes data, struct buf *out, struct why *why);

/*
 * RSA PKCS#1 v1.5 unwrapping of a content key of exactly `n` octets, in constant time: on any failure out keeps what the
 * caller put there (a random key: P-85). The only error told is a ciphertext whose length is not the modulus's (RECIPIENT):
 * it is public, and a token's session would not survive it (P-196).
 */
enum err key_unwrap(const struct key *key, struct bytes wrapped, uint8_t *out, size_t n, struct why *why);

/* A new key. spec: "rsa:2048", "rsa:3072", "rsa:4096", "ec:p256", "ec:p384", "ec:p521", "ed25519". Errors: KEY. */
enum err key_generate(const char *spec, struct key **out, struct why *why);
/* PKCS#8 PEM, unencrypted; only for keys made here or read from a file. The caller wipes out. */
enum err key_export_pem(const struct key *key, struct buf *out, struct why *why);

/* --- public keys ------------------------------------------------------------------------------------------------- */

struct pubkey;	/* a SubjectPublicKeyInfo that passed pubkey_import */

/* What may be imported before any expensive operation: P-122. Sizes in bits. */
struct key_limits {
	unsigned min_rsa, max_rsa;	/* the modulus; the exponent is odd, >= 3 and at most 32 bits, always */
};

/*
 * Reads a SubjectPublicKeyInfo. Checks the RSA modulus and exponent on the encoding first, so that no hostile key reaches the
 * library (cost: a few microseconds for anything). Errors: KEY_WEAK (outside limits), ALG (unknown kind), SYNTAX.
 */
enum err pubkey_import(struct bytes spki, const struct key_limits *limits, struct pubkey **out, struct why *why);
void pubkey_free(struct pubkey *pub);
struct key_kind pubkey_kind(const struct pubkey *pub);

/* Verifies a signature over `data`. Errors: MSG_CHECK (wrong), ALG (scheme does not fit the key). */
enum err pubkey_verify(const struct pubkey *pub, enum sig_scheme scheme, const struct digest_row *digest, struct bytes data,
    struct bytes signature, struct why *why);

/* RSA PKCS#1 v1.5 encryption of a content key. Errors: ALG (not an RSA key), INTERNAL. */
enum err pubkey_wrap(const struct pubkey *pub, struct bytes content_key, struct buf *out, struct why *why);

/*
 * Reads an AlgorithmIdentifier of a signature: shaXWithRSAEncryption, rsaEncryption and id-ecPublicKey (then `digest` stays
 * what the caller put there: P-179), ecdsa-with-SHAx, RSASSA-PSS with plain parameters (P-161), Ed25519. Error: ALG.
 */
enum err sig_alg_read(struct bytes algorithm_tlv, enum sig_scheme *scheme, const struct digest_row **digest, struct why *why);

/* Appends the AlgorithmIdentifier of key_sign_as with `digest` (sha256WithRSAEncryption, RSASSA-PSS with its parameters, ...). */
void sig_alg_write_as(struct buf *out, enum sig_scheme scheme, const struct digest_row *digest);
/* The same for key_sign. */
void sig_alg_write(struct buf *out, struct key_kind kind, const struct digest_row *digest);

#endif
