/* Public keys: import behind a guard, verify, wrap. Declared in key.h. */
#include <stdlib.h>
#include <string.h>

#include <gnutls/abstract.h>

#include "base/mem.h"
#include "pki/key.h"
#include "pki/signed.h"
#include "pki/spki.h"

/*
 * Which digests are good enough is the profile's business (struct alg_set), asked before by the caller: the arithmetic here
 * must work for every row of the table, also where the library or a system-wide policy frowns upon SHA-1 and MD5 (P-197).
 */
#define VERIFY_FLAGS (GNUTLS_VERIFY_ALLOW_BROKEN | GNUTLS_VERIFY_ALLOW_SIGN_WITH_SHA1)

struct pubkey {
	gnutls_pubkey_t handle;
	struct key_kind kind;
};

/* Verifying costs seconds with a large modulus and an exponent as large: P-122. */
static enum err check_rsa(const struct spki_view *v, const struct key_limits *limits, struct why *why)
{
	unsigned e_last;

	if (v->kind.bits < limits->min_rsa || v->kind.bits > limits->max_rsa)
		return fail(why, ERR_KEY_WEAK, "RSA key of %u bits, wanted are %u to %u", v->kind.bits, limits->min_rsa, limits->max_rsa);
	if (v->modulus.n == 0 || (v->modulus.p[v->modulus.n - 1] & 1) == 0)
		return fail(why, ERR_KEY_WEAK, "RSA key with an even modulus");
	if (v->exponent.n == 0 || v->exponent.n > 4)
		return fail(why, ERR_KEY_WEAK, "RSA key with a public exponent of %zu octets, at most 4 are accepted", v->exponent.n);
	e_last = v->exponent.p[v->exponent.n - 1];
	if ((e_last & 1) == 0 || (v->exponent.n == 1 && e_last < 3))
		return fail(why, ERR_KEY_WEAK, "RSA key with an even public exponent or one below 3");
	return ERR_OK;
}

/*
 * Points of order 1, 2, 4 and 8, as y without the sign of x, reduced or not: for such a key anybody can make right signatures, so that one proves
 * no possession, and whoever holds the certificate holds nothing.
 */
static enum err check_ed25519(const struct spki_view *v, struct why *why)
{
	static const char small[][33] = {
	    "\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00",
	    "\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00",
	    "\x26\xe8\x95\x8f\xc2\xb2\x27\xb0\x45\xc3\xf4\x89\xf2\xef\x98\xf0\xd5\xdf\xac\x05\xd3\xc6\x33\x39\xb1\x38\x02\x88\x6d\x53\xfc\x05",
	    "\xc7\x17\x6a\x70\x3d\x4d\xd8\x4f\xba\x3c\x0b\x76\x0d\x10\x67\x0f\x2a\x20\x53\xfa\x2c\x39\xcc\xc6\x4e\xc7\xfd\x77\x92\xac\x03\x7a",
	    "\xec\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x7f",
	    "\xed\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x7f",
	    "\xee\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x7f",
	};
	uint8_t y[32];

	memcpy(y, v->key_bits.p, sizeof(y));	/* read_ed25519 has counted them */
	y[31] &= 0x7f;
	for (size_t i = 0; i < sizeof(small) / sizeof(small[0]); i++) {
		if (memcmp(y, small[i], sizeof(y)) == 0)
			return fail(why, ERR_KEY_WEAK, "Ed25519 key that is a point of small order: anybody can sign for it");
	}
	return ERR_OK;
}

static enum err check_kind(const struct spki_view *v, const struct key_limits *limits, struct why *why)
{
	switch (v->kind.type) {
	case KEY_RSA:
		return check_rsa(v, limits, why);
	case KEY_EC:
		if (v->kind.curve == GNUTLS_ECC_CURVE_INVALID)
			return fail(why, ERR_ALG, "EC key on a curve other than P-256, P-384 and P-521");
		return ERR_OK;
	case KEY_ED25519:
		return check_ed25519(v, why);
	default:
		return fail(why, ERR_ALG, "public key of an unknown kind");
	}
}

enum err pubkey_import(struct bytes spki, const struct key_limits *limits, struct pubkey **out, struct why *why)
{
	gnutls_datum_t der = {(unsigned char *)spki.p, (unsigned)spki.n};
	struct spki_view view;
	struct pubkey *pub;
	enum err err;
	int rc;

	if ((err = spki_read(spki, &view, why)) != ERR_OK || (err = check_kind(&view, limits, why)) != ERR_OK)
		return err;
	pub = mem_alloc(sizeof(*pub));
	pub->kind = view.kind;
	rc = gnutls_pubkey_init(&pub->handle);
	if (rc == 0)
		rc = gnutls_pubkey_import(pub->handle, &der, GNUTLS_X509_FMT_DER);
	if (rc != 0) {
		pubkey_free(pub);
		return fail(why, ERR_SYNTAX, "the public key cannot be read: %s", gnutls_strerror(rc));
	}
	*out = pub;
	return ERR_OK;
}

void pubkey_free(struct pubkey *pub)
{
	if (pub == NULL)
		return;
	gnutls_pubkey_deinit(pub->handle);
	free(pub);
}

struct key_kind pubkey_kind(const struct pubkey *pub)
{
	return pub->kind;
}

enum err pubkey_verify(const struct pubkey *pub, enum sig_scheme scheme, const struct digest_row *digest, struct bytes data,
    struct bytes signature, struct why *why)
{
	gnutls_datum_t in = {(unsigned char *)data.p, (unsigned)data.n};
	gnutls_datum_t sig = {(unsigned char *)signature.p, (unsigned)signature.n};
	gnutls_sign_algorithm_t algorithm;
	int rc;

	if (!sig_scheme_fits(scheme, pub->kind.type))
		return fail(why, ERR_ALG, "the signature algorithm does not fit the signer's key");
	algorithm = sig_algorithm(scheme, digest);
	if (algorithm == GNUTLS_SIGN_UNKNOWN)
		return fail(why, ERR_ALG, "no such signature algorithm with %s", digest->name);
	rc = gnutls_pubkey_verify_data2(pub->handle, algorithm, VERIFY_FLAGS, &in, &sig);
	if (rc < 0)
		return fail(why, ERR_MSG_CHECK, "signature is wrong: %s", gnutls_strerror(rc));
	return ERR_OK;
}

enum err pubkey_wrap(const struct pubkey *pub, struct bytes content_key, struct buf *out, struct why *why)
{
	gnutls_datum_t in = {(unsigned char *)content_key.p, (unsigned)content_key.n}, wrapped = {0};
	int rc;

	if (pub->kind.type != KEY_RSA)
		return fail(why, ERR_ALG, "only an RSA key can be encrypted to");
	rc = gnutls_pubkey_encrypt_data(pub->handle, 0, &in, &wrapped);
	if (rc != 0)	/* not the key's fault, which has been found good; the client is to come again for what may be issued already */
		return fail(why, ERR_INTERNAL, "cannot encrypt to an RSA key of %u bits: %s", pub->kind.bits, gnutls_strerror(rc));
	buf_add(out, wrapped.data, wrapped.size);
	gnutls_free(wrapped.data);
	return ERR_OK;
}
