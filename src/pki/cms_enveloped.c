#include <gnutls/crypto.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "pki/cms_part.h"
#include "pki/der.h"
#include "pki/oid.h"
#include "pki/pwri.h"

enum { STORE_INPUT, STORE_FIELDS };

/*
 * Triple-DES costs 30 us a KiB, a hundred times AES: 1 MiB of it would cost 30 ms before anything is known about the sender. A
 * SCEP request is a few KiB.
 */
#define MAX_DES_OCTETS ((size_t)128 << 10)
#define MAX_KEY_SIZE PWRI_MAX_CEK

/* What we cannot use stays empty: another recipient may be ours. */
static void read_password(asn1_node node, struct bytes in, struct cms_pwri *out)
{
	struct bytes derivation, encryption;

	if (asn_view(node, "keyDerivationAlgorithm", in, &derivation) && asn_view(node, "keyEncryptionAlgorithm", in, &encryption))
		pwri_read(derivation, encryption, out);
}

static enum err read_recipient(struct bytes in, struct cms_enveloped *e, struct why *why)
{
	struct buf *store = &e->store[STORE_FIELDS];
	struct cms_recipient *r = &e->recipients[e->n_recipients];
	asn1_node node;
	enum err err;
	bool ok;

	r->kind = in.p[0] == DER_SEQUENCE ? RECIPIENT_KTRI : in.p[0] == DER_CTX(3) ? RECIPIENT_PWRI : RECIPIENT_OTHER;
	e->n_recipients++;
	if (r->kind == RECIPIENT_OTHER)
		return ERR_OK;
	err = asn_decode(r->kind == RECIPIENT_KTRI ? "KeyTransRecipientInfo" : "PasswordRecipientInfo", in, &node, why);
	if (err != ERR_OK)
		return err;
	ok = asn_oid(node, "keyEncryptionAlgorithm.algorithm", r->alg_oid) &&
	    asn_octets(node, "encryptedKey", in, DER_OCTET_STRING, store, &r->encrypted_key) &&
	    (r->kind == RECIPIENT_PWRI || cms_id_read(node, "rid", in, store, &r->rid));
	if (ok && r->kind == RECIPIENT_PWRI)
		read_password(node, in, &r->pwri);
	asn1_delete_structure(&node);
	return ok ? ERR_OK : fail(why, ERR_SYNTAX, "RecipientInfo is incomplete");
}

static enum err read_recipients(asn1_node node, struct bytes in, struct cms_enveloped *e, struct why *why)
{
	size_t n = asn_count(node, "recipientInfos");
	struct bytes tlv;
	enum err err = ERR_OK;

	if (n == 0 || n > CMS_MAX_RECIPIENTS)
		return fail(why, ERR_SYNTAX, "%zu recipients; 1 to %d are allowed", n, CMS_MAX_RECIPIENTS);
	for (size_t i = 0; i < n && err == ERR_OK; i++) {
		if (!asn_member(node, "recipientInfos", i, in, &tlv))
			return fail(why, ERR_SYNTAX, "RecipientInfo is unreadable");
		err = read_recipient(tlv, e, why);
	}
	return err;
}

/* Cipher, IV and ciphertext; their sizes are checked here, before any private-key operation (P-86). */
static enum err read_content(asn1_node node, struct bytes in, struct cms_enveloped *e, struct why *why)
{
	char type[ASN_OID_SIZE];
	struct bytes parameters = {0};
	struct tlv iv;

	if (!asn_oid(node, "encryptedContentInfo.contentType", type) || strcmp(type, OID_DATA) != 0)
		return fail(why, ERR_SYNTAX, "encrypted content is not of type id-data");
	if (!asn_oid(node, "encryptedContentInfo.contentEncryptionAlgorithm.algorithm", e->cipher_oid))
		return fail(why, ERR_SYNTAX, "contentEncryptionAlgorithm is unreadable");
	if (!asn_octets(node, "encryptedContentInfo.encryptedContent", in, DER_CTX_PRIM(0), &e->store[STORE_FIELDS], &e->ciphertext))
		return fail(why, ERR_SYNTAX, "encryptedContent is missing or not an OCTET STRING");
	e->cipher = cipher_by_oid(e->cipher_oid);
	if (e->cipher == NULL)
		return ERR_OK;
	if (!asn_view(node, "encryptedContentInfo.contentEncryptionAlgorithm.parameters", in, &parameters) ||
	    !der_whole(parameters, DER_OCTET_STRING, &iv) || iv.body.n != e->cipher->block)
		return fail(why, ERR_SYNTAX, "%s without an IV of %zu octets", e->cipher->name, e->cipher->block);
	if (e->ciphertext.n == 0 || e->ciphertext.n % e->cipher->block != 0)
		return fail(why, ERR_SYNTAX, "%zu octets of ciphertext are not whole blocks of %s", e->ciphertext.n, e->cipher->name);
	e->iv = iv.body;
	return ERR_OK;
}

enum err cms_enveloped_parse(struct bytes in, struct cms_enveloped **out, struct why *why)
{
	struct cms_enveloped *e = mem_alloc(sizeof(*e));
	struct bytes content;
	asn1_node node = NULL;
	enum err err;

	asn_reserve(&e->store[STORE_FIELDS], in.n);
	err = cms_unwrap(in, OID_ENVELOPED_DATA, &e->store[STORE_INPUT], &content, why);
	if (err == ERR_OK)
		err = asn_decode("EnvelopedData", content, &node, why);
	if (err == ERR_OK)
		err = read_recipients(node, content, e, why);
	if (err == ERR_OK)
		err = read_content(node, content, e, why);
	asn1_delete_structure(&node);
	if (err != ERR_OK) {
		cms_enveloped_free(e);
		return err;
	}
	*out = e;
	return ERR_OK;
}

