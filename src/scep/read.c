/* Opening a pkiMessage: structure and signed attributes (RFC 8894, section 3.2.1), then its signature. */
#include <stdlib.h>

#include "base/mem.h"
#include "pki/der.h"
#include "pki/oid.h"
#include "scep/msg.h"

/* RFC 8894 has PrintableString; the two others are tolerated on input (P-69). Anything else is a wrong type. */
static bool text_value(struct bytes value, struct tlv *t)
{
	struct bytes in = value;

	if (!der_next(&in, t) || in.n != 0)
		return false;
	return t->tag == DER_PRINTABLE || t->tag == DER_UTF8 || t->tag == DER_IA5;
}

/* Decimal text (P-67): digits only, no sign, no leading zero. */
static bool decimal_value(struct bytes text, int *out)
{
	int v = 0;

	if (text.n == 0 || text.n > 6 || (text.n > 1 && text.p[0] == '0'))
		return false;
	for (size_t i = 0; i < text.n; i++) {
		if (text.p[i] < '0' || text.p[i] > '9')
			return false;
		v = v * 10 + (text.p[i] - '0');
	}
	*out = v;
	return true;
}

/* Reads a number attribute; -1 when it is not there. */
static enum err number_attr(const struct cms_signed *cms, const char *oid, const char *name, int *out, struct why *why)
{
	const struct cms_attr *attr = cms_attr_find(cms, oid);
	struct tlv t;

	if (attr == NULL) {
		*out = -1;
		return ERR_OK;
	}
	if (!text_value(attr->value, &t))
		return fail(why, ERR_ATTRIBUTE, "attribute %s is not a PrintableString", name);
	if (!decimal_value(t.body, out))
		return fail(why, ERR_ATTRIBUTE, "attribute %s is not a decimal number", name);
	return ERR_OK;
}

static enum err nonce_attr(const struct cms_signed *cms, const char *oid, const char *name, struct bytes *out, struct why *why)
{
	const struct cms_attr *attr = cms_attr_find(cms, oid);
	struct tlv t;

	if (attr == NULL) {
		*out = (struct bytes){0};
		return ERR_OK;
	}
	if (!der_whole(attr->value, DER_OCTET_STRING, &t))
		return fail(why, ERR_ATTRIBUTE, "attribute %s is not an OCTET STRING", name);
	if (t.body.n == 0 || t.body.n > SCEP_NONCE_MAX)
		return fail(why, ERR_ATTRIBUTE, "attribute %s has %zu octets, 1 to %d are accepted", name, t.body.n,
		    SCEP_NONCE_MAX);
	*out = t.body;
	return ERR_OK;
}

static enum err txid_attr(struct scep_msg *msg, struct why *why)
{
	const struct cms_attr *attr = cms_attr_find(msg->cms, OID_SCEP_TRANSACTION_ID);
	struct tlv t;

	if (attr == NULL)
		return fail(why, ERR_ATTRIBUTE, "attribute transactionID is missing");
	if (!text_value(attr->value, &t))
		return fail(why, ERR_ATTRIBUTE, "attribute transactionID is not a PrintableString");
	if (t.body.n == 0 || t.body.n > SCEP_TXID_MAX)
		return fail(why, ERR_ATTRIBUTE, "transactionID has %zu octets, 1 to %d are accepted", t.body.n,
		    SCEP_TXID_MAX);
	msg->txid = t.body;
	msg->txid_tag = t.tag;
	return ERR_OK;
}

/* For humans: taken when it has a string type, ignored otherwise (nothing may depend on it: P-72). */
static void fail_text_attr(struct scep_msg *msg)
{
	const struct cms_attr *attr = cms_attr_find(msg->cms, OID_SCEP_FAIL_INFO_TEXT);
	struct tlv t;

	if (attr != NULL && text_value(attr->value, &t))
		msg->fail_info_text = t.body;
}

