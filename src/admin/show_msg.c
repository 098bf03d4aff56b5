#include "admin/show.h"

#include <stdio.h>

#include "admin/describe.h"
#include "admin/print.h"
#include "base/mem.h"

/* --- what the responder would answer ------------------------------------------------------------------------------ */

/* The one rule of err.def: a failInfo answers what could be opened, HTTP everything else. */
static void put_answer(struct json_object *o, enum err err)
{
	const struct err_row *row = err_row(err);
	char *text;

	if (row->fail_info == FI_NONE)
		text = mem_printf("HTTP %d: %s", row->http, row->text);
	else
		text = mem_printf("CertRep FAILURE, %s: %s", scep_fail_info_name(row->fail_info), row->text);
	put_text(o, "responder_would_answer", text);
	mem_wipe_free(text);
}

/* --- the parts ---------------------------------------------------------------------------------------------------- */

static void put_signer_id(struct json_object *o, const struct cms_signer_id *id)
{
	if (id->skid.n > 0) {
		put_hex(o, "subject_key_id", id->skid);
		return;
	}
	put_name(o, "issuer", id->issuer);
	put_hex(o, "serial", id->serial);
}

static void put_password(const struct cms_recipient *r, struct json_object *o)
{
	char text[60];

	snprintf(text, sizeof(text), "PBKDF2, HMAC-%s, %lu iterations", r->pwri.prf->name, r->pwri.iterations);
	put_text(o, "derivation", text);
	put_text(o, "key_cipher", r->pwri.cipher->name);
}

static void put_recipients(const struct cms_enveloped *e, struct json_object *o)
{
	static const char *const kinds[] = {"key transport", "password", "other"};
	struct json_object *list = json_object_new_array(), *item;
	size_t i;

	for (i = 0; i < e->n_recipients; i++) {
		const struct cms_recipient *r = &e->recipients[i];

		item = json_object_new_object();
		put_text(item, "by", kinds[r->kind]);
		if (r->kind == RECIPIENT_KTRI) {
			put_signer_id(item, &r->rid);
			put_text(item, "algorithm", r->alg_oid);
			put_int(item, "encrypted_key_octets", (long)r->encrypted_key.n);
		} else if (r->kind == RECIPIENT_PWRI && r->pwri.prf != NULL) {
			put_password(r, item);
		}
		json_object_array_add(list, item);
	}
	json_object_object_add(o, "recipients", list);
}

static void put_envelope(const struct cms_enveloped *e, struct json_object *o)
{
	put_text(o, "cipher", e->cipher != NULL ? e->cipher->name : e->cipher_oid);
	put_int(o, "ciphertext_octets", (long)e->ciphertext.n);
	put_recipients(e, o);
}

static void put_certs(struct show *show, const struct cms_signed *cms, struct json_object *o)
{
	struct json_object *list = json_object_new_array(), *item;
	size_t i;

	for (i = 0; i < cms->n_certs; i++) {
		item = json_object_new_object();
		show_cert(show, cms->certs[i], item);
		json_object_object_del(item, "kind");
		json_object_array_add(list, item);
	}
	json_object_object_add(o, "certificates", list);
}

static void put_issuer_and_subject(struct show *show, struct bytes plain, struct json_object *o)
{
	struct bytes issuer, subject;
	struct why why = {0};

	put_text(o, "kind", "IssuerAndSubject");
	if (scep_issuer_and_subject(plain, &issuer, &subject, &why) != ERR_OK) {
		show_problem(show, o, &why);
		return;
	}
	put_name(o, "issuer", issuer);
	put_name(o, "subject", subject);
}

static void put_issuer_and_serial(struct show *show, struct bytes plain, struct json_object *o)
{
	struct bytes issuer, serial;
	struct why why = {0};

	put_text(o, "kind", "IssuerAndSerialNumber");
	if (scep_issuer_and_serial(plain, &issuer, &serial, &why) != ERR_OK) {
		show_problem(show, o, &why);
		return;
	}
	put_name(o, "issuer", issuer);
	put_hex(o, "serial", serial);
}

/* What was in the envelope, by the message's type. */
static void put_plain(struct show *show, int type, struct bytes plain, struct json_object *o)
{
	struct json_object *inner = json_object_new_object();

	switch (type) {
	case SCEP_PKCSREQ:
	case SCEP_RENEWALREQ:
		show_csr_parts(show, plain, inner);
		break;
	case SCEP_CERTPOLL:
		put_issuer_and_subject(show, plain, inner);
		break;
	case SCEP_GETCERT:
	case SCEP_GETCRL:
		put_issuer_and_serial(show, plain, inner);
		break;
	case SCEP_CERTREP:
		show_signed(show, plain, inner);
		break;
	default:
		put_int(inner, "octets", (long)plain.n);
		break;
	}
	json_object_object_add(o, "content", inner);
}

