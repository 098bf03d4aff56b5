#include "ca/policy.h"

#include <gnutls/x509.h>
#include <string.h>

#include "pki/ava.h"
#include "pki/der.h"
#include "pki/name.h"
#include "pki/oid.h"

static const struct {
	unsigned type;
	const char *name;
} san_names[] = {
    {SAN_DNS, "dns"}, {SAN_IP, "ip"}, {SAN_EMAIL, "email"}, {SAN_URI, "uri"}, {SAN_UPN, "upn"}, {SAN_DIRNAME, "directory"},
};

static const char *san_name(unsigned type)
{
	for (size_t i = 0; i < sizeof(san_names) / sizeof(san_names[0]); i++) {
		if (san_names[i].type == type)
			return san_names[i].name;
	}
	return "other";
}

/* basicConstraints ::= SEQUENCE { cA BOOLEAN DEFAULT FALSE, ... }: a request for a CA certificate is no oversight. */
static enum err refuse_ca(const struct csr *csr, struct why *why)
{
	struct bytes value;
	struct tlv seq, ca;

	if (!csr_extension(csr, OID_BASIC_CONSTRAINTS, &value))
		return ERR_OK;
	if (!der_whole(value, DER_SEQUENCE, &seq))
		return fail(why, ERR_CSR, "the requested basicConstraints cannot be read");
	if (der_expect(&seq.body, DER_BOOLEAN, &ca) && ca.body.n == 1 && ca.body.p[0] != 0)
		return fail(why, ERR_CSR, "the request asks for a CA certificate (basicConstraints CA:TRUE)");
	return ERR_OK;
}

static void leave_out(struct template *t, const char *what)
{
	buf_printf(&t->left_out, "%ssubjectAltName %s", t->left_out.n > 0 ? ", " : "", what);
}

/* Copies the requested names of allowed kinds as they are; each other kind is noted. */
static enum err take_sans(const struct profile_conf *policy, struct bytes names, struct template *t, struct why *why)
{
	size_t at = der_open(&t->san), n = 0;
	struct san san;

	while (san_next(&names, &san)) {
		if (++n > POLICY_MAX_SANS)
			return fail(why, ERR_SUBJECT, "more than %d names in the requested subjectAltName", POLICY_MAX_SANS);
		if ((san.type & policy->san_types) != 0)
			buf_add_bytes(&t->san, san.raw);
		else
			leave_out(t, san_name(san.type));
	}
	if (names.n > 0)
		return fail(why, ERR_CSR, "the requested subjectAltName cannot be read");
	if (t->san.n > at)
		der_close(&t->san, at, DER_SEQUENCE);
	return ERR_OK;
}

static enum err decide_sans(const struct profile_conf *policy, const struct csr *csr, struct template *t, struct why *why)
{
	struct bytes value;
	struct tlv names;
	enum err err;

	if (!csr_extension(csr, OID_SUBJECT_ALT_NAME, &value))
		return ERR_OK;
	if (!der_whole(value, DER_SEQUENCE, &names))
		return fail(why, ERR_CSR, "the requested subjectAltName cannot be read");
	if ((err = take_sans(policy, names.body, t, why)) != ERR_OK)
		return err;
	return t->san.n > 0 ? san_text(buf_bytes(&t->san), &t->sans_text, why) : ERR_OK;
}

/* What goes into a certificate as it is has to be readable there: no empty text (RFC 5280, appendix A), none with a NUL, none of another class. */
static bool is_value(struct bytes value)
{
	struct buf text = {0};
	struct bytes in = value;
	struct tlv t;
	bool ok = der_next(&in, &t) && (t.tag & 0xc0) == 0 && t.body.n > 0;

	switch (ok ? t.tag : 0) {
	case DER_UTF8:
	case DER_PRINTABLE:
	case DER_TELETEX:
	case DER_IA5:
	case DER_UNIVERSAL:
	case DER_BMP:
		ok = string_utf8(value, &text);
	}
	buf_free(&text);
	return ok;
}

