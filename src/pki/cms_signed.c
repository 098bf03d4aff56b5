#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "pki/cms_part.h"
#include "pki/der.h"
#include "pki/oid.h"

/* Which of the struct's own buffers holds what. */
enum { STORE_INPUT, STORE_CONTENT, STORE_FIELDS };

const struct cms_attr *cms_attr_find(const struct cms_signed *s, const char *oid)
{
	for (size_t i = 0; i < s->n_attrs; i++) {
		if (strcmp(s->attrs[i].oid, oid) == 0)
			return &s->attrs[i];
	}
	return NULL;
}

/* Attribute ::= SEQUENCE { type, values SET OF ANY }, with exactly one value, and no attribute twice (RFC 5652, 11; P-68). */
static enum err read_attr(struct bytes *rest, struct cms_signed *s, struct why *why)
{
	struct cms_attr attr = {0};
	struct tlv seq, type, values, value;
	struct bytes in;

	if (s->n_attrs == CMS_MAX_ATTRS)
		return fail(why, ERR_SYNTAX, "more than %d signed attributes", CMS_MAX_ATTRS);
	if (!der_expect(rest, DER_SEQUENCE, &seq))
		return fail(why, ERR_SYNTAX, "signed attributes are not DER");
	in = seq.body;
	if (!der_expect(&in, DER_OID, &type) || !der_oid_text(type.body, attr.oid, sizeof(attr.oid)) ||
	    !der_expect(&in, DER_SET, &values) || in.n != 0)
		return fail(why, ERR_SYNTAX, "signed attribute %zu is malformed", s->n_attrs + 1);
	in = values.body;
	if (in.n == 0)
		return fail(why, ERR_ATTRIBUTE, "signed attribute %s has no value", attr.oid);
	if (!der_next(&in, &value))
		return fail(why, ERR_SYNTAX, "value of signed attribute %s is not DER", attr.oid);
	if (in.n != 0)
		return fail(why, ERR_ATTRIBUTE, "signed attribute %s has several values", attr.oid);
	if (cms_attr_find(s, attr.oid) != NULL)
		return fail(why, ERR_ATTRIBUTE, "signed attribute %s is there twice", attr.oid);
	attr.value = value.raw;
	s->attrs[s->n_attrs++] = attr;
	return ERR_OK;
}

/* The bytes are kept with their tag A0: what is signed has the tag 31 instead (RFC 5652, 5.4). */
static enum err read_attrs(struct cms_signed *s, struct why *why)
{
	struct tlv set;
	enum err err = ERR_OK;

	if (!der_whole(s->signed_attrs, DER_CTX(0), &set))
		return fail(why, ERR_SYNTAX, "signed attributes are not DER");
	while (err == ERR_OK && set.body.n > 0)
		err = read_attr(&set.body, s, why);
	return err;
}

static enum err read_signer(struct bytes in, struct cms_signed *s, struct why *why)
{
	struct buf *store = &s->store[STORE_FIELDS];
	asn1_node node;
	enum err err = asn_decode("SignerInfo", in, &node, why);

	if (err != ERR_OK)
		return err;
	if (!cms_id_read(node, "sid", in, store, &s->sid) || !asn_oid(node, "digestAlgorithm.algorithm", s->digest_oid) ||
	    !asn_view(node, "signatureAlgorithm", in, &s->sig_alg) ||
	    !asn_octets(node, "signature", in, DER_OCTET_STRING, store, &s->signature))
		err = fail(why, ERR_SYNTAX, "SignerInfo is incomplete");
	else if (asn_count(node, "signedAttrs") > 0 && asn_view(node, "signedAttrs", in, &s->signed_attrs))
		err = read_attrs(s, why);
	s->digest = digest_by_oid(s->digest_oid);
	s->has_signer = true;
	asn1_delete_structure(&node);
	return err;
}

static enum err read_certs(asn1_node node, struct bytes in, struct cms_signed *s, struct why *why)
{
	size_t n = asn_count(node, "certificates");
	struct bytes tlv;

	for (size_t i = 0; i < n; i++) {
		/* [0] to [3]: attribute certificates and other kinds (P-184) */
		if (!asn_member(node, "certificates", i, in, &tlv) || tlv.p[0] != DER_SEQUENCE)
			continue;
		if (s->n_certs == CMS_MAX_CERTS)
			return fail(why, ERR_SYNTAX, "more than %d certificates", CMS_MAX_CERTS);
		s->certs[s->n_certs++] = tlv;
	}
	if (asn_count(node, "crls") > 0 && asn_member(node, "crls", 0, in, &tlv) && tlv.p[0] == DER_SEQUENCE)
		s->crl = tlv;
	return ERR_OK;
}

static enum err read_content(asn1_node node, struct bytes in, struct cms_signed *s, struct why *why)
{
	size_t n = asn_count(node, "encapContentInfo.eContent");

	if (n == 0)
		return ERR_OK;
	if (n > 1 || !asn_octets(node, "encapContentInfo.eContent.?1", in, DER_OCTET_STRING, &s->store[STORE_CONTENT], &s->content))
		return fail(why, ERR_SYNTAX, "eContent is not one OCTET STRING");
	s->has_content = true;
	return ERR_OK;
}

static enum err read_signed(struct bytes in, struct cms_signed *s, struct why *why)
{
	char type[ASN_OID_SIZE];
	struct bytes signer;
	asn1_node node;
	enum err err = asn_decode("SignedData", in, &node, why);

