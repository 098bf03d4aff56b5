#include "ca/dialect.h"

#include <string.h>

#include "pki/der.h"
#include "pki/oid.h"

static const struct {
	const char *word;
	unsigned bit;
} caps[] = {
    {"AES", HIDE_AES}, {"DES3", HIDE_DES3}, {"SHA-1", HIDE_SHA1}, {"SHA-256", HIDE_SHA256}, {"SHA-384", HIDE_SHA384}, {"SHA-512", HIDE_SHA512},
    {"POSTPKIOperation", HIDE_POST}, {"Renewal", HIDE_RENEWAL}, {"SCEPStandard", HIDE_STANDARD}, {"GetNextCACert", HIDE_NEXT_CA},
};

static bool is_hidden(unsigned hide, struct bytes word)
{
	for (size_t i = 0; i < sizeof(caps) / sizeof(caps[0]); i++) {
		if (bytes_eq_str(word, caps[i].word))
			return (hide & caps[i].bit) != 0;
	}
	return false;
}

void dialect_hide_caps(const struct profile_conf *conf, struct buf *body)
{
	unsigned hide = conf->hide_caps | (conf->post ? 0 : HIDE_POST | HIDE_STANDARD);	/* RFC 8894, 3.5.2: the one implies the other */
	struct bytes rest = buf_bytes(body);
	struct buf out = {0};

	while (rest.n > 0) {
		const uint8_t *end = memchr(rest.p, '\n', rest.n);
		size_t n = end == NULL ? rest.n : (size_t)(end - rest.p);

		if (!is_hidden(hide, bytes_cut(rest, 0, n)))
			buf_add_bytes(&out, bytes_cut(rest, 0, n + 1));
		rest = bytes_cut(rest, n + 1, rest.n);
	}
	buf_free(body);
	*body = out;
}

/* None where the CA answers itself. */
static size_t ra_certs(const struct profile *p, struct bytes *certs)
{
	size_t n = 0;

	if (p->ra_cert != p->ca_cert)
		certs[n++] = buf_bytes(&p->ra_cert->der);
	if (p->sign_cert != p->ra_cert)
		certs[n++] = buf_bytes(&p->sign_cert->der);
	return n;
}

size_t dialect_ca_certs(const struct profile *p, struct bytes *certs)
{
	size_t n = 0;

	if (!p->conf->ca_first)
		n += ra_certs(p, certs);
	certs[n++] = buf_bytes(&p->ca_cert->der);
	if (p->conf->ca_first)
		n += ra_certs(p, certs + n);
	for (size_t i = 0; p->conf->ca_chain == CA_CHAIN_FULL && i < p->n_chain && i < CMS_MAX_CERTS; i++)
		certs[n++] = buf_bytes(&p->chain[i]->der);
	return n;
}

/* X.690, 11.6: the encodings of a SET OF ascend. */
static bool is_sorted(struct bytes attrs)
{
	struct bytes before = {0};
	struct tlv set, t;

	if (!der_whole(attrs, DER_CTX(0), &set))
		return false;
	while (der_next(&set.body, &t)) {
		size_t n = before.n < t.raw.n ? before.n : t.raw.n;
		int order = n == 0 ? 0 : memcmp(before.p, t.raw.p, n);

		if (order > 0 || (order == 0 && before.n > t.raw.n))
			return false;
		before = t.raw;
	}
	return true;
}

/* RFC 8894, 3.2.1: PrintableString. That the attribute is there is known. */
static bool is_printable(const struct scep_msg *msg, const char *oid)
{
	const struct cms_attr *attr = cms_attr_find(msg->cms, oid);

	return attr != NULL && attr->value.n > 0 && attr->value.p[0] == DER_PRINTABLE;
}

enum err dialect_check(const struct profile_conf *conf, const struct scep_msg *msg, struct why *why)
{
	unsigned ok = conf->tolerate;

	if ((ok & TOLERATE_NONCE) == 0 && msg->sender_nonce.n != SCEP_NONCE_SIZE)
		return fail(why, ERR_STRICT, "senderNonce has %zu octets instead of %d ('nonce' in [scep] tolerate)", msg->sender_nonce.n,
		    SCEP_NONCE_SIZE);
	if ((ok & TOLERATE_STRINGS) == 0 && (!is_printable(msg, OID_SCEP_TRANSACTION_ID) || !is_printable(msg, OID_SCEP_MESSAGE_TYPE)))
		return fail(why, ERR_STRICT, "transactionID or messageType is not a PrintableString ('strings' in [scep] tolerate)");
	if ((ok & TOLERATE_UNSORTED) == 0 && !is_sorted(msg->cms->signed_attrs))
		return fail(why, ERR_STRICT, "the signed attributes are not in DER order ('unsorted' in [scep] tolerate)");
	return ERR_OK;
}