/* P-60 to P-69. That no attribute is there twice or with several values is cms_signed_parse's promise. */
static enum err read_attrs(struct scep_msg *msg, struct why *why)
{
	const struct cms_signed *cms = msg->cms;
	enum err err;

	if ((err = number_attr(cms, OID_SCEP_MESSAGE_TYPE, "messageType", &msg->type, why)) != ERR_OK ||
	    (err = number_attr(cms, OID_SCEP_PKI_STATUS, "pkiStatus", &msg->status, why)) != ERR_OK ||
	    (err = number_attr(cms, OID_SCEP_FAIL_INFO, "failInfo", &msg->fail_info, why)) != ERR_OK ||
	    (err = nonce_attr(cms, OID_SCEP_SENDER_NONCE, "senderNonce", &msg->sender_nonce, why)) != ERR_OK ||
	    (err = nonce_attr(cms, OID_SCEP_RECIPIENT_NONCE, "recipientNonce", &msg->recipient_nonce, why)) != ERR_OK ||
	    (err = txid_attr(msg, why)) != ERR_OK)
		return err;
	if (msg->type < 0)
		return fail(why, ERR_ATTRIBUTE, "attribute messageType is missing");
	if (msg->sender_nonce.n == 0)
		return fail(why, ERR_ATTRIBUTE, "attribute senderNonce is missing");
	fail_text_attr(msg);
	msg->random_nonce = cms_attr_find(cms, OID_RANDOM_NONCE) != NULL;
	return ERR_OK;
}

enum err scep_open(struct bytes body, struct scep_msg **out, struct why *why)
{
	struct scep_msg *msg = mem_alloc(sizeof(*msg));
	enum err err;

	err = cms_signed_parse(body, &msg->cms, why);
	if (err != ERR_OK)
		goto out;
	if (!msg->cms->has_signer) {
		err = fail(why, ERR_NO_SIGNER, "the message has no SignerInfo: it is not signed");
		goto out;
	}
	if (msg->cms->signed_attrs.n == 0) {	/* P-52 */
		err = fail(why, ERR_ATTRIBUTE, "the SignerInfo has no signed attributes");
		goto out;
	}
	err = read_attrs(msg, why);
	if (err == ERR_OK && msg->cms->n_certs == 0)
		err = fail(why, ERR_NO_SIGNER, "there is no certificate in the message");
	if (err == ERR_OK && cms_signer_cert(msg->cms, &msg->signer, NULL) != ERR_OK)
		msg->signer = NULL;	/* a CertRep can say so: scep_verify does (P-56, P-99) */
out:
	if (err == ERR_OK)
		*out = msg;
	else
		scep_msg_free(msg);
	return err;
}

void scep_msg_free(struct scep_msg *msg)
{
	if (msg == NULL)
		return;
	cms_enveloped_free(msg->envelope);
	pubkey_free(msg->signer_key);
	cert_free(msg->signer);
	cms_signed_free(msg->cms);
	free(msg);
}

enum err scep_verify(struct scep_msg *msg, const struct key_limits *limits, const struct alg_set *algs, struct why *why)
{
	struct pubkey *pub = NULL;
	enum err err;

	if (msg->signer == NULL)
		return fail(why, ERR_MSG_CHECK, "none of the %zu certificates in the message is the signer's: the one that the SignerInfo names is not there, "
		    "or cannot be read", msg->cms->n_certs);
	err = pubkey_import(msg->signer->spki, limits, &pub, why);
	if (err == ERR_SYNTAX) {	/* the message as such could be read: it is answered by a CertRep (P-99) */
		fail_in(why, "the signer's public key");
		if (why != NULL)
			why->err = ERR_MSG_CHECK;
		return ERR_MSG_CHECK;
	}
	if (err != ERR_OK)
		return err;
	err = cms_signed_verify(msg->cms, pub, algs, why);
	if (err != ERR_OK) {
		pubkey_free(pub);
		return err;
	}
	pubkey_free(msg->signer_key);
	msg->signer_key = pub;
	return ERR_OK;
}
