#include <gnutls/crypto.h>

#include "base/mem.h"
#include "pki/cms.h"
#include "pki/der.h"
#include "pki/oid.h"
#include "pki/pwri.h"

#define MAX_KEY_SIZE PWRI_MAX_CEK
#define MAX_BLOCK 16

/* ContentInfo ::= SEQUENCE { contentType, content [0] EXPLICIT ANY }: opened here, closed by end_content. */
static size_t begin_content(struct buf *out, const char *type, size_t *explicit_at)
{
	size_t at = der_open(out);

	der_oid(out, type);
	*explicit_at = der_open(out);
	return at;
}

static void end_content(struct buf *out, size_t at, size_t explicit_at)
{
	der_close(out, explicit_at, DER_CTX(0));
	der_close(out, at, DER_SEQUENCE);
}

/* Issuer and serial are copied as they are, so that a client finds itself (P-82, P-186). */
static void write_issuer_and_serial(struct buf *out, const struct cert *cert)
{
	size_t at = der_open(out);

	buf_add_bytes(out, cert->issuer);
	der_tlv(out, DER_INTEGER, cert->serial);
	der_close(out, at, DER_SEQUENCE);
}

/* P-178: NULL parameters for SHA-1 and MD5, none for SHA-2 (RFC 3370, RFC 5754). */
static void write_digest_alg(struct buf *out, const struct digest_row *digest)
{
	der_algorithm(out, digest->oid, digest->id == DIGEST_SHA1 || digest->id == DIGEST_MD5);
}

/* --- EnvelopedData ----------------------------------------------------------------------------------------------- */

static void write_recipient(struct buf *out, const struct cert *to, struct bytes wrapped)
{
	size_t at = der_open(out);

	der_int(out, 0);
	write_issuer_and_serial(out, to);
	der_algorithm(out, OID_RSA, true);
	der_tlv(out, DER_OCTET_STRING, wrapped);
	der_close(out, at, DER_SEQUENCE);
}

static void write_encrypted(struct buf *out, const struct cipher_row *cipher, const uint8_t *iv, struct bytes ciphertext)
{
	size_t at = der_open(out), alg;

	der_oid(out, OID_DATA);
	alg = der_open(out);
	der_oid(out, cipher->oid);
	der_tlv(out, DER_OCTET_STRING, bytes_of(iv, cipher->block));
	der_close(out, alg, DER_SEQUENCE);
	der_tlv(out, DER_CTX_PRIM(0), ciphertext);
	der_close(out, at, DER_SEQUENCE);
}

/* recipient: the one RecipientInfo. Version 3 is for a password, 0 for issuer and serial (RFC 5652, 6.1; P-88). */
static void write_enveloped(struct buf *out, int version, struct bytes recipient, const struct cipher_row *cipher, const uint8_t *iv,
    struct bytes ciphertext)
{
	size_t explicit_at, at = begin_content(out, OID_ENVELOPED_DATA, &explicit_at), data = der_open(out);

	der_int(out, version);
	der_tlv(out, DER_SET, recipient);
	write_encrypted(out, cipher, iv, ciphertext);
	der_close(out, data, DER_SEQUENCE);
	end_content(out, at, explicit_at);
}

/*
 * A fresh content key. (Triple-)DES keys have odd parity in every octet, as FIPS 46-3 wants it: ciphers ignore it, but old tokens and
 * libraries refuse keys without.
 */
static bool fresh_key(const struct cipher_row *cipher, uint8_t *key)
{
	if (gnutls_rnd(GNUTLS_RND_KEY, key, cipher->key_size) != 0)
		return false;
	for (size_t i = 0; cipher->block == 8 && i < cipher->key_size; i++)
		key[i] = (uint8_t)((key[i] & 0xfe) | (__builtin_popcount(key[i] & 0xfe) % 2 == 0));
	return true;
}

/* Who gets the content key: `to` with its key, or whoever knows `password`. */
struct addressee {
	const struct cert *to;
	const struct pubkey *to_key;	/* NULL: the password */
	struct bytes password;
	const struct digest_row *prf;
};