void cms_enveloped_free(struct cms_enveloped *e)
{
	if (e == NULL)
		return;
	for (size_t i = 0; i < sizeof(e->store) / sizeof(e->store[0]); i++)
		buf_free(&e->store[i]);
	free(e);
}

const struct cms_recipient *cms_recipient_find(const struct cms_enveloped *e, const struct cert *cert)
{
	for (size_t i = 0; i < e->n_recipients; i++) {
		const struct cms_recipient *r = &e->recipients[i];

		if (r->kind == RECIPIENT_KTRI && cert_is_named(cert, r->rid.issuer, r->rid.serial, r->rid.skid))
			return r;
	}
	return NULL;
}

/* The content cipher, whatever the kind of recipient. */
static enum err check_cipher(const struct cms_enveloped *e, const struct alg_set *algs, struct why *why)
{
	if (e->cipher == NULL || (algs != NULL && !alg_set_has_cipher(algs, e->cipher)))
		return fail(why, ERR_ALG, "content cipher %s is not accepted", e->cipher != NULL ? e->cipher->name : e->cipher_oid);
	if (e->cipher->block == 8 && e->ciphertext.n > MAX_DES_OCTETS)
		return fail(why, ERR_ALG, "%zu octets of %s; at most %zu are decrypted", e->ciphertext.n, e->cipher->name, MAX_DES_OCTETS);
	return ERR_OK;
}

/* Everything that the sender could do wrong openly; what only the private key can tell is UNSEAL. */
static enum err check_transport(const struct cms_recipient *r, struct why *why)
{
	if (r->kind != RECIPIENT_KTRI)
		return fail(why, ERR_ALG, "the content key is not sent by RSA key transport");
	if (strcmp(r->alg_oid, OID_RSA_OAEP) == 0)
		return fail(why, ERR_ALG, "RSA-OAEP key transport is not supported: the client has to use PKCS#1 v1.5 (rsaEncryption)");
	if (strcmp(r->alg_oid, OID_RSA) != 0)
		return fail(why, ERR_ALG, "key transport %s is not supported", r->alg_oid);
	return ERR_OK;
}

static enum err decrypt(const struct cms_enveloped *e, const uint8_t *cek, struct buf *out, struct why *why)
{
	if (cipher_decrypt(e->cipher, cek, e->iv.p, e->ciphertext, out) == ERR_OK)
		return ERR_OK;
	return fail(why, ERR_UNSEAL, "the envelope does not decrypt: wrong key or damaged");
}

enum err cms_enveloped_open(const struct cms_enveloped *e, const struct cms_recipient *r, const struct key *key,
    const struct alg_set *algs, struct buf *out, struct why *why)
{
	uint8_t cek[MAX_KEY_SIZE];
	enum err err;

	if ((err = check_cipher(e, algs, why)) != ERR_OK || (err = check_transport(r, why)) != ERR_OK)
		return err;
	/* A key that does not unwrap leaves this random one in place: decrypting fails later, as for any wrong key (P-85). */
	if (gnutls_rnd(GNUTLS_RND_KEY, cek, sizeof(cek)) != 0)
		return fail(why, ERR_INTERNAL, "no random numbers");
	err = key_unwrap(key, r->encrypted_key, cek, e->cipher->key_size, why);
	if (err == ERR_OK)
		err = decrypt(e, cek, out, why);
	mem_wipe(cek, sizeof(cek));
	return err;
}

/* Before any key is derived: what is asked for is accepted, and all of it together is affordable (P-90). */
static enum err check_passwords(const struct cms_enveloped *e, const struct alg_set *algs, struct why *why)
{
	unsigned long iterations = 0;
	size_t n = 0;

	for (size_t i = 0; i < e->n_recipients; i++) {
		const struct cms_pwri *p = &e->recipients[i].pwri;

		if (e->recipients[i].kind != RECIPIENT_PWRI)
			continue;
		if (p->prf == NULL)
			return fail(why, ERR_ALG, "the content key is not wrapped by PBKDF2 and PWRI-KEK");
		if (algs != NULL && !alg_set_has_cipher(algs, p->cipher))
			return fail(why, ERR_ALG, "key wrapping with %s is not accepted", p->cipher->name);
		iterations += p->iterations;
		n++;
	}
	if (n == 0)
		return fail(why, ERR_RECIPIENT, "the envelope is not for a password");
	if (iterations > CMS_MAX_ITERATIONS)
		return fail(why, ERR_ALG, "%lu iterations of PBKDF2; at most %d are done", iterations, CMS_MAX_ITERATIONS);
	return ERR_OK;
}

enum err cms_enveloped_open_password(const struct cms_enveloped *e, struct bytes password, const struct alg_set *algs,
    struct buf *out, struct why *why)
{
	uint8_t cek[MAX_KEY_SIZE];
	enum err err;

	if ((err = check_cipher(e, algs, why)) != ERR_OK || (err = check_passwords(e, algs, why)) != ERR_OK)
		return err;
	if (gnutls_rnd(GNUTLS_RND_KEY, cek, sizeof(cek)) != 0)
		return fail(why, ERR_INTERNAL, "no random numbers");
	for (size_t i = 0; i < e->n_recipients; i++) {
		const struct cms_recipient *r = &e->recipients[i];

		if (r->kind == RECIPIENT_PWRI && pwri_unwrap(&r->pwri, r->encrypted_key, password, cek, e->cipher->key_size))
			break;
	}
	err = decrypt(e, cek, out, why);	/* none: with the random key, which fails like any other (P-85) */
	mem_wipe(cek, sizeof(cek));
	return err;
}
