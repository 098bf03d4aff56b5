#include "pki/pwri.h"

#include <gnutls/crypto.h>
#include <string.h>

#include "base/mem.h"
#include "pki/der.h"
#include "pki/oid.h"

#define MAX_BLOCK 16
#define MAX_WRAPPED 64		/* 1 + 3 + PWRI_MAX_CEK octets, in blocks; a little more for peers with longer padding */
#define MAX_SALT 256
#define SALT_SIZE 16
/* P-91. A challenge is worth its own entropy (P-92); this costs an attacker little less than it costs us. */
#define WRITE_ITERATIONS 10000

/* INTEGER from 1 to 9,999,999: more is beyond every limit anyway. */
static bool small_int(struct tlv t, unsigned long *out)
{
	unsigned long v = 0;

	if (t.body.n == 0 || t.body.n > 4 || (t.body.p[0] & 0x80) != 0)
		return false;
	for (size_t i = 0; i < t.body.n; i++)
		v = v << 8 | t.body.p[i];
	*out = v;
	return v > 0 && v < 10000000;
}

static bool read_prf(struct bytes in, const struct digest_row **out)
{
	struct tlv seq, oid, null;
	char text[64];

	if (in.n == 0) {		/* DEFAULT: which OpenSSL means by leaving it out */
		*out = digest_row(DIGEST_SHA1);
		return true;
	}
	if (!der_whole(in, DER_SEQUENCE, &seq) || !der_expect(&seq.body, DER_OID, &oid) ||
	    (seq.body.n > 0 && !der_whole(seq.body, DER_NULL, &null)) || !der_oid_text(oid.body, text, sizeof(text)))
		return false;
	*out = digest_by_hmac_oid(text);
	return *out != NULL;
}

/* PBKDF2-params; key_size: 0 when they do not name it. */
static bool read_pbkdf2(struct bytes in, struct cms_pwri *p, unsigned long *key_size)
{
	struct tlv seq, salt, iterations, size;

	*key_size = 0;
	if (!der_whole(in, DER_SEQUENCE, &seq) || !der_expect(&seq.body, DER_OCTET_STRING, &salt) ||
	    !der_expect(&seq.body, DER_INTEGER, &iterations) || !small_int(iterations, &p->iterations))
		return false;
	if (der_expect(&seq.body, DER_INTEGER, &size) && !small_int(size, key_size))
		return false;
	p->salt = salt.body;
	return salt.body.n <= MAX_SALT && read_prf(seq.body, &p->prf);
}

/* The cipher with its IV that is PWRI-KEK's parameter. */
static bool read_kek(struct bytes in, struct cms_pwri *p)
{
	struct tlv seq, oid, iv;
	char text[64];

	if (!der_whole(in, DER_SEQUENCE, &seq) || !der_expect(&seq.body, DER_OID, &oid) || !der_whole(seq.body, DER_OCTET_STRING, &iv) ||
	    !der_oid_text(oid.body, text, sizeof(text)))
		return false;
	p->cipher = cipher_by_oid(text);
	p->iv = iv.body;
	return p->cipher != NULL && iv.body.n == p->cipher->block;
}

bool pwri_read(struct bytes derivation, struct bytes encryption, struct cms_pwri *out)
{
	struct cms_pwri p = {0};
	struct tlv alg, kdf, kek;
	unsigned long key_size;

	if (!der_next(&derivation, &alg) || !der_expect(&alg.body, DER_OID, &kdf) || !der_oid_is(kdf.body, OID_PBKDF2) ||
	    !read_pbkdf2(alg.body, &p, &key_size))
		return false;
	if (!der_whole(encryption, DER_SEQUENCE, &alg) || !der_expect(&alg.body, DER_OID, &kek) ||
	    !der_oid_is(kek.body, OID_PWRI_KEK) || !read_kek(alg.body, &p))
		return false;
	if (key_size != 0 && key_size != p.cipher->key_size)
		return false;
	*out = p;
	return true;
}

static bool derive(const struct cms_pwri *p, struct bytes password, uint8_t kek[PWRI_MAX_CEK])
{
	gnutls_datum_t key = {(unsigned char *)password.p, (unsigned)password.n};
	gnutls_datum_t salt = {(unsigned char *)p->salt.p, (unsigned)p->salt.n};

	/* an HMAC has its digest's number in GnuTLS */
	return gnutls_pbkdf2((gnutls_mac_algorithm_t)p->prf->gnutls, &key, &salt, (unsigned)p->iterations, kek, p->cipher->key_size) == 0;
}

