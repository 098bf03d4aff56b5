/* [extensions] custom: "OID critical|- DER, ...". Declared in policy_part.h. */
#include <string.h>

#include "base/codec.h"
#include "ca/policy_part.h"
#include "pki/der.h"
#include "pki/ext.h"
#include "pki/oid.h"

#define BLANKS " \t"
#define MAX_DEPTH 16
#define MAX_EXTENSIONS 16

/* Those that are not an operator's to write: we do, or they belong to CAs alone. */
static const struct {
	const char *oid, *why;
} reserved[] = {
    {OID_BASIC_CONSTRAINTS, "basicConstraints is always there"}, {OID_SUBJECT_KEY_ID, "subjectKeyIdentifier is always there"},
    {OID_AUTHORITY_KEY_ID, "authorityKeyIdentifier is always there"}, {OID_KEY_USAGE, "set [certificate] key_usage"},
    {OID_EXT_KEY_USAGE, "set [certificate] extended_key_usage"}, {OID_SUBJECT_ALT_NAME, "set [san] template"},
    {OID_CRL_DISTRIBUTION_POINTS, "set [certificate] crl_url"},
    {OID_AUTHORITY_INFO_ACCESS, "set [certificate] ocsp_url and ca_issuers_url"}, {OID_CERTIFICATE_POLICIES, "set [extensions] policies"},
    {OID_TLS_FEATURE, "set [extensions] must_staple"}, {OID_MS_SID, "it is of one account alone: see [extensions] sid"},
    {OID_NAME_CONSTRAINTS, "only a CA has it"}, {OID_POLICY_MAPPINGS, "only a CA has it"}, {OID_POLICY_CONSTRAINTS, "only a CA has it"},
    {OID_INHIBIT_ANY_POLICY, "only a CA has it"},
};

/* Definite lengths, all the way down. */
static bool is_der(struct bytes in, unsigned depth)
{
	struct tlv t;

	while (in.n > 0) {
		if (!der_next(&in, &t) || ((t.tag & 0x20) != 0 && (depth == 0 || !is_der(t.body, depth - 1))))
			return false;
	}
	return true;
}

static bool is_one_der(struct bytes in)
{
	struct bytes rest = in;
	struct tlv t;

	return der_next(&rest, &t) && rest.n == 0 && is_der(in, MAX_DEPTH);
}

/* In hexadecimal when it is DER then, else in base64. */
static bool decode(struct bytes text, struct buf *out)
{
	struct buf digits = {0};
	bool ok;

	buf_add_bytes(&digits, text);
	ok = hex_decode(out, buf_str(&digits)) && is_one_der(buf_bytes(out));
	buf_free(&digits);
	if (ok)
		return true;
	buf_cut(out, 0);
	return base64_decode(out, text) && is_one_der(buf_bytes(out));
}

static struct bytes take_word(struct bytes *in)
{
	const char *p = (const char *)in->p;
	size_t skip = 0, n = 0;

	while (skip < in->n && strchr(BLANKS, p[skip]) != NULL)
		skip++;
	while (skip + n < in->n && strchr(BLANKS, p[skip + n]) == NULL)
		n++;
	*in = bytes_cut(*in, skip + n, in->n);
	return bytes_of(p + skip, n);
}

static enum err check_type(struct bytes oid, struct bytes written, struct why *why)
{
	struct extension e;

	for (size_t i = 0; i < sizeof(reserved) / sizeof(reserved[0]); i++) {
		if (der_oid_is(oid, reserved[i].oid))
			return fail(why, ERR_CONFIG, "extension %s is not taken here: %s", reserved[i].oid, reserved[i].why);
	}
	while (extension_next(&written, &e)) {
		if (bytes_eq(e.oid, oid))
			return fail(why, ERR_CONFIG, "the same extension stands there twice");
	}
	return ERR_OK;
}

static enum err parse_one(struct bytes in, struct buf *out, struct why *why)
{
	struct bytes text = in, type = take_word(&in), flag = take_word(&in), data = take_word(&in);
	struct buf dotted = {0}, oid = {0}, value = {0};
	struct tlv t = {0};
	enum err err;

	buf_add_bytes(&dotted, type);
	if (data.n == 0 || take_word(&in).n > 0 || (!bytes_eq_str(flag, "critical") && !bytes_eq_str(flag, "-")))
		err = fail(why, ERR_CONFIG, "'%.*s' is not 'OID critical DER' or 'OID - DER'", (int)(text.n < 100 ? text.n : 100), (const char *)text.p);
	else if (!der_oid_try(&oid, buf_str(&dotted)) || !der_whole(buf_bytes(&oid), DER_OID, &t))
		err = fail(why, ERR_CONFIG, "'%.60s' is not a dotted object identifier", buf_str(&dotted));
	else if (!decode(data, &value))
		err = fail(why, ERR_CONFIG, "the value of %.60s is not one DER encoding in hexadecimal or base64", buf_str(&dotted));
	else if ((err = check_type(t.body, buf_bytes(out), why)) == ERR_OK) {
		struct extension_at e = extension_open(out, buf_str(&dotted), bytes_eq_str(flag, "critical"));

		buf_add_bytes(out, buf_bytes(&value));
		extension_close(out, e);
	}
	buf_free(&dotted);
	buf_free(&oid);
	buf_free(&value);
	return err;
}

enum err custom_extensions_parse(const char *text, struct buf *out, struct why *why)
{
	enum err err = ERR_OK;

	for (size_t n = 0; err == ERR_OK; n++) {
		size_t length = strcspn(text, ",");

		if (n == MAX_EXTENSIONS)
			return fail(why, ERR_CONFIG, "more than %d extensions", MAX_EXTENSIONS);
		err = parse_one(bytes_of(text, length), out, why);
		if (text[length] == '\0')
			break;
		text += length + 1;
	}
	return err;
}
