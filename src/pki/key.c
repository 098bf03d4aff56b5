/* Private keys: from a file, from a token, made new. A key is a gnutls_privkey_t whatever is behind it. */
#include "pki/key.h"

#include <stdlib.h>
#include <string.h>

#include <gnutls/abstract.h>
#include <gnutls/x509.h>

#include "base/file.h"
#include "base/mem.h"
#include "pki/signed.h"
#include "pki/spki.h"
#include "pki/token.h"

#define MAX_CONTENT_KEY 64

struct key {
	gnutls_privkey_t handle;
	struct token_key *token;	/* NULL: not in a token */
	struct key_kind kind;
	struct buf modulus;		/* RSA: magnitude */
	struct buf spki;
};

bool key_is_token(const char *where)
{
	return strncmp(where, "pkcs11:", 7) == 0;
}

/* SubjectPublicKeyInfo of a private key, as the library writes it. */
static int export_spki(gnutls_privkey_t handle, struct buf *out)
{
	gnutls_datum_t der = {0};
	gnutls_pubkey_t pub = NULL;
	int rc = gnutls_pubkey_init(&pub);

	if (rc == 0)
		rc = gnutls_pubkey_import_privkey(pub, handle, 0, 0);
	if (rc == 0)
		rc = gnutls_pubkey_export2(pub, GNUTLS_X509_FMT_DER, &der);
	if (rc == 0)
		buf_add(out, der.data, der.size);
	gnutls_free(der.data);
	gnutls_pubkey_deinit(pub);
	return rc;
}

/* Takes `handle` and `token` over, on failure too. */
static enum err finish(gnutls_privkey_t handle, struct token_key *token, struct key **out, struct why *why)
{
	struct key *key = mem_alloc(sizeof(*key));
	struct spki_view view;
	enum err err = ERR_OK;
	int rc;

	key->handle = handle;
	key->token = token;
	rc = export_spki(handle, &key->spki);
	if (rc != 0)
		err = fail(why, ERR_KEY, "the key's public part cannot be read%s: %s",
		    token != NULL ? " (is the public key in the token, too?)" : "", gnutls_strerror(rc));
	else if (spki_read(buf_bytes(&key->spki), &view, why) != ERR_OK)
		err = ERR_KEY;
	else if (view.kind.type == KEY_OTHER || (view.kind.type == KEY_EC && view.kind.curve == GNUTLS_ECC_CURVE_INVALID))
		err = fail(why, ERR_KEY, "the key is neither RSA, nor EC on P-256, P-384 or P-521, nor Ed25519");
	if (err != ERR_OK) {
		key_free(key);
		return err;
	}
	key->kind = view.kind;
	buf_add_bytes(&key->modulus, view.modulus);
	*out = key;
	return ERR_OK;
}

static bool contains(struct bytes text, const char *word)
{
	return text.n > 0 && memmem(text.p, text.n, word, strlen(word)) != NULL;
}

enum err key_from_pem(struct bytes pem, struct key **out, struct why *why)
{
	gnutls_datum_t text = {(unsigned char *)pem.p, (unsigned)pem.n};
	gnutls_privkey_t handle = NULL;
	int rc;

	if (contains(pem, "BEGIN ENCRYPTED PRIVATE KEY") || contains(pem, "Proc-Type: 4,ENCRYPTED"))
		return fail(why, ERR_KEY, "the key is encrypted and nobody is there to type a passphrase: "
		    "decrypt it (openssl pkey -in KEY -out NEW) into a file of mode 0600");
	if (!contains(pem, "PRIVATE KEY-----"))
		return fail(why, ERR_KEY, "no private key in it, wanted is PEM: PKCS#8, PKCS#1 or SEC1%s",
		    contains(pem, "BEGIN CERTIFICATE") ? " (this is a certificate)" : "");
	rc = gnutls_privkey_init(&handle);
	if (rc == 0)
		rc = gnutls_privkey_import_x509_raw(handle, &text, GNUTLS_X509_FMT_PEM, NULL, 0);
	if (rc != 0) {
		gnutls_privkey_deinit(handle);
		return fail(why, ERR_KEY, "the private key cannot be read: %s", gnutls_strerror(rc));
	}
	return finish(handle, NULL, out, why);
}

enum err key_open(const char *where, const char *pin_file, struct key **out, struct why *why)
{
	gnutls_privkey_t handle;
	struct token_key *token;
	struct buf pem = {0};
	enum err err;

	if (key_is_token(where)) {
		err = token_open(where, pin_file, &handle, &token, why);
		return err != ERR_OK ? err : finish(handle, token, out, why);
	}
	err = file_read_secret(where, &pem, why);
	if (err == ERR_OK && (err = key_from_pem(buf_bytes(&pem), out, why)) != ERR_OK)
		fail_in(why, "key '%s'", where);
	buf_wipe(&pem);
	return err;
}

void key_free(struct key *key)
{
	if (key == NULL)
		return;
	gnutls_privkey_deinit(key->handle);
	token_free(key->token);
	buf_free(&key->modulus);
	buf_free(&key->spki);
	free(key);
}

struct bytes key_spki(const struct key *key)
{
	return buf_bytes(&key->spki);
}

struct key_kind key_kind(const struct key *key)
{
	return key->kind;
}

gnutls_sign_algorithm_t sig_algorithm(enum sig_scheme scheme, const struct digest_row *digest)
{
	switch (scheme) {
	case SIG_RSA_PKCS1:
		return gnutls_pk_to_sign(GNUTLS_PK_RSA, digest->gnutls);
	case SIG_RSA_PSS:
		return gnutls_pk_to_sign(GNUTLS_PK_RSA_PSS, digest->gnutls);
	case SIG_ECDSA:
		return gnutls_pk_to_sign(GNUTLS_PK_ECDSA, digest->gnutls);
	case SIG_ED25519:
		return GNUTLS_SIGN_EDDSA_ED25519;
	}
	return GNUTLS_SIGN_UNKNOWN;
}

