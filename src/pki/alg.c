#include "pki/alg.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "conf/conf.h"

static const struct digest_row digests[DIGEST_COUNT] = {
	[DIGEST_SHA1] = {DIGEST_SHA1, "SHA-1", "1.3.14.3.2.26", GNUTLS_DIG_SHA1, 20, ALG_LEGACY,
	    "1.2.840.113549.1.1.5", "1.2.840.10045.4.1", "SHA-1", "1.2.840.113549.2.7"},
	[DIGEST_SHA256] = {DIGEST_SHA256, "SHA-256", "2.16.840.1.101.3.4.2.1", GNUTLS_DIG_SHA256, 32, ALG_STANDARD,
	    "1.2.840.113549.1.1.11", "1.2.840.10045.4.3.2", "SHA-256", "1.2.840.113549.2.9"},
	[DIGEST_SHA384] = {DIGEST_SHA384, "SHA-384", "2.16.840.1.101.3.4.2.2", GNUTLS_DIG_SHA384, 48, ALG_STANDARD,
	    "1.2.840.113549.1.1.12", "1.2.840.10045.4.3.3", "SHA-384", "1.2.840.113549.2.10"},
	[DIGEST_SHA512] = {DIGEST_SHA512, "SHA-512", "2.16.840.1.101.3.4.2.3", GNUTLS_DIG_SHA512, 64, ALG_STANDARD,
	    "1.2.840.113549.1.1.13", "1.2.840.10045.4.3.4", "SHA-512", "1.2.840.113549.2.11"},
	/* never announced, even where a profile allows it (P-200) */
	[DIGEST_MD5] = {DIGEST_MD5, "MD5", "1.2.840.113549.2.5", GNUTLS_DIG_MD5, 16, ALG_OBSOLETE,
	    "1.2.840.113549.1.1.4", NULL, NULL, NULL},
};

/* GetCACaps has one word for AES: "AES" (RFC 8894, 3.5.2). */
static const struct cipher_row ciphers[CIPHER_COUNT] = {
	[CIPHER_AES128] = {CIPHER_AES128, "AES-128-CBC", "2.16.840.1.101.3.4.1.2", GNUTLS_CIPHER_AES_128_CBC, 16, 16,
	    ALG_STANDARD, "AES"},
	[CIPHER_AES192] = {CIPHER_AES192, "AES-192-CBC", "2.16.840.1.101.3.4.1.22", GNUTLS_CIPHER_AES_192_CBC, 24, 16,
	    ALG_STANDARD, NULL},
	[CIPHER_AES256] = {CIPHER_AES256, "AES-256-CBC", "2.16.840.1.101.3.4.1.42", GNUTLS_CIPHER_AES_256_CBC, 32, 16,
	    ALG_STANDARD, NULL},
	[CIPHER_DES3] = {CIPHER_DES3, "DES-EDE3-CBC", "1.2.840.113549.3.7", GNUTLS_CIPHER_3DES_CBC, 24, 8,
	    ALG_LEGACY, "DES3"},
	[CIPHER_DES] = {CIPHER_DES, "DES-CBC", "1.3.14.3.2.7", GNUTLS_CIPHER_DES_CBC, 8, 8, ALG_OBSOLETE, NULL},
};

/* What people write in an INI file or on a command line. */
static const struct {
	const char *name;
	enum cipher id;
} cipher_aliases[] = {
	{"AES", CIPHER_AES128}, {"AES128", CIPHER_AES128}, {"AES192", CIPHER_AES192}, {"AES256", CIPHER_AES256},
	{"DES3", CIPHER_DES3}, {"3DES", CIPHER_DES3}, {"DES", CIPHER_DES},
};

const struct digest_row *digest_row(enum digest id)
{
	return (unsigned)id < DIGEST_COUNT ? &digests[id] : NULL;
}

const struct cipher_row *cipher_row(enum cipher id)
{
	return (unsigned)id < CIPHER_COUNT ? &ciphers[id] : NULL;
}

const struct digest_row *digest_by_oid(const char *oid)
{
	for (size_t i = 0; i < DIGEST_COUNT; i++) {
		if (strcmp(digests[i].oid, oid) == 0)
			return &digests[i];
	}
	return NULL;
}

const struct digest_row *digest_by_hmac_oid(const char *oid)
{
	for (size_t i = 0; i < DIGEST_COUNT; i++) {
		if (digests[i].hmac_oid != NULL && strcmp(digests[i].hmac_oid, oid) == 0)
			return &digests[i];
	}
	return NULL;
}

const struct cipher_row *cipher_by_oid(const char *oid)
{
	for (size_t i = 0; i < CIPHER_COUNT; i++) {
		if (strcmp(ciphers[i].oid, oid) == 0)
			return &ciphers[i];
	}
	return NULL;
}