/* --- a pkiMessage ------------------------------------------------------------------------------------------------- */

static void put_status(const struct scep_msg *msg, struct json_object *o)
{
	static const char *const names[] = {"SUCCESS", NULL, "FAILURE", "PENDING"};
	char text[40];

	if (msg->status >= 0) {
		const char *name = msg->status < 4 ? names[msg->status] : NULL;

		snprintf(text, sizeof(text), "%s (%d)", name != NULL ? name : "unknown", msg->status);
		put_text(o, "status", text);
	}
	if (msg->fail_info >= 0) {
		snprintf(text, sizeof(text), "%s (%d)", scep_fail_info_name(msg->fail_info), msg->fail_info);
		put_text(o, "fail_info", text);
	}
	if (msg->fail_info_text.n > 0)
		put_bytes(o, "fail_info_text", msg->fail_info_text);
}

static void put_attributes(const struct scep_msg *msg, struct json_object *o)
{
	struct json_object *signer = json_object_new_object();
	char type[40];

	snprintf(type, sizeof(type), "%s (%d)", scep_type_name(msg->type), msg->type);
	put_text(o, "kind", "SCEP message");
	put_text(o, "message_type", type);
	put_bytes(o, "transaction_id", msg->txid);
	put_hex(o, "sender_nonce", msg->sender_nonce);
	if (msg->recipient_nonce.n > 0)
		put_hex(o, "recipient_nonce", msg->recipient_nonce);
	put_status(msg, o);
	put_text(o, "digest", msg->cms->digest != NULL ? msg->cms->digest->name : msg->cms->digest_oid);
	if (msg->signer != NULL) {
		describe_cert(signer, msg->signer);
		put_bool(signer, "self_signed", cert_is_self_signed(msg->signer));
	} else {
		put_signer_id(signer, &msg->cms->sid);
	}
	json_object_object_add(o, "signer", signer);
	put_int(o, "certificates_inside", (long)msg->cms->n_certs);
}

static void put_message_envelope(const struct scep_msg *msg, struct json_object *o)
{
	struct cms_enveloped *e = NULL;
	struct json_object *inner;

	if (msg->cms->content.n == 0 || cms_enveloped_parse(msg->cms->content, &e, NULL) != ERR_OK)
		return;		/* scep_unseal says what is wrong with it */
	inner = json_object_new_object();
	put_envelope(e, inner);
	json_object_object_add(o, "envelope", inner);
	cms_enveloped_free(e);
}

static bool is_certify(const struct scep_msg *msg)
{
	return msg->type == SCEP_PKCSREQ || msg->type == SCEP_RENEWALREQ;
}

/* What must hold before the envelope matters. */
static enum err check_request(const struct scep_msg *msg, struct why *why)
{
	if (!is_certify(msg) && msg->type != SCEP_CERTPOLL && msg->type != SCEP_GETCERT && msg->type != SCEP_GETCRL)
		return fail(why, ERR_TYPE, "message type %d (%s) is not served", msg->type, scep_type_name(msg->type));
	return ERR_OK;
}

/* By a key where one fits, by the challenge otherwise. */
static enum err unseal(const struct show *show, struct scep_msg *msg, struct buf *plain, struct why *why)
{
	enum err err = ERR_RECIPIENT;

	if (show->n_to > 0)
		err = scep_unseal(msg, show->to, show->n_to, &show->algs, plain, why);
	if (err == ERR_RECIPIENT && show->password.n > 0)
		err = scep_unseal_password(msg, show->password, &show->algs, plain, why);
	return err;
}

/* Verifies, opens and judges in the responder's order; the first error is what it would answer. */
static enum err examine(struct show *show, struct scep_msg *msg, struct json_object *o, struct why *why)
{
	struct buf plain = {0};
	enum err err = scep_verify(msg, &show->limits, &show->algs, why);

	if (err != ERR_OK)
		return err;
	put_text(o, "signature", "right");
	if (msg->type == SCEP_CERTREP && msg->status != SCEP_SUCCESS)
		return ERR_OK;		/* it has no envelope */
	if (msg->type != SCEP_CERTREP && (err = check_request(msg, why)) != ERR_OK)
		return err;
	if (show->n_to == 0 && show->password.n == 0) {
		put_text(o, "content", "(sealed: --profile, or --cert and --key of the recipient, or --challenge-file, open it)");
		return ERR_OK;
	}
	err = unseal(show, msg, &plain, why);
	if (err == ERR_OK) {
		put_plain(show, msg->type, buf_bytes(&plain), o);
		if (is_certify(msg))
			err = show_judge(show, msg, buf_bytes(&plain), o, why);
	}
	buf_wipe(&plain);
	return err;
}

