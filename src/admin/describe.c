#include "admin/describe.h"

#include <stdio.h>

#include <gnutls/x509.h>

#include "admin/print.h"
#include "pki/der.h"
#include "pki/name.h"
#include "pki/oid.h"

/* Wide enough for whatever may be shown; pubkey_import refuses hostile exponents by itself. */
static const struct key_limits any_size = {.min_rsa = 1, .max_rsa = 16384};

const char *describe_key_kind(struct key_kind kind, char out[32])
{
	switch (kind.type) {
	case KEY_RSA:
		snprintf(out, 32, "RSA %u", kind.bits);
		break;
	case KEY_EC:
		snprintf(out, 32, kind.curve == GNUTLS_ECC_CURVE_INVALID ? "EC (other curve)" : "EC P-%u", kind.bits);
		break;
	case KEY_ED25519:
		snprintf(out, 32, "Ed25519");
		break;
	case KEY_OTHER:
		snprintf(out, 32, "other");
		break;
	}
	return out;
}

void put_name(struct json_object *o, const char *key, struct bytes name)
{
	struct buf text = {0};

	if (name_text(name, &text, NULL) != ERR_OK)
		put_text(o, key, "(malformed)");
	else
		put_text(o, key, text.n == 0 ? "(empty)" : buf_str(&text));
	buf_free(&text);
}

void put_spki(struct json_object *o, const char *key, struct bytes spki)
{
	struct pubkey *pub = NULL;
	struct why why;
	char kind[32];

	if (pubkey_import(spki, &any_size, &pub, &why) != ERR_OK) {
		put_text(o, key, why.text);
		return;
	}
	put_text(o, key, describe_key_kind(pubkey_kind(pub), kind));
	pubkey_free(pub);
}

void put_key_usage(struct json_object *o, const char *key, unsigned usage)
{
	static const struct {
		unsigned bit;
		const char *name;
	} bits[] = {
	    {GNUTLS_KEY_DIGITAL_SIGNATURE, "digitalSignature"}, {GNUTLS_KEY_NON_REPUDIATION, "nonRepudiation"},
	    {GNUTLS_KEY_KEY_ENCIPHERMENT, "keyEncipherment"}, {GNUTLS_KEY_DATA_ENCIPHERMENT, "dataEncipherment"},
	    {GNUTLS_KEY_KEY_AGREEMENT, "keyAgreement"}, {GNUTLS_KEY_KEY_CERT_SIGN, "keyCertSign"},
	    {GNUTLS_KEY_CRL_SIGN, "cRLSign"}, {GNUTLS_KEY_ENCIPHER_ONLY, "encipherOnly"},
	    {GNUTLS_KEY_DECIPHER_ONLY, "decipherOnly"},
	};
	struct buf text = {0};
	size_t i;

	for (i = 0; i < sizeof(bits) / sizeof(bits[0]); i++) {
		if (usage & bits[i].bit)
			buf_printf(&text, "%s%s", text.n > 0 ? ", " : "", bits[i].name);
	}
	put_text(o, key, buf_str(&text));
	buf_free(&text);
}

void put_eku(struct json_object *o, const char *key, struct bytes value)
{
	struct buf text = {0};
	struct tlv seq, oid;
	char dotted[64];
	bool ok = der_whole(value, DER_SEQUENCE, &seq);

	while (ok && seq.body.n > 0) {
		ok = der_expect(&seq.body, DER_OID, &oid) && der_oid_text(oid.body, dotted, sizeof(dotted));
		if (ok)
			buf_printf(&text, "%s%s", text.n > 0 ? ", " : "", dotted);
	}
	put_text(o, key, ok ? buf_str(&text) : "(malformed)");
	buf_free(&text);
}

void put_sans(struct json_object *o, const char *key, struct bytes value)
{
	struct buf text = {0};

	if (san_text(value, &text, NULL) != ERR_OK)
		put_text(o, key, "(malformed)");
	else
		put_text(o, key, buf_str(&text));
	buf_free(&text);
}

