/* A certificate written by hand: RFC 5280. Declared in cert.h. */
#include <gnutls/x509.h>

#include "pki/cert.h"
#include "pki/der.h"
#include "pki/ext.h"
#include "pki/name.h"
#include "pki/oid.h"
#include "pki/signed.h"

#define LAST_SECOND ((time_t)253402300799)	/* 9999-12-31 23:59:59, the last that GeneralizedTime can say */

static void basic_constraints(struct buf *b, const struct cert_spec *spec)
{
	struct extension_at e = extension_open(b, OID_BASIC_CONSTRAINTS, true);
	size_t at = der_open(b);

	if (spec->ca)
		der_bool(b, true);
	if (spec->ca && spec->path_len >= 0)
		der_int(b, spec->path_len);
	der_close(b, at, DER_SEQUENCE);
	extension_close(b, e);
}

/* GNUTLS_KEY_* count from the top of the first octet, RFC 5280's named bits from 0. */
static void key_usage(struct buf *b, unsigned usage)
{
	struct extension_at e;
	unsigned named = 0;

	if (usage == 0)
		return;
	for (unsigned i = 0; i < 8; i++)
		named |= (usage >> (7 - i) & 1) << i;
	if (usage & GNUTLS_KEY_DECIPHER_ONLY)
		named |= 1u << 8;
	e = extension_open(b, OID_KEY_USAGE, true);
	der_named_bits(b, named, 9);
	extension_close(b, e);
}

static void extended_key_usage(struct buf *b, const char *const *eku)
{
	struct extension_at e;
	size_t at;

	if (eku == NULL || eku[0] == NULL)
		return;
	e = extension_open(b, OID_EXT_KEY_USAGE, false);
	at = der_open(b);
	for (; *eku != NULL; eku++)
		der_oid(b, *eku);
	der_close(b, at, DER_SEQUENCE);
	extension_close(b, e);
}

static void subject_alt_name(struct buf *b, struct bytes san, bool critical)
{
	struct extension_at e;

	if (san.n == 0)
		return;
	e = extension_open(b, OID_SUBJECT_ALT_NAME, critical);
	buf_add_bytes(b, san);
	extension_close(b, e);
}

static void key_identifiers(struct buf *b, struct bytes spki, struct bytes authority)
{
	uint8_t id[20];
	struct extension_at e;

	spki_key_id(spki, id);
	e = extension_open(b, OID_SUBJECT_KEY_ID, false);
	der_tlv(b, DER_OCTET_STRING, bytes_of(id, sizeof(id)));
	extension_close(b, e);
	extension_authority_key_id(b, authority);
}

/* GeneralName uniformResourceIdentifier */
static void uri(struct buf *b, const char *url)
{
	der_str(b, DER_CTX_PRIM(6), url);
}

/* One DistributionPoint whose fullName is all of the URLs: the same CRL at each of them (RFC 5280, 4.2.1.13). */
static void crl_distribution_points(struct buf *b, const char *const *urls)
{
	struct extension_at e;
	size_t points, point, name, full;

	if (urls == NULL || urls[0] == NULL)
		return;
	e = extension_open(b, OID_CRL_DISTRIBUTION_POINTS, false);
	points = point = name = full = der_open(b);
	for (; *urls != NULL; urls++)
		uri(b, *urls);
	der_close(b, full, DER_CTX(0));
	der_close(b, name, DER_CTX(0));
	der_close(b, point, DER_SEQUENCE);
	der_close(b, points, DER_SEQUENCE);
	extension_close(b, e);
}

static void access_descriptions(struct buf *b, const char *method, const char *const *urls)
{
	for (; urls != NULL && *urls != NULL; urls++) {
		size_t at = der_open(b);

		der_oid(b, method);
		uri(b, *urls);
		der_close(b, at, DER_SEQUENCE);
	}
}

static void authority_info_access(struct buf *b, const struct cert_spec *spec)
{
	struct buf list = {0};
	struct extension_at e;

	access_descriptions(&list, OID_AIA_OCSP, spec->ocsp_urls);
	access_descriptions(&list, OID_AIA_CA_ISSUERS, spec->ca_issuers_urls);
	if (list.n > 0) {
		e = extension_open(b, OID_AUTHORITY_INFO_ACCESS, false);
		der_tlv(b, DER_SEQUENCE, buf_bytes(&list));
		extension_close(b, e);
	}
	buf_free(&list);
}

static void extensions(struct buf *b, const struct cert_spec *spec)
{
	size_t explicit_at = der_open(b), at = der_open(b);

	basic_constraints(b, spec);
	key_usage(b, spec->key_usage);
	extended_key_usage(b, spec->eku);
	subject_alt_name(b, spec->san, name_is_empty(spec->subject));
	key_identifiers(b, spec->spki, spec->authority_key_id);
	crl_distribution_points(b, spec->crl_urls);
	authority_info_access(b, spec);
	buf_add_bytes(b, spec->extensions);
	der_close(b, at, DER_SEQUENCE);
	der_close(b, explicit_at, DER_CTX(3));
}

static enum err tbs_certificate(struct buf *b, const struct cert_spec *spec, enum sig_scheme scheme, struct why *why)
{
	size_t tbs = der_open(b), at = der_open(b), serial;

	der_int(b, 2);
	der_close(b, at, DER_CTX(0));
	serial = b->n;
	der_uint(b, spec->serial);
	if (b->n - serial > 22 || (b->n - serial == 3 && b->p[serial + 2] == 0))
		return fail(why, ERR_INTERNAL, "a serial number must be positive and have at most 20 octets (RFC 5280, 4.1.2.2)");
	sig_alg_write_as(b, scheme, spec->digest);
	buf_add_bytes(b, spec->issuer);
	at = der_open(b);
	der_time(b, spec->not_before);
	der_time(b, spec->not_after);
	der_close(b, at, DER_SEQUENCE);
	buf_add_bytes(b, spec->subject);
	buf_add_bytes(b, spec->spki);
	extensions(b, spec);
	der_close(b, tbs, DER_SEQUENCE);
	return ERR_OK;
}

enum err cert_build(const struct cert_spec *spec, const struct key *issuer_key, struct buf *der, struct why *why)
{
	enum sig_scheme scheme = spec->pss ? SIG_RSA_PSS : sig_scheme_of(key_kind(issuer_key).type);
	struct buf tbs = {0};
	enum err err;

	if (spec->not_before < 0 || spec->not_after < spec->not_before || spec->not_after > LAST_SECOND)
		return fail(why, ERR_INTERNAL, "a certificate's validity must end after it begins, between 1970 and 9999");
	err = tbs_certificate(&tbs, spec, scheme, why);
	if (err == ERR_OK)
		err = signed_write_as(buf_bytes(&tbs), issuer_key, scheme, spec->digest, der, why);
	buf_free(&tbs);
	return err;
}