static void show_message(struct show *show, struct scep_msg *msg, struct json_object *o)
{
	struct why why = {0};
	enum err err;

	put_attributes(msg, o);
	put_message_envelope(msg, o);
	err = examine(show, msg, o, &why);
	if (err == ERR_OK)
		return;
	show_problem(show, o, &why);
	if (msg->type != SCEP_CERTREP)
		put_answer(o, err);
}

/* --- SignedData and EnvelopedData as such ------------------------------------------------------------------------- */

/* Signed, but no SCEP message: what could be read of it. */
static void put_signed_parts(const struct cms_signed *cms, struct json_object *o)
{
	struct json_object *attrs = json_object_new_object(), *sid = json_object_new_object();
	size_t i;

	put_text(o, "kind", "signed data (CMS)");
	put_int(o, "content_octets", (long)cms->content.n);
	put_text(o, "digest", cms->digest != NULL ? cms->digest->name : cms->digest_oid);
	put_signer_id(sid, &cms->sid);
	json_object_object_add(o, "signer", sid);
	for (i = 0; i < cms->n_attrs; i++)
		put_hex(attrs, cms->attrs[i].oid, bytes_cut(cms->attrs[i].value, 0, 128));
	json_object_object_add(o, "signed_attributes", attrs);
}

static void put_crl_only(struct show *show, const struct cms_signed *cms, struct json_object *o)
{
	struct json_object *inner = json_object_new_object();

	put_text(o, "kind", "revocation list only (CMS)");
	show_crl(show, cms->crl, inner);
	json_object_object_del(inner, "kind");
	json_object_object_add(o, "revocation_list", inner);
}

void show_signed(struct show *show, struct bytes in, struct json_object *o)
{
	struct cms_signed *cms = NULL;
	struct scep_msg *msg = NULL;
	struct why why = {0}, ignored;
	enum err err = scep_open(in, &msg, &why);

	if (err == ERR_OK) {
		show_message(show, msg, o);
		scep_msg_free(msg);
		return;
	}
	if (cms_signed_parse(in, &cms, &ignored) != ERR_OK) {
		put_text(o, "kind", "signed data (CMS)");
	} else if (!cms->has_signer && cms->n_certs > 0 && cms->content.n == 0) {
		put_text(o, "kind", "certificates only (CMS)");
		put_certs(show, cms, o);
		cms_signed_free(cms);
		return;
	} else if (!cms->has_signer && cms->crl.n > 0 && cms->content.n == 0) {
		put_crl_only(show, cms, o);
		cms_signed_free(cms);
		return;
	} else {
		put_signed_parts(cms, o);
		put_certs(show, cms, o);
	}
	show_problem(show, o, &why);
	put_answer(o, err);
	cms_signed_free(cms);
}

static enum err open_envelope(const struct show *show, const struct cms_enveloped *e, struct buf *plain, struct why *why)
{
	const struct cms_recipient *r;

	for (size_t i = 0; i < show->n_to; i++) {
		if ((r = cms_recipient_find(e, show->to[i].cert)) != NULL)
			return cms_enveloped_open(e, r, show->to[i].key, &show->algs, plain, why);
	}
	return show->password.n > 0 ? cms_enveloped_open_password(e, show->password, &show->algs, plain, why) : ERR_RECIPIENT;
}

void show_enveloped(struct show *show, struct bytes in, struct json_object *o)
{
	struct cms_enveloped *e = NULL;
	struct buf plain = {0};
	struct why why = {0};
	struct json_object *inner;
	enum err err;

	put_text(o, "kind", "enveloped data (CMS)");
	if (cms_enveloped_parse(in, &e, &why) != ERR_OK) {
		show_problem(show, o, &why);
		return;
	}
	put_envelope(e, o);
	err = open_envelope(show, e, &plain, &why);
	if (err == ERR_OK) {
		inner = json_object_new_object();
		show_item(show, buf_bytes(&plain), inner);
		json_object_object_add(o, "content", inner);
	} else if (why.text[0] != '\0') {	/* empty: nobody was given who could open it */
		show_problem(show, o, &why);
	}
	buf_wipe(&plain);
	cms_enveloped_free(e);
}
