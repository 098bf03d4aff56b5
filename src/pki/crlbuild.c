/* A CRL written by hand: RFC 5280, section 5. GnuTLS needs quadratic time for it (50,000 entries: 22 s). Declared in crl.h. */
#include "pki/crl.h"
#include "pki/der.h"
#include "pki/ext.h"
#include "pki/oid.h"
#include "pki/signed.h"

#define LAST_SECOND ((time_t)253402300799)	/* 9999-12-31 23:59:59 */

/* invalidityDate is always a GeneralizedTime (RFC 5280, 5.3.2). */
static void generalized_time(struct buf *b, time_t t)
{
	char text[24];
	struct tm tm;

	gmtime_r(&t, &tm);
	if (strftime(text, sizeof(text), "%Y%m%d%H%M%SZ", &tm) > 0)
		der_str(b, DER_GENERALIZED_TIME, text);
}

static void entry_extensions(struct buf *b, const struct crl_entry *entry)
{
	size_t at = der_open(b);
	struct extension_at e;

	if (entry->reason != CRL_REASON_UNSPECIFIED) {	/* absent rather than unspecified: RFC 5280, 5.3.1 */
		e = extension_open(b, OID_CRL_REASON, false);
		der_tlv(b, DER_ENUMERATED, bytes_of(&(uint8_t){(uint8_t)entry->reason}, 1));
		extension_close(b, e);
	}
	if (entry->invalid_since != 0) {
		e = extension_open(b, OID_INVALIDITY_DATE, false);
		generalized_time(b, entry->invalid_since);
		extension_close(b, e);
	}
	if (b->n > at)
		der_close(b, at, DER_SEQUENCE);
}

void crl_entry_write(struct buf *entries, const struct crl_entry *entry)
{
	size_t at = der_open(entries);

	der_uint(entries, entry->serial);
	der_time(entries, entry->revoked);
	entry_extensions(entries, entry);
	der_close(entries, at, DER_SEQUENCE);
}

static void crl_extensions(struct buf *b, const struct crl_spec *spec)
{
	uint8_t number[8];
	size_t explicit_at = der_open(b), at = der_open(b);
	struct extension_at e;

	for (size_t i = 0; i < sizeof(number); i++)
		number[i] = (uint8_t)(spec->number >> (56 - 8 * i));
	extension_authority_key_id(b, spec->issuer->skid);
	e = extension_open(b, OID_CRL_NUMBER, false);
	der_uint(b, bytes_of(number, sizeof(number)));
	extension_close(b, e);
	der_close(b, at, DER_SEQUENCE);
	der_close(b, explicit_at, DER_CTX(0));
}

static void tbs_cert_list(struct buf *b, const struct crl_spec *spec, struct bytes entries, struct key_kind kind)
{
	size_t at = der_open(b);

	der_int(b, 1);	/* version 2 */
	sig_alg_write(b, kind, spec->digest);
	buf_add_bytes(b, spec->issuer->subject);
	der_time(b, spec->this_update);
	der_time(b, spec->next_update);
	if (entries.n > 0)	/* absent rather than empty: RFC 5280, 5.1.2.6 */
		der_tlv(b, DER_SEQUENCE, entries);
	crl_extensions(b, spec);
	der_close(b, at, DER_SEQUENCE);
}

enum err crl_build(const struct crl_spec *spec, struct bytes entries, const struct key *key, struct buf *der, struct why *why)
{
	struct buf tbs = {0};
	enum err err;

	if (spec->this_update < 0 || spec->next_update <= spec->this_update || spec->next_update > LAST_SECOND)
		return fail(why, ERR_INTERNAL, "a CRL's next update must come after it, between 1970 and 9999");
	tbs_cert_list(&tbs, spec, entries, key_kind(key));
	err = signed_write(buf_bytes(&tbs), key, spec->digest, der, why);
	buf_free(&tbs);
	return err;
}
