/* Secrets that have to be read again are stored encrypted: AES-256-GCM, the key made of the pepper, which the database never sees. */
#include <gnutls/crypto.h>

#include "base/mem.h"
#include "store/internal.h"

#define KEY_SIZE 32
#define NONCE_SIZE 12
#define TAG_SIZE 16

static gnutls_aead_cipher_hd_t begin(const struct store *s)
{
	static const char label[] = "scepter sealed request v1";
	uint8_t key[KEY_SIZE];
	gnutls_datum_t datum = {key, sizeof(key)};
	gnutls_aead_cipher_hd_t cipher = NULL;

	if (gnutls_hmac_fast(GNUTLS_MAC_SHA256, s->pepper.p, s->pepper.n, label, sizeof(label), key) < 0 ||
	    gnutls_aead_cipher_init(&cipher, GNUTLS_CIPHER_AES_256_GCM, &datum) < 0)
		cipher = NULL;
	mem_wipe(key, sizeof(key));
	return cipher;
}

enum err store_seal(const struct store *s, struct bytes plain, struct buf *out, struct why *why)
{
	gnutls_aead_cipher_hd_t cipher = begin(s);
	uint8_t nonce[NONCE_SIZE];
	size_t at = out->n, n = plain.n + TAG_SIZE;
	int rc = cipher == NULL ? GNUTLS_E_INTERNAL_ERROR : gnutls_rnd(GNUTLS_RND_NONCE, nonce, sizeof(nonce));

	if (rc == 0) {
		buf_add(out, nonce, sizeof(nonce));
		rc = gnutls_aead_cipher_encrypt(cipher, nonce, sizeof(nonce), NULL, 0, TAG_SIZE, plain.p, plain.n, buf_grow(out, n), &n);
	}
	if (cipher != NULL)
		gnutls_aead_cipher_deinit(cipher);
	if (rc == 0)
		return ERR_OK;
	buf_cut(out, at);
	return fail(why, ERR_INTERNAL, "sealing failed: %s", gnutls_strerror(rc));
}

enum err store_unseal(const struct store *s, struct bytes sealed, struct buf *out, struct why *why)
{
	gnutls_aead_cipher_hd_t cipher;
	size_t at = out->n, n;
	int rc;

	if (sealed.n < NONCE_SIZE + TAG_SIZE || (cipher = begin(s)) == NULL)
		return fail(why, ERR_DB, "the stored request is damaged");
	n = sealed.n - NONCE_SIZE - TAG_SIZE;
	rc = gnutls_aead_cipher_decrypt(cipher, sealed.p, NONCE_SIZE, NULL, 0, TAG_SIZE, sealed.p + NONCE_SIZE, sealed.n - NONCE_SIZE,
	    buf_grow(out, n), &n);
	gnutls_aead_cipher_deinit(cipher);
	if (rc == 0)
		return ERR_OK;
	buf_cut(out, at);
	return fail(why, ERR_DB, "the stored request cannot be decrypted: has pepper_file changed since it was queued?");
}
