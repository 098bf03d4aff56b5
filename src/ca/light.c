#include "ca/light.h"

#include <string.h>

#include "base/codec.h"
#include "base/mem.h"
#include "ca/weak.h"
#include "pki/der.h"

#define SCEP_ATTRIBUTES "2.16.840.1.113733.1.9."

/* `in` is a PKCS#10, by its first three tags, with nothing after it but zeros and line ends (P-187). */
static bool is_pkcs10(struct bytes in, struct bytes *raw)
{
	struct tlv outer, info, version;

	if (!der_expect(&in, DER_SEQUENCE, &outer) || !der_expect(&outer.body, DER_SEQUENCE, &info) ||
	    !der_expect(&info.body, DER_INTEGER, &version))
		return false;
	for (size_t i = 0; i < in.n; i++) {
		if (strchr("\r\n", in.p[i]) == NULL)	/* which finds the zero as well */
			return false;
	}
	*raw = outer.raw;
	return true;
}

static bool has_scep_attribute(const struct cms_signed *cms)
{
	for (size_t i = 0; i < cms->n_attrs; i++) {
		if (strncmp(cms->attrs[i].oid, SCEP_ATTRIBUTES, strlen(SCEP_ATTRIBUTES)) == 0)
			return true;
	}
	return false;
}

bool light_shape(struct bytes body)
{
	struct cms_signed *cms = NULL;
	struct bytes raw;
	bool wraps;

	if (is_pkcs10(body, &raw))
		return true;
	if (cms_signed_parse(body, &cms, NULL) != ERR_OK)
		return false;
	wraps = !has_scep_attribute(cms) && is_pkcs10(cms->content, &raw) && raw.n == cms->content.n;
	cms_signed_free(cms);
	return wraps;
}

/* The wrapping's signature, when it has one, is verified like a pkiMessage's; its signer is then held to the same rules. */
static enum err unwrap(struct work *w, struct bytes body, struct bytes *pkcs10, struct why *why)
{
	const struct profile *p = w->env->profile;
	struct scep_msg *msg = w->msg;
	enum err err;

	if (is_pkcs10(body, pkcs10))
		return ERR_OK;
	if ((err = cms_signed_parse(body, &msg->cms, why)) != ERR_OK)
		return err;
	*pkcs10 = msg->cms->content;
	if (!msg->cms->has_signer)
		return ERR_OK;
	err = cms_signer_cert(msg->cms, &msg->signer, why);
	return err == ERR_OK ? scep_verify(msg, &p->limits, &p->algs, why) : err;
}

/* Nobody else has signed: the request's own signature stands for the message's. */
static void sign_by_itself(struct work *w)
{
	struct cert *signer = mem_alloc(sizeof(*signer));

	buf_add_bytes(&signer->der, w->csr->spki);
	signer->spki = buf_bytes(&signer->der);
	w->msg->signer = signer;
}

/* The request itself is its transaction: the same octets get the same answer. */
static void name_transaction(struct work *w)
{
	uint8_t digest[64];
	size_t n = digest_of(digest_row(DIGEST_SHA256), buf_bytes(&w->csr->der), digest);

	hex_encode(&w->out->txid, bytes_of(digest, n));
	w->msg->txid = buf_bytes(&w->out->txid);
}

enum err light_certify(struct work *w, struct bytes body)
{
	const struct profile *p = w->env->profile;
	struct why *why = &w->out->why;
	struct bytes pkcs10;
	enum err err;

	w->msg = mem_alloc(sizeof(*w->msg));
	w->msg->type = SCEP_PKCSREQ;
	if ((err = unwrap(w, body, &pkcs10, why)) != ERR_OK || (err = csr_parse(pkcs10, &w->csr, why)) != ERR_OK)
		return err;
	name_transaction(w);
	if ((err = work_note_subject(w)) != ERR_OK)
		return err;
	if ((err = csr_verify(w->csr, &p->limits, &p->algs, &w->csr_key, why)) != ERR_OK)
		return err;
	weak_note_csr(w);
	if (w->msg->signer == NULL)
		sign_by_itself(w);
	return work_authorize(w);
}