enum err key_sign_as(const struct key *key, enum sig_scheme scheme, const struct digest_row *digest, struct bytes data, struct buf *out,
    struct why *why)
{
	gnutls_datum_t in = {(unsigned char *)data.p, (unsigned)data.n}, signature = {0};
	gnutls_sign_algorithm_t algorithm = sig_algorithm(scheme, digest);
	int rc;

	if (!sig_scheme_fits(scheme, key->kind.type))
		return fail(why, ERR_CA_KEY, "the key is of a kind that cannot sign so");
	if (algorithm == GNUTLS_SIGN_UNKNOWN)
		return fail(why, ERR_CA_KEY, "the key cannot sign with %s", digest->name);
	rc = gnutls_privkey_sign_data2(key->handle, algorithm, 0, &in, &signature);
	if (rc != 0)
		return fail(why, ERR_CA_KEY, "signing failed: %s", gnutls_strerror(rc));
	buf_add(out, signature.data, signature.size);
	gnutls_free(signature.data);
	return ERR_OK;
}

enum err key_sign(const struct key *key, const struct digest_row *digest, struct bytes data, struct buf *out, struct why *why)
{
	return key_sign_as(key, sig_scheme_of(key->kind.type), digest, data, out, why);
}

enum err key_unwrap(const struct key *key, struct bytes wrapped, uint8_t *out, size_t n, struct why *why)
{
	gnutls_datum_t in = {(unsigned char *)wrapped.p, (unsigned)wrapped.n};
	uint8_t plain[MAX_CONTENT_KEY] = {0}, keep;
	int rc;

	if (key->kind.type != KEY_RSA)
		return fail(why, ERR_RECIPIENT, "content key encrypted to a key that is not RSA");
	if (wrapped.n != key->modulus.n)
		return fail(why, ERR_RECIPIENT, "encrypted content key of %zu octets for a key of %zu", wrapped.n, key->modulus.n);
	if (n > sizeof(plain))
		return fail(why, ERR_INTERNAL, "content key of %zu octets", n);
	/* RFC 8017, 7.2.2, step 2a: c < n. Public, and tokens differ in how they take it. */
	if (memcmp(wrapped.p, key->modulus.p, wrapped.n) >= 0)
		return ERR_OK;
	rc = gnutls_privkey_decrypt_data2(key->handle, 0, &in, plain, n);
	/* no branch on rc: whether the padding was right must not show (P-85) */
	keep = (uint8_t)-(uint8_t)(rc != 0);
	for (size_t i = 0; i < n; i++)
		out[i] = (uint8_t)((out[i] & keep) | (plain[i] & (uint8_t)~keep));
	mem_wipe(plain, sizeof(plain));
	return ERR_OK;
}

/* --- new keys ---------------------------------------------------------------------------------------------------- */

static const struct {
	const char *spec;
	gnutls_pk_algorithm_t pk;
	unsigned bits;
} specs[] = {
    {"rsa:2048", GNUTLS_PK_RSA, 2048},
    {"rsa:3072", GNUTLS_PK_RSA, 3072},
    {"rsa:4096", GNUTLS_PK_RSA, 4096},
    {"ec:p256", GNUTLS_PK_ECDSA, GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1)},
    {"ec:p384", GNUTLS_PK_ECDSA, GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP384R1)},
    {"ec:p521", GNUTLS_PK_ECDSA, GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP521R1)},
    {"ed25519", GNUTLS_PK_EDDSA_ED25519, GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_ED25519)},
};

enum err key_generate(const char *spec, struct key **out, struct why *why)
{
	gnutls_privkey_t handle = NULL;
	size_t i = 0;
	int rc;

	while (i < sizeof(specs) / sizeof(specs[0]) && strcmp(specs[i].spec, spec) != 0)
		i++;
	if (i == sizeof(specs) / sizeof(specs[0]))
		return fail(why, ERR_KEY, "unknown kind of key '%s': one of rsa:2048, rsa:3072, rsa:4096, ec:p256, ec:p384, ec:p521, "
		    "ed25519", spec);
	rc = gnutls_privkey_init(&handle);
	if (rc == 0)
		rc = gnutls_privkey_generate(handle, specs[i].pk, specs[i].bits, 0);
	if (rc != 0) {
		gnutls_privkey_deinit(handle);
		return fail(why, ERR_KEY, "cannot make a key '%s': %s", spec, gnutls_strerror(rc));
	}
	return finish(handle, NULL, out, why);
}

enum err key_export_pem(const struct key *key, struct buf *out, struct why *why)
{
	gnutls_x509_privkey_t x509 = NULL;
	gnutls_datum_t pem = {0};
	int rc;

	if (key->token != NULL)
		return fail(why, ERR_KEY, "a key in a token cannot be written to a file");
	rc = gnutls_privkey_export_x509(key->handle, &x509);
	if (rc == 0)
		rc = gnutls_x509_privkey_export2_pkcs8(x509, GNUTLS_X509_FMT_PEM, NULL, GNUTLS_PKCS_PLAIN, &pem);
	gnutls_x509_privkey_deinit(x509);
	if (rc != 0)
		return fail(why, ERR_KEY, "the key cannot be exported: %s", gnutls_strerror(rc));
	buf_add(out, pem.data, pem.size);
	mem_wipe(pem.data, pem.size);
	gnutls_free(pem.data);
	return ERR_OK;
}