/* Equal when case and '-' do not matter. */
static bool same_name(const char *a, const char *b)
{
	for (;;) {
		while (*a == '-')
			a++;
		while (*b == '-')
			b++;
		if (toupper((unsigned char)*a) != toupper((unsigned char)*b))
			return false;
		if (*a == '\0')
			return true;
		a++;
		b++;
	}
}

const struct digest_row *digest_by_name(const char *name)
{
	for (size_t i = 0; i < DIGEST_COUNT; i++) {
		if (same_name(digests[i].name, name))
			return &digests[i];
	}
	return NULL;
}

const struct cipher_row *cipher_by_name(const char *name)
{
	for (size_t i = 0; i < CIPHER_COUNT; i++) {
		if (same_name(ciphers[i].name, name))
			return &ciphers[i];
	}
	for (size_t i = 0; i < sizeof(cipher_aliases) / sizeof(cipher_aliases[0]); i++) {
		if (same_name(cipher_aliases[i].name, name))
			return &ciphers[cipher_aliases[i].id];
	}
	return NULL;
}

struct alg_set alg_set_make(unsigned legacy, unsigned obsolete)
{
	struct alg_set set = {0};

	for (unsigned i = 0; i < DIGEST_COUNT; i++) {
		if (digests[i].class == ALG_STANDARD)
			set.digests |= 1u << i;
	}
	for (unsigned i = 0; i < CIPHER_COUNT; i++) {
		if (ciphers[i].class == ALG_STANDARD)
			set.ciphers |= 1u << i;
	}
	if (legacy & LEGACY_SHA1)
		set.digests |= 1u << DIGEST_SHA1;
	if (legacy & LEGACY_DES3)
		set.ciphers |= 1u << CIPHER_DES3;
	if (obsolete & OBSOLETE_MD5)
		set.digests |= 1u << DIGEST_MD5;
	if (obsolete & OBSOLETE_DES)
		set.ciphers |= 1u << CIPHER_DES;
	return set;
}

bool alg_set_has_digest(const struct alg_set *set, const struct digest_row *row)
{
	return row != NULL && (set->digests >> row->id & 1) != 0;
}

bool alg_set_has_cipher(const struct alg_set *set, const struct cipher_row *row)
{
	return row != NULL && (set->ciphers >> row->id & 1) != 0;
}

size_t digest_of(const struct digest_row *row, struct bytes in, uint8_t *out)
{
	if (gnutls_hash_fast(row->gnutls, in.n == 0 ? "" : (const void *)in.p, in.n, out) != 0)
		abort();
	return row->size;
}

static int open_cipher(const struct cipher_row *row, const uint8_t *key, const uint8_t *iv, gnutls_cipher_hd_t *h)
{
	gnutls_datum_t k = {(unsigned char *)key, (unsigned)row->key_size};
	gnutls_datum_t v = {(unsigned char *)iv, (unsigned)row->block};

	return gnutls_cipher_init(h, row->gnutls, &k, &v);
}

void cipher_encrypt(const struct cipher_row *row, const uint8_t *key, const uint8_t *iv, struct bytes plain, struct buf *out)
{
	size_t n = plain.n - plain.n % row->block + row->block;
	uint8_t *p = buf_grow(out, n), pad = (uint8_t)(n - plain.n);
	gnutls_cipher_hd_t h;

	if (plain.n > 0)
		memcpy(p, plain.p, plain.n);
	memset(p + plain.n, pad, pad);
	if (open_cipher(row, key, iv, &h) != 0 || gnutls_cipher_encrypt(h, p, n) != 0)
		abort();	/* sizes are the row's: only a library without the cipher comes here */
	gnutls_cipher_deinit(h);
}

enum err cipher_decrypt(const struct cipher_row *row, const uint8_t *key, const uint8_t *iv, struct bytes ct, struct buf *out)
{
	gnutls_cipher_hd_t h;
	size_t n = ct.n;	/* exactly: a larger value makes decrypt3 look for the padding at the wrong place */
	struct buf plain = {0};
	bool ok;

	if (ct.n == 0 || ct.n % row->block != 0)
		return ERR_UNSEAL;
	buf_grow(&plain, n);
	ok = open_cipher(row, key, iv, &h) == 0;
	if (ok) {
		ok = gnutls_cipher_decrypt3(h, ct.p, ct.n, plain.p, &n, GNUTLS_CIPHER_PADDING_PKCS7) == 0;
		gnutls_cipher_deinit(h);
	}
	if (ok)
		buf_add(out, plain.p, n);
	buf_wipe(&plain);
	return ok ? ERR_OK : ERR_UNSEAL;
}

bool cipher_blocks(const struct cipher_row *row, const uint8_t *key, const uint8_t *iv, bool encrypt, uint8_t *p, size_t n)
{
	gnutls_cipher_hd_t h;
	bool ok = open_cipher(row, key, iv, &h) == 0;

	if (ok) {
		ok = (encrypt ? gnutls_cipher_encrypt(h, p, n) : gnutls_cipher_decrypt(h, p, n)) == 0;
		gnutls_cipher_deinit(h);
	}
	return ok;
}