static enum err add_recipient(struct buf *out, const struct addressee *who, struct bytes cek, const struct cipher_row *cipher,
    struct why *why)
{
	struct buf wrapped = {0};
	enum err err;

	if (who->to_key == NULL)
		return pwri_write(out, cek, who->password, cipher, who->prf, why);
	err = pubkey_wrap(who->to_key, cek, &wrapped, why);
	if (err == ERR_OK)
		write_recipient(out, who->to, buf_bytes(&wrapped));
	buf_free(&wrapped);
	return err;
}

static enum err seal(struct buf *out, struct bytes plain, const struct addressee *who, const struct cipher_row *cipher, struct why *why)
{
	uint8_t cek[MAX_KEY_SIZE], iv[MAX_BLOCK];
	struct buf recipient = {0}, ciphertext = {0};
	enum err err;

	if (!fresh_key(cipher, cek) || gnutls_rnd(GNUTLS_RND_NONCE, iv, sizeof(iv)) != 0)
		return fail(why, ERR_INTERNAL, "no random numbers");
	err = add_recipient(&recipient, who, bytes_of(cek, cipher->key_size), cipher, why);
	if (err == ERR_OK) {
		cipher_encrypt(cipher, cek, iv, plain, &ciphertext);
		write_enveloped(out, who->to_key == NULL ? 3 : 0, buf_bytes(&recipient), cipher, iv, buf_bytes(&ciphertext));
	}
	mem_wipe(cek, sizeof(cek));
	buf_free(&recipient);
	buf_free(&ciphertext);
	return err;
}

enum err cms_envelope_write(struct buf *out, struct bytes plain, const struct cert *to, const struct pubkey *to_key,
    const struct cipher_row *cipher, struct why *why)
{
	if (pubkey_kind(to_key).type != KEY_RSA)
		return fail(why, ERR_ALG, "the recipient's key is not RSA: it cannot receive an envelope");
	return seal(out, plain, &(struct addressee){.to = to, .to_key = to_key}, cipher, why);
}

enum err cms_envelope_write_password(struct buf *out, struct bytes plain, struct bytes password, const struct cipher_row *cipher,
    const struct digest_row *prf, struct why *why)
{
	return seal(out, plain, &(struct addressee){.password = password, .prf = prf}, cipher, why);
}

/* --- SignedData -------------------------------------------------------------------------------------------------- */

void cms_attr_write(struct buf *out, const char *oid, struct bytes value)
{
	size_t at = der_open(out), set;

	der_oid(out, oid);
	set = der_open(out);
	buf_add_bytes(out, value);
	der_close(out, set, DER_SET);
	der_close(out, at, DER_SEQUENCE);
}

/* The attributes as they are signed: a DER SET OF, sorted (RFC 5652, 5.4; P-169, P-170). */
static void write_attrs(struct buf *set, const struct cms_sign_spec *spec)
{
	uint8_t digest[64];
	size_t n = digest_of(spec->digest, spec->content, digest);
	size_t at = der_open(set);
	struct buf value = {0};

	der_oid(&value, OID_DATA);
	cms_attr_write(set, OID_CONTENT_TYPE, buf_bytes(&value));
	buf_cut(&value, 0);
	der_tlv(&value, DER_OCTET_STRING, bytes_of(digest, n));
	cms_attr_write(set, OID_MESSAGE_DIGEST, buf_bytes(&value));
	if (spec->signing_time != 0) {
		buf_cut(&value, 0);
		der_time(&value, spec->signing_time);
		cms_attr_write(set, OID_SIGNING_TIME, buf_bytes(&value));
	}
	buf_free(&value);
	buf_add_bytes(set, spec->attrs);
	der_close_set_of(set, at, DER_SET);
}

