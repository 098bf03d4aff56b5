/* Every algorithm that may appear in a message, in one table: what is advertised, accepted and used in replies. */
#ifndef PKI_ALG_H
#define PKI_ALG_H

#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>

#include "base/buf.h"
#include "base/err.h"

/* STANDARD is always on; LEGACY and OBSOLETE ones only as the profile says (P-157, P-200); never: RC2, GCM, ... (no row) */
enum alg_class { ALG_STANDARD, ALG_LEGACY, ALG_OBSOLETE };

enum digest { DIGEST_SHA1, DIGEST_SHA256, DIGEST_SHA384, DIGEST_SHA512, DIGEST_MD5, DIGEST_COUNT };
enum cipher { CIPHER_AES128, CIPHER_AES192, CIPHER_AES256, CIPHER_DES3, CIPHER_DES, CIPHER_COUNT };

struct digest_row {
	enum digest id;
	const char *name;	/* "SHA-256": also the GetCACaps keyword when `cap` */
	const char *oid;
	gnutls_digest_algorithm_t gnutls;
	size_t size;		/* octets */
	enum alg_class class;
	const char *rsa_oid, *ecdsa_oid;	/* shaXWithRSAEncryption, ecdsa-with-SHAx; NULL: none */
	const char *cap;	/* GetCACaps keyword, NULL: none */
	const char *hmac_oid;	/* hmacWithSHAx: PBKDF2 of a password recipient; NULL: none */
};

struct cipher_row {
	enum cipher id;
	const char *name;	/* "AES-128-CBC" */
	const char *oid;
	gnutls_cipher_algorithm_t gnutls;
	size_t key_size, block;	/* octets; the IV has `block` octets */
	enum alg_class class;
	const char *cap;
};

/* Which rows a profile accepts: bit (1 << id). */
struct alg_set {
	unsigned digests, ciphers;
};

const struct digest_row *digest_row(enum digest id);	/* never NULL for a valid id */
const struct cipher_row *cipher_row(enum cipher id);
const struct digest_row *digest_by_oid(const char *oid);	/* NULL: not in the table */
const struct digest_row *digest_by_hmac_oid(const char *oid);
const struct cipher_row *cipher_by_oid(const char *oid);
const struct digest_row *digest_by_name(const char *name);	/* "sha-256" or "SHA256"; case and '-' do not matter */
const struct cipher_row *cipher_by_name(const char *name);	/* "aes-128-cbc", "aes128", "des3" */

/* The set for a profile. legacy and obsolete: bits as in conf/conf.h. */
struct alg_set alg_set_make(unsigned legacy, unsigned obsolete);
bool alg_set_has_digest(const struct alg_set *set, const struct digest_row *row);
bool alg_set_has_cipher(const struct alg_set *set, const struct cipher_row *row);

/* Hashes `in` to out (at least 64 octets); returns the digest's size. Aborts only if the library has lost the algorithm. */
size_t digest_of(const struct digest_row *row, struct bytes in, uint8_t *out);

/* CBC with PKCS#7 padding. Keys and IVs have the row's sizes. decrypt: ERR_UNSEAL on any failure, same time for each. */
void cipher_encrypt(const struct cipher_row *row, const uint8_t *key, const uint8_t *iv, struct bytes plain, struct buf *out);
enum err cipher_decrypt(const struct cipher_row *row, const uint8_t *key, const uint8_t *iv, struct bytes ct, struct buf *out);

/* CBC over n octets in place, whole blocks without padding. False: the library refuses the key. */
bool cipher_blocks(const struct cipher_row *row, const uint8_t *key, const uint8_t *iv, bool encrypt, uint8_t *p, size_t n);

#endif