void describe_cert(struct json_object *o, const struct cert *cert)
{
	put_name(o, "subject", cert->subject);
	put_name(o, "issuer", cert->issuer);
	put_hex(o, "serial", cert->serial);
	if (cert->times_ok) {
		put_time(o, "not_before", cert->not_before);
		put_time(o, "not_after", cert->not_after);
	} else {
		put_text(o, "not_before", "(malformed)");
		put_text(o, "not_after", "(malformed)");
	}
	put_spki(o, "key", cert->spki);
}

static void put_basic_constraints(struct json_object *o, const struct cert *cert)
{
	struct bytes value;
	struct tlv seq, ca, len;

	put_bool(o, "ca", cert_is_ca(cert));
	if (!cert_extension(cert, OID_BASIC_CONSTRAINTS, &value, NULL) || !der_whole(value, DER_SEQUENCE, &seq))
		return;
	if (der_expect(&seq.body, DER_BOOLEAN, &ca) && der_expect(&seq.body, DER_INTEGER, &len) && len.body.n == 1)
		put_int(o, "path_length", len.body.p[0]);
}

void describe_cert_uses(struct json_object *o, const struct cert *cert)
{
	struct bytes value;

	put_basic_constraints(o, cert);
	if (cert_extension(cert, OID_KEY_USAGE, &value, NULL))
		put_key_usage(o, "key_usage", cert_key_usage(cert));
	if (cert_extension(cert, OID_EXT_KEY_USAGE, &value, NULL))
		put_eku(o, "extended_key_usage", value);
	if (cert_extension(cert, OID_SUBJECT_ALT_NAME, &value, NULL))
		put_sans(o, "subject_alt_name", value);
	if (cert->skid.n > 0)
		put_hex(o, "subject_key_id", cert->skid);
}

static struct json_object *crl_entry(const struct crl_entry *entry)
{
	struct json_object *o = json_object_new_object();

	put_hex(o, "serial", entry->serial.n > 1 && entry->serial.p[0] == 0 ? bytes_cut(entry->serial, 1, entry->serial.n) : entry->serial);
	put_time(o, "revoked", entry->revoked);
	put_text(o, "reason", crl_reason_name(entry->reason));
	put_time(o, "invalid_since", entry->invalid_since);
	return o;
}

void describe_crl(struct json_object *o, const struct crl *crl, bool all)
{
	struct json_object *list = json_object_new_array();
	struct bytes rest = crl->entries;
	struct crl_entry entry;
	uint64_t number = 0;

	put_name(o, "issuer", crl->issuer);
	if (crl->number.n > 0 && crl->number.n <= 8) {
		for (size_t i = 0; i < crl->number.n; i++)
			number = number << 8 | crl->number.p[i];
		put_int(o, "number", (long)number);
	} else if (crl->number.n > 0) {
		put_hex(o, "number", crl->number);
	}
	put_time(o, "this_update", crl->this_update);
	put_time(o, "next_update", crl->next_update);
	if (crl->authority_key_id.n > 0)
		put_hex(o, "authority_key_id", crl->authority_key_id);
	put_int(o, "revoked_certificates", (long)crl->n_entries);
	while (all && crl_entry_next(&rest, &entry))
		json_object_array_add(list, crl_entry(&entry));
	json_object_object_add(o, "entries", list);
}

void describe_fingerprints(struct json_object *o, struct bytes der)
{
	uint8_t digest[64];
	size_t n;

	n = digest_of(digest_row(DIGEST_SHA256), der, digest);
	put_fingerprint(o, "sha256_fingerprint", bytes_of(digest, n));
	n = digest_of(digest_row(DIGEST_SHA1), der, digest);
	put_fingerprint(o, "sha1_fingerprint", bytes_of(digest, n));
}