/* P-201: rsaEncryption whatever the digest; strongSwan refuses sha256WithRSAEncryption here. */
static void write_sig_alg(struct buf *out, const struct cms_sign_spec *spec)
{
	struct key_kind kind = key_kind(spec->key);

	if (kind.type == KEY_RSA)
		der_algorithm(out, OID_RSA, true);
	else
		sig_alg_write(out, kind, spec->digest);
}

static void write_signer(struct buf *out, const struct cms_sign_spec *spec, const struct buf *attrs, struct bytes signature)
{
	size_t at = der_open(out), tag_at;

	der_int(out, 1);
	write_issuer_and_serial(out, spec->cert);
	write_digest_alg(out, spec->digest);
	tag_at = out->n;
	buf_add_bytes(out, buf_bytes(attrs));
	out->p[tag_at] = DER_CTX(0);
	write_sig_alg(out, spec);
	der_tlv(out, DER_OCTET_STRING, signature);
	der_close(out, at, DER_SEQUENCE);
}

static void write_encap(struct buf *out, enum cms_content present, struct bytes content)
{
	size_t at = der_open(out), explicit_at;

	der_oid(out, OID_DATA);
	if (present == CMS_CONTENT_PRESENT) {
		explicit_at = der_open(out);
		der_tlv(out, DER_OCTET_STRING, content);
		der_close(out, explicit_at, DER_CTX(0));
	}
	der_close(out, at, DER_SEQUENCE);
}

static void write_signed(struct buf *out, const struct cms_sign_spec *spec, const struct buf *attrs, struct bytes signature)
{
	size_t explicit_at, at = begin_content(out, OID_SIGNED_DATA, &explicit_at), data = der_open(out), set;

	der_int(out, 1);
	set = der_open(out);
	write_digest_alg(out, spec->digest);
	der_close(out, set, DER_SET);
	write_encap(out, spec->present, spec->content);
	set = der_open(out);
	buf_add_bytes(out, buf_bytes(&spec->cert->der));
	for (size_t i = 0; i < spec->n_extra; i++)
		buf_add_bytes(out, buf_bytes(&spec->extra[i]->der));
	der_close(out, set, DER_CTX(0));	/* not sorted: P-41 */
	set = der_open(out);
	write_signer(out, spec, attrs, signature);
	der_close(out, set, DER_SET);
	der_close(out, data, DER_SEQUENCE);
	end_content(out, at, explicit_at);
}

enum err cms_signed_write(struct buf *out, const struct cms_sign_spec *spec, struct why *why)
{
	struct cms_sign_spec s = *spec;
	struct buf attrs = {0}, signature = {0};
	enum err err;

	if (key_kind(s.key).type == KEY_ED25519)
		s.digest = digest_row(DIGEST_SHA512);	/* RFC 8419, 3.1: the only one */
	write_attrs(&attrs, &s);
	err = key_sign(s.key, s.digest, buf_bytes(&attrs), &signature, why);
	if (err == ERR_OK)
		write_signed(out, &s, &attrs, buf_bytes(&signature));
	buf_free(&attrs);
	buf_free(&signature);
	return err;
}

/* tag: certificates [0] or crls [1] */
static void write_degenerate(struct buf *out, uint8_t tag, const struct bytes *items, size_t n)
{
	size_t explicit_at, at = begin_content(out, OID_SIGNED_DATA, &explicit_at), data = der_open(out), set;

	der_int(out, 1);
	der_tlv(out, DER_SET, (struct bytes){0});
	write_encap(out, CMS_CONTENT_ABSENT, (struct bytes){0});
	set = der_open(out);
	for (size_t i = 0; i < n; i++)
		buf_add_bytes(out, items[i]);
	der_close(out, set, tag);
	der_tlv(out, DER_SET, (struct bytes){0});
	der_close(out, data, DER_SEQUENCE);
	end_content(out, at, explicit_at);
}

void cms_certs_only_write(struct buf *out, const struct bytes *certs, size_t n)
{
	write_degenerate(out, DER_CTX(0), certs, n);
}

void cms_crl_only_write(struct buf *out, struct bytes crl)
{
	write_degenerate(out, DER_CTX(1), &crl, 1);
}
