/* PasswordRecipientInfo (RFC 5652, 6.2.4): PBKDF2 (RFC 8018, 5.2) and the key wrapping of RFC 3211. Only for the cms_*.c files. */
#ifndef PKI_PWRI_H
#define PKI_PWRI_H

#include "pki/cms.h"

#define PWRI_MAX_CEK 32

/*
 * Reads the two AlgorithmIdentifiers (TLV; derivation without its tag is read like [0] IMPLICIT). False: not PBKDF2 with a salt of its own
 * and PWRI-KEK with a cipher of our table, whole and in bounds. Views into what it was given.
 */
bool pwri_read(struct bytes derivation, struct bytes encryption, struct cms_pwri *out);

/*
 * Unwraps a content key of exactly `n` octets (at most PWRI_MAX_CEK) to `cek`. False, whatever is wrong, the password or the message: `cek`
 * keeps what the caller put there (a random key: P-85).
 */
bool pwri_unwrap(const struct cms_pwri *p, struct bytes wrapped, struct bytes password, uint8_t *cek, size_t n);

/* Appends a whole PasswordRecipientInfo, [3]: the content key wrapped with `cipher` under a key derived from `password`. Error: INTERNAL. */
enum err pwri_write(struct buf *out, struct bytes cek, struct bytes password, const struct cipher_row *cipher,
    const struct digest_row *prf, struct why *why);

#endif