	if (err != ERR_OK)
		return err;
	err = read_content(node, in, s, why);
	if (err == ERR_OK)
		err = read_certs(node, in, s, why);
	if (err != ERR_OK || asn_count(node, "signerInfos") == 0)
		goto out;
	if (asn_count(node, "signerInfos") > 1)
		err = fail(why, ERR_SYNTAX, "more than one signer");
	else if (!asn_oid(node, "encapContentInfo.eContentType", type) || strcmp(type, OID_DATA) != 0)
		err = fail(why, ERR_SYNTAX, "signed content is not of type id-data");
	else if (!asn_member(node, "signerInfos", 0, in, &signer))
		err = fail(why, ERR_SYNTAX, "SignerInfo is unreadable");
	else
		err = read_signer(signer, s, why);
out:
	asn1_delete_structure(&node);
	return err;
}

enum err cms_signed_parse(struct bytes in, struct cms_signed **out, struct why *why)
{
	struct cms_signed *s = mem_alloc(sizeof(*s));
	struct bytes content;
	enum err err;

	asn_reserve(&s->store[STORE_FIELDS], in.n);
	err = cms_unwrap(in, OID_SIGNED_DATA, &s->store[STORE_INPUT], &content, why);
	if (err == ERR_OK)
		err = read_signed(content, s, why);
	if (err != ERR_OK) {
		cms_signed_free(s);
		return err;
	}
	*out = s;
	return ERR_OK;
}

void cms_signed_free(struct cms_signed *s)
{
	if (s == NULL)
		return;
	for (size_t i = 0; i < sizeof(s->store) / sizeof(s->store[0]); i++)
		buf_free(&s->store[i]);
	free(s);
}

enum err cms_signer_cert(const struct cms_signed *s, struct cert **out, struct why *why)
{
	for (size_t i = 0; i < s->n_certs; i++) {
		struct cert *cert;

		if (cert_parse(s->certs[i], &cert, NULL) != ERR_OK)
			continue;
		if (cert_is_named(cert, s->sid.issuer, s->sid.serial, s->sid.skid)) {
			*out = cert;
			return ERR_OK;
		}
		cert_free(cert);
	}
	return fail(why, ERR_NO_SIGNER, "none of the %zu certificates in the message is the signer's", s->n_certs);
}

/* contentType and messageDigest are what the content says (RFC 5652, 5.6 and 11). */
static enum err check_content(const struct cms_signed *s, struct why *why)
{
	const struct cms_attr *type = cms_attr_find(s, OID_CONTENT_TYPE), *digest = cms_attr_find(s, OID_MESSAGE_DIGEST);
	struct tlv t;
	uint8_t is[64];
	size_t n = digest_of(s->digest, s->content, is);

	if (type == NULL || !der_whole(type->value, DER_OID, &t) || !der_oid_is(t.body, OID_DATA))
		return fail(why, ERR_MSG_CHECK, "signed attribute contentType is missing or not id-data");
	if (digest == NULL || !der_whole(digest->value, DER_OCTET_STRING, &t))
		return fail(why, ERR_MSG_CHECK, "signed attribute messageDigest is missing or malformed");
	if (!bytes_eq(t.body, bytes_of(is, n)))
		return fail(why, ERR_MSG_CHECK, "messageDigest is not the %s digest of the content", s->digest->name);
	return ERR_OK;
}

/*
 * The signature covers the attributes as a SET OF. That means their DER order, but some clients (strongSwan's scepclient) sign them
 * in the order in which they send them: first as received, then sorted (P-170).
 */
static enum err check_signature(const struct cms_signed *s, struct bytes attrs, const struct pubkey *pub, enum sig_scheme scheme,
    struct why *why)
{
	struct buf set = {0};
	size_t at;
	enum err err;

	der_tlv(&set, DER_SET, attrs);
	err = pubkey_verify(pub, scheme, s->digest, buf_bytes(&set), s->signature, why);
	if (err == ERR_MSG_CHECK) {
		buf_cut(&set, 0);
		at = der_open(&set);
		buf_add_bytes(&set, attrs);
		der_close_set_of(&set, at, DER_SET);
		if (memcmp(set.p + set.n - attrs.n, attrs.p, attrs.n) != 0)
			err = pubkey_verify(pub, scheme, s->digest, buf_bytes(&set), s->signature, why);
	}
	buf_free(&set);
	return err;
}

enum err cms_signed_verify(const struct cms_signed *s, const struct pubkey *pub, const struct alg_set *algs, struct why *why)
{
	const struct digest_row *digest = s->digest;
	enum sig_scheme scheme;
	struct tlv attrs;
	enum err err;

	if (!s->has_signer || !der_whole(s->signed_attrs, DER_CTX(0), &attrs))
		return fail(why, ERR_MSG_CHECK, "message has no signed attributes");
	if (digest == NULL || (algs != NULL && !alg_set_has_digest(algs, digest)))
		return fail(why, ERR_ALG, "digest %s is not accepted", digest != NULL ? digest->name : s->digest_oid);
	err = sig_alg_read(s->sig_alg, &scheme, &digest, why);
	if (err != ERR_OK)
		return err;
	if (digest != s->digest)
		return fail(why, ERR_MSG_CHECK, "signature algorithm and digest algorithm do not agree");
	err = check_content(s, why);
	return err == ERR_OK ? check_signature(s, attrs.body, pub, scheme, why) : err;
}