/* RFC 3211, 2.3.2: the last block is the IV of the second layer once the block before it has decrypted it; then both layers come off. */
static bool unwrap_blocks(const struct cipher_row *row, const uint8_t *kek, const uint8_t *iv, uint8_t *p, size_t n)
{
	size_t b = row->block;
	uint8_t last[MAX_BLOCK], before[MAX_BLOCK];

	memcpy(before, p + n - 2 * b, b);
	if (!cipher_blocks(row, kek, before, false, p + n - b, b))
		return false;
	memcpy(last, p + n - b, b);
	return cipher_blocks(row, kek, last, false, p, n - b) && cipher_blocks(row, kek, iv, false, p, n);
}

bool pwri_unwrap(const struct cms_pwri *p, struct bytes wrapped, struct bytes password, uint8_t *cek, size_t n)
{
	uint8_t kek[PWRI_MAX_CEK], text[MAX_WRAPPED];
	unsigned wrong = 1;

	if (wrapped.n % p->cipher->block != 0 || wrapped.n < 2 * p->cipher->block || wrapped.n > sizeof(text) || wrapped.n < n + 4)
		return false;
	memcpy(text, wrapped.p, wrapped.n);
	if (derive(p, password, kek) && unwrap_blocks(p->cipher, kek, p->iv.p, text, wrapped.n)) {
		wrong = text[0] ^ (unsigned)n;
		for (size_t i = 1; i < 4; i++)
			wrong |= (text[i] ^ text[i + 3] ^ 0xffu) & 0xffu;
		if (wrong == 0)
			memcpy(cek, text + 4, n);
	}
	mem_wipe(kek, sizeof(kek));
	mem_wipe(text, sizeof(text));
	return wrong == 0;
}

/* RFC 3211, 2.3.1: length, three check octets, key, padding up to whole blocks, at least two; encrypted twice. */
static bool wrap(const struct cms_pwri *p, const uint8_t *kek, struct bytes cek, struct buf *out)
{
	size_t b = p->cipher->block, n = (4 + cek.n + b - 1) / b * b;
	uint8_t *text;

	n = n < 2 * b ? 2 * b : n;
	text = buf_grow(out, n);
	if (gnutls_rnd(GNUTLS_RND_NONCE, text, n) != 0)
		return false;
	text[0] = (uint8_t)cek.n;
	for (size_t i = 0; i < 3; i++)
		text[1 + i] = (uint8_t)~cek.p[i];
	memcpy(text + 4, cek.p, cek.n);
	return cipher_blocks(p->cipher, kek, p->iv.p, true, text, n) &&
	       cipher_blocks(p->cipher, kek, text + n - b, true, text, n);
}

static void write_derivation(struct buf *out, const struct cms_pwri *p)
{
	size_t at = der_open(out), params;

	der_oid(out, OID_PBKDF2);
	params = der_open(out);
	der_tlv(out, DER_OCTET_STRING, p->salt);
	der_int(out, (long)p->iterations);
	if (p->prf->id != DIGEST_SHA1)	/* which is the DEFAULT, and so absent in DER */
		der_algorithm(out, p->prf->hmac_oid, true);
	der_close(out, params, DER_SEQUENCE);
	der_close(out, at, DER_CTX(0));
}

static void write_encryption(struct buf *out, const struct cms_pwri *p)
{
	size_t at = der_open(out), cipher;

	der_oid(out, OID_PWRI_KEK);
	cipher = der_open(out);
	der_oid(out, p->cipher->oid);
	der_tlv(out, DER_OCTET_STRING, p->iv);
	der_close(out, cipher, DER_SEQUENCE);
	der_close(out, at, DER_SEQUENCE);
}

enum err pwri_write(struct buf *out, struct bytes cek, struct bytes password, const struct cipher_row *cipher,
    const struct digest_row *prf, struct why *why)
{
	uint8_t kek[PWRI_MAX_CEK], salt[SALT_SIZE], iv[MAX_BLOCK];
	struct cms_pwri p = {.prf = prf, .iterations = WRITE_ITERATIONS, .salt = bytes_of(salt, sizeof(salt)), .cipher = cipher,
	    .iv = bytes_of(iv, cipher->block)};
	struct buf wrapped = {0};
	enum err err = ERR_OK;
	size_t at;

	if (gnutls_rnd(GNUTLS_RND_NONCE, salt, sizeof(salt)) != 0 || gnutls_rnd(GNUTLS_RND_NONCE, iv, sizeof(iv)) != 0 ||
	    !derive(&p, password, kek) || !wrap(&p, kek, cek, &wrapped)) {
		err = fail(why, ERR_INTERNAL, "the content key could not be wrapped under the challenge");
		goto out;
	}
	at = der_open(out);
	der_int(out, 0);
	write_derivation(out, &p);
	write_encryption(out, &p);
	der_tlv(out, DER_OCTET_STRING, buf_bytes(&wrapped));
	der_close(out, at, DER_CTX(3));
out:
	mem_wipe(kek, sizeof(kek));
	buf_wipe(&wrapped);
	return err;
}
