#include "admin/show.h"

#include <string.h>

#include "admin/describe.h"
#include "admin/print.h"
#include "base/mem.h"
#include "pki/der.h"
#include "pki/oid.h"

#define CSR_KIND "certification request (PKCS#10)"
#define HIDDEN "(hidden, %zu octets; --show-secrets prints it)"

void show_problem(struct show *show, struct json_object *o, const struct why *why)
{
	struct json_object *list;
	char *text = mem_printf("%s: %s", err_row(why->err)->label, why->text);

	if (!json_object_object_get_ex(o, "problems", &list)) {
		list = json_object_new_array();
		json_object_object_add(o, "problems", list);
	}
	json_object_array_add(list, json_object_new_string(text));
	mem_wipe_free(text);
	show->n_problems++;
}

void show_cert(struct show *show, struct bytes der, struct json_object *o)
{
	struct cert *cert = NULL;
	struct why why = {0};

	put_text(o, "kind", "X.509 certificate");
	if (cert_parse(der, &cert, &why) != ERR_OK) {
		show_problem(show, o, &why);
		return;
	}
	describe_cert(o, cert);
	describe_cert_uses(o, cert);
	put_bool(o, "self_signed", cert_is_self_signed(cert));
	describe_fingerprints(o, der);
	cert_free(cert);
}

/* --- PKCS#10 ------------------------------------------------------------------------------------------------------ */

static void put_challenge(const struct show *show, const struct csr *csr, struct json_object *o)
{
	char *text;

	if (!csr->has_challenge)
		return;
	if (show->secrets) {
		put_bytes(o, "challenge", buf_bytes(&csr->challenge));
		return;
	}
	text = mem_printf(HIDDEN, csr->challenge.n);
	put_text(o, "challenge", text);
	mem_wipe_free(text);
}

/* The extension's BIT STRING as GNUTLS_KEY_* has it: the first octet is the low one. */
static void put_asked_usage(struct json_object *o, struct bytes value)
{
	struct tlv t;

	if (!der_whole(value, DER_BIT_STRING, &t) || t.body.n < 1 || t.body.n > 3)
		put_text(o, "asked_key_usage", "(malformed)");
	else
		put_key_usage(o, "asked_key_usage", (unsigned)(t.body.n > 1 ? t.body.p[1] : 0) |
		    (unsigned)(t.body.n > 2 ? t.body.p[2] : 0) << 8);
}

static void put_asked_extensions(const struct csr *csr, struct json_object *o)
{
	struct bytes rest = csr->extensions, value;
	struct json_object *others = json_object_new_array();
	struct tlv ext, oid;
	char dotted[64];

	if (csr_extension(csr, OID_SUBJECT_ALT_NAME, &value))
		put_sans(o, "asked_subject_alt_name", value);
	if (csr_extension(csr, OID_KEY_USAGE, &value))
		put_asked_usage(o, value);
	if (csr_extension(csr, OID_EXT_KEY_USAGE, &value))
		put_eku(o, "asked_extended_key_usage", value);
	while (der_expect(&rest, DER_SEQUENCE, &ext) && der_expect(&ext.body, DER_OID, &oid)) {
		if (der_oid_is(oid.body, OID_SUBJECT_ALT_NAME) || der_oid_is(oid.body, OID_KEY_USAGE) ||
		    der_oid_is(oid.body, OID_EXT_KEY_USAGE) || !der_oid_text(oid.body, dotted, sizeof(dotted)))
			continue;
		json_object_array_add(others, json_object_new_string(dotted));
	}
	json_object_object_add(o, "other_asked_extensions", others);
}

static void put_csr(const struct show *show, const struct csr *csr, struct json_object *o)
{
	put_name(o, "subject", csr->subject);
	put_spki(o, "key", csr->spki);
	put_challenge(show, csr, o);
	put_asked_extensions(csr, o);
}

void show_csr_parts(const struct show *show, struct bytes der, struct json_object *o)
{
	struct csr *csr = NULL;

	put_text(o, "kind", CSR_KIND);
	if (csr_parse(der, &csr, NULL) == ERR_OK)
		put_csr(show, csr, o);
	csr_free(csr);
}

