/* Writing pkiMessages: the CertRep, and what a client sends. */
#include "pki/der.h"
#include "pki/oid.h"
#include "scep/msg.h"

#define FAIL_TEXT_MAX 255	/* P-71 */

static void attr_tlv(struct buf *out, const char *oid, uint8_t tag, struct bytes content)
{
	struct buf value = {0};

	der_tlv(&value, tag, content);
	cms_attr_write(out, oid, buf_bytes(&value));
	buf_free(&value);
}

/* messageType, pkiStatus and failInfo are decimal text (P-67). */
static void attr_number(struct buf *out, const char *oid, int number)
{
	struct buf text = {0};

	buf_printf(&text, "%d", number);
	attr_tlv(out, oid, DER_PRINTABLE, buf_bytes(&text));
	buf_free(&text);
}

/* Cut to its limit, never inside a UTF-8 sequence. */
static struct bytes fail_text(const char *text)
{
	struct bytes b = bytes_str(text);

	if (b.n <= FAIL_TEXT_MAX)
		return b;
	b.n = FAIL_TEXT_MAX;
	while (b.n > 0 && (b.p[b.n] & 0xc0) == 0x80)
		b.n--;
	return b;
}

static void certrep_attrs(const struct scep_msg *msg, const struct scep_reply *reply, const uint8_t *nonce, struct buf *out)
{
	attr_number(out, OID_SCEP_MESSAGE_TYPE, SCEP_CERTREP);
	attr_number(out, OID_SCEP_PKI_STATUS, reply->status);
	if (reply->status == SCEP_FAILURE) {
		attr_number(out, OID_SCEP_FAIL_INFO, reply->fail_info);
		if (reply->fail_text != NULL && reply->fail_text[0] != '\0')
			attr_tlv(out, OID_SCEP_FAIL_INFO_TEXT, DER_UTF8, fail_text(reply->fail_text));
	}
	attr_tlv(out, OID_SCEP_SENDER_NONCE, DER_OCTET_STRING, bytes_of(nonce, SCEP_NONCE_SIZE));
	attr_tlv(out, OID_SCEP_RECIPIENT_NONCE, DER_OCTET_STRING, msg->sender_nonce);
	attr_tlv(out, OID_SCEP_TRANSACTION_ID, msg->txid_tag, msg->txid);	/* byte for byte: P-62 */
}

/* The request's own cipher when it is accepted (the client can surely read that), AES-128 otherwise (P-83). */
static const struct cipher_row *reply_cipher(const struct scep_msg *msg, const struct alg_set *algs)
{
	const struct cipher_row *row = NULL;
	struct cms_enveloped *e = NULL;

	if (msg->envelope != NULL) {
		row = msg->envelope->cipher;
	} else if (cms_enveloped_parse(msg->cms->content, &e, NULL) == ERR_OK) {	/* a CertPoll answered unread: P-134 */
		row = e->cipher;
		cms_enveloped_free(e);
	}
	return row != NULL && alg_set_has_cipher(algs, row) ? row : cipher_row(CIPHER_AES128);
}

static const struct digest_row *reply_digest(const struct scep_msg *msg, const struct alg_set *algs)
{
	const struct digest_row *row = msg->cms->digest;

	return row != NULL && alg_set_has_digest(algs, row) ? row : digest_row(DIGEST_SHA256);
}

/*
 * P-91. A client that signs with SHA-1, or wrapped under a password with HMAC-SHA-1 beside what it encrypted to us, may know no other; PBKDF2
 * loses nothing by it.
 */
static const struct digest_row *reply_prf(const struct scep_msg *msg)
{
	const struct digest_row *sha1 = digest_row(DIGEST_SHA1);

	if (msg->cms->digest == sha1)
		return sha1;
	for (size_t i = 0; msg->envelope != NULL && i < msg->envelope->n_recipients; i++) {
		if (msg->envelope->recipients[i].pwri.prf == sha1)
			return sha1;
	}
	return digest_row(DIGEST_SHA256);
}