static bool values_are_readable(struct bytes subject)
{
	struct bytes rdns, avas;
	struct ava ava;

	if (!name_contents(subject, &rdns))
		return false;
	while (rdn_next(&rdns, &avas)) {
		while (ava_next(&avas, &ava)) {
			if (!is_value(ava.value))
				return false;
		}
	}
	return true;
}

static enum err decide_subject(const struct csr *csr, struct template *t, struct why *why)
{
	t->subject = csr->subject;
	if (csr->subject.n > POLICY_MAX_SUBJECT)
		return fail(why, ERR_SUBJECT, "the subject has %zu octets, at most %d are accepted", csr->subject.n, POLICY_MAX_SUBJECT);
	if (!values_are_readable(csr->subject))
		return fail(why, ERR_SUBJECT, "a value in the subject is empty, or not text of its type");
	if (name_is_empty(csr->subject) && t->san.n == 0)
		return fail(why, ERR_SUBJECT, "the subject is empty and no accepted subjectAltName takes its place");
	return ERR_OK;
}

/* Only RSA keys can encipher (RFC 8813, section 3). */
static unsigned usage_for(unsigned usage, enum key_type type)
{
	return type == KEY_RSA ? usage : usage & ~(unsigned)(GNUTLS_KEY_KEY_ENCIPHERMENT | GNUTLS_KEY_DATA_ENCIPHERMENT);
}

enum err policy_decide(const struct profile_conf *policy, const struct facts *facts, time_t now, struct template *out,
    struct why *why)
{
	struct template t = {0};
	enum err err;

	if (facts->key_is_ours)
		return fail(why, ERR_CSR, "the request is for a key of this CA or RA itself");
	if ((err = refuse_ca(facts->csr, why)) != ERR_OK)
		return err;
	if ((err = decide_sans(policy, facts->csr, &t, why)) != ERR_OK)
		goto out;
	if ((err = decide_subject(facts->csr, &t, why)) != ERR_OK)
		goto out;
	t.not_before = now - (time_t)policy->backdate_s;
	t.not_after = now + (time_t)policy->validity_s;
	if (t.not_after > facts->ca_not_after)
		t.not_after = facts->ca_not_after;	/* RFC 5280, 6.1: a path ends with its CA */
	t.key_usage = usage_for(policy->key_usage, facts->key.type);
	t.eku = (const char *const *)policy->extended_key_usage;
	*out = t;
	return ERR_OK;
out:
	template_free(&t);
	return err;
}

static bool has_name(struct bytes names, struct bytes wanted)
{
	struct san san;

	while (san_next(&names, &san)) {
		if (bytes_eq(san.raw, wanted))
			return true;
	}
	return false;
}

/* The contents of the GeneralNames SEQUENCE; empty when there is none. */
static struct bytes names_in(struct bytes general_names)
{
	struct tlv seq = {0};

	return der_whole(general_names, DER_SEQUENCE, &seq) ? seq.body : (struct bytes){0};
}

enum err policy_within(const struct profile_conf *policy, const struct csr *csr, const struct cert *old, struct why *why)
{
	struct bytes had = {0}, names;
	struct template t = {0};
	struct san san;
	enum err err;

	if (!name_eq(old->subject, csr->subject))
		return fail(why, ERR_RENEWAL, "the subject is not that of the certificate to be renewed");
	err = decide_sans(policy, csr, &t, why);
	cert_extension(old, OID_SUBJECT_ALT_NAME, &had, NULL);
	names = names_in(buf_bytes(&t.san));
	while (err == ERR_OK && san_next(&names, &san)) {
		if (!has_name(names_in(had), san.raw))
			err = fail(why, ERR_RENEWAL, "subjectAltName holds a name that the certificate to be renewed has not");
	}
	template_free(&t);
	return err;
}

void template_free(struct template *t)
{
	buf_free(&t->san);
	buf_free(&t->sans_text);
	buf_free(&t->left_out);
}