void show_csr(struct show *show, struct bytes der, struct json_object *o)
{
	struct csr *csr = NULL;
	struct why why = {0};

	put_text(o, "kind", CSR_KIND);
	if (csr_parse(der, &csr, &why) != ERR_OK) {
		show_problem(show, o, &why);
		return;
	}
	put_csr(show, csr, o);
	if (csr_verify(csr, &show->limits, &show->algs, NULL, &why) == ERR_OK)
		put_text(o, "signature", "right");
	else
		show_problem(show, o, &why);
	csr_free(csr);
}

void show_crl(struct show *show, struct bytes der, struct json_object *o)
{
	struct crl *crl = NULL;
	struct why why = {0};

	put_text(o, "kind", "certificate revocation list");
	if (crl_parse(der, &crl, &why) != ERR_OK) {
		show_problem(show, o, &why);
		return;
	}
	describe_crl(o, crl, true);
	if (show->profile != NULL && crl_verify_by(crl, show->profile->ca_cert, &why) != ERR_OK)
		show_problem(show, o, &why);
	else if (show->profile != NULL)
		put_text(o, "signature", "right");
	describe_fingerprints(o, buf_bytes(&crl->der));
	crl_free(crl);
}

/* --- what is it? -------------------------------------------------------------------------------------------------- */

/* Takes tag and length off, whatever the form of the length (BER too): only to look what comes next. */
static bool step_into(struct bytes *in, uint8_t tag)
{
	size_t head = 2;

	if (in->n < 2 || in->p[0] != tag)
		return false;
	if (in->p[1] > 0x80)
		head += in->p[1] & 0x7f;
	if (head > in->n)
		return false;
	*in = bytes_cut(*in, head, in->n);
	return true;
}

static bool is_content(struct bytes in, const char *oid)
{
	struct buf want = {0};
	bool same;

	der_oid(&want, oid);
	same = in.n >= want.n && memcmp(in.p, want.p, want.n) == 0;
	buf_free(&want);
	return same;
}

/*
 * Certificates and CRLs begin alike; a CRL has a time where a certificate has its issuer's key or a second name. What follows
 * SEQUENCE { SEQUENCE {: [0] is a certificate's version; INTEGER 0, SEQUENCE of SETs a request's.
 */
static bool looks_like_csr(struct bytes in)
{
	struct bytes b = in;
	static const uint8_t version[] = {DER_INTEGER, 1, 0, DER_SEQUENCE};

	if (!step_into(&b, DER_SEQUENCE) || !step_into(&b, DER_SEQUENCE) || b.n < sizeof(version) ||
	    memcmp(b.p, version, sizeof(version)) != 0)
		return false;
	b = bytes_cut(b, 3, b.n);
	return step_into(&b, DER_SEQUENCE) && (b.n == 0 || b.p[0] == DER_SET || b.p[0] == DER_SEQUENCE);
}

static bool looks_like_crl(struct bytes in)
{
	struct tlv outer, tbs, t;
	int i;

	if (!der_whole(in, DER_SEQUENCE, &outer) || !der_expect(&outer.body, DER_SEQUENCE, &tbs))
		return false;
	der_expect(&tbs.body, DER_INTEGER, &t);		/* the version may be missing */
	for (i = 0; i < 2; i++) {
		if (!der_expect(&tbs.body, DER_SEQUENCE, &t))
			return false;
	}
	return der_expect(&tbs.body, DER_UTC_TIME, &t) || der_expect(&tbs.body, DER_GENERALIZED_TIME, &t);
}

void show_item(struct show *show, struct bytes der, struct json_object *o)
{
	struct bytes b = der;
	struct why why = {0};

	if (!step_into(&b, DER_SEQUENCE)) {
		put_text(o, "kind", "unknown");
		fail(&why, ERR_SYNTAX, "no ASN.1 structure that belongs to SCEP: it does not begin with a SEQUENCE");
		show_problem(show, o, &why);
	} else if (is_content(b, OID_SIGNED_DATA)) {
		show_signed(show, der, o);
	} else if (is_content(b, OID_ENVELOPED_DATA)) {
		show_enveloped(show, der, o);
	} else if (looks_like_csr(der)) {
		show_csr(show, der, o);
	} else if (looks_like_crl(der)) {
		show_crl(show, der, o);
	} else {
		show_cert(show, der, o);
	}
}