/* SUCCESS: the certificates, or the CRL, alone in a SignedData, enveloped to whoever signed the request (P-81, P-124 to P-126). */
static enum err seal_content(const struct scep_msg *msg, const struct scep_reply *reply, const struct alg_set *algs,
    struct buf *out, struct why *why)
{
	struct buf content = {0};
	enum err err;

	if (msg->signer_key == NULL || (reply->n_certs == 0 && reply->crl.n == 0))
		return fail(why, ERR_INTERNAL, "a CertRep SUCCESS needs a verified request, and a certificate or a CRL");
	if (reply->crl.n > 0)
		cms_crl_only_write(&content, reply->crl);
	else
		cms_certs_only_write(&content, reply->certs, reply->n_certs);
	if (pubkey_kind(msg->signer_key).type != KEY_RSA && reply->password.n > 0)
		err = cms_envelope_write_password(out, buf_bytes(&content), reply->password, reply_cipher(msg, algs), reply_prf(msg), why);
	else
		err = cms_envelope_write(out, buf_bytes(&content), msg->signer, msg->signer_key, reply_cipher(msg, algs), why);
	buf_free(&content);
	return err;
}

enum err scep_certrep_write(const struct scep_msg *msg, const struct scep_reply *reply, const struct scep_signer *by,
    const struct alg_set *algs, time_t now, const uint8_t nonce[SCEP_NONCE_SIZE], struct buf *out, struct why *why)
{
	struct cms_sign_spec spec = {.signing_time = now, .key = by->key, .cert = by->cert, .digest = reply_digest(msg, algs)};
	struct buf attrs = {0}, content = {0};
	enum err err;

	if (reply->status == SCEP_SUCCESS) {
		err = seal_content(msg, reply, algs, &content, why);
		if (err != ERR_OK)
			goto out;
	}
	spec.present = reply->status == SCEP_SUCCESS || reply->empty_content ? CMS_CONTENT_PRESENT : CMS_CONTENT_ABSENT;
	spec.content = buf_bytes(&content);
	certrep_attrs(msg, reply, nonce, &attrs);
	spec.attrs = buf_bytes(&attrs);
	err = cms_signed_write(out, &spec, why);
out:
	buf_free(&attrs);
	buf_free(&content);
	return err;
}

enum err scep_request_write(const struct scep_request *req, struct buf *out, struct why *why)
{
	static const struct key_limits any = {.min_rsa = 1024, .max_rsa = 16384};
	struct cms_sign_spec spec = {
	    .present = CMS_CONTENT_PRESENT, .key = req->by.key, .cert = req->by.cert, .digest = req->digest};
	struct buf attrs = {0}, content = {0};
	struct pubkey *to = NULL;
	enum err err;

	err = pubkey_import(req->to->spki, &any, &to, why);
	if (err == ERR_OK)
		err = cms_envelope_write(&content, req->plain, req->to, to, req->cipher, why);
	if (err != ERR_OK)
		goto out;
	attr_number(&attrs, OID_SCEP_MESSAGE_TYPE, req->type);
	attr_tlv(&attrs, OID_SCEP_SENDER_NONCE, DER_OCTET_STRING, bytes_of(req->nonce, SCEP_NONCE_SIZE));
	attr_tlv(&attrs, OID_SCEP_TRANSACTION_ID, DER_PRINTABLE, req->txid);
	spec.attrs = buf_bytes(&attrs);
	spec.content = buf_bytes(&content);
	err = cms_signed_write(out, &spec, why);
out:
	pubkey_free(to);
	buf_free(&attrs);
	buf_free(&content);
	return err;
}

void scep_issuer_and_subject_write(struct bytes issuer, struct bytes subject, struct buf *out)
{
	size_t at = der_open(out);

	buf_add_bytes(out, issuer);
	buf_add_bytes(out, subject);
	der_close(out, at, DER_SEQUENCE);
}
