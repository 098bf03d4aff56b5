/* Extensions besides the usual ones: must-staple (RFC 7633), certificate policies (RFC 5280, 4.2.1.4), Microsoft's SID, and the profile's own. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ca/policy_part.h"
#include "pki/der.h"
#include "pki/ext.h"
#include "pki/oid.h"

/* Features ::= SEQUENCE OF INTEGER with status_request(5) in it. */
static const struct bytes must_staple = {(const uint8_t *)"\x30\x03\x02\x01\x05", 5};

static void add_extension(struct buf *b, const char *oid, struct bytes value)
{
	struct extension_at e = extension_open(b, oid, false);

	buf_add_bytes(b, value);
	extension_close(b, e);
}

/* --- when the profile is loaded ----------------------------------------------------------------------------------- */

/* PolicyQualifierInfo ::= SEQUENCE { id-qt-cps, IA5String } */
static void qualifiers(struct buf *b, char *const *urls)
{
	size_t at = der_open(b);

	if (urls == NULL)
		return;
	for (; *urls != NULL; urls++) {
		size_t one = der_open(b);

		der_oid(b, OID_CPS);
		der_str(b, DER_IA5, *urls);
		der_close(b, one, DER_SEQUENCE);
	}
	der_close(b, at, DER_SEQUENCE);
}

static void add_policies(struct buf *b, const struct cert_conf *conf)
{
	struct buf list = {0};
	size_t at = der_open(&list);

	for (char *const *oid = conf->policies; oid != NULL && *oid != NULL; oid++) {
		size_t one = der_open(&list);

		der_oid(&list, *oid);
		qualifiers(&list, conf->cps_urls);
		der_close(&list, one, DER_SEQUENCE);
	}
	if (list.n > at) {
		der_close(&list, at, DER_SEQUENCE);
		add_extension(b, OID_CERTIFICATE_POLICIES, buf_bytes(&list));
	}
	buf_free(&list);
}

static void check_cps(const struct profile_conf *conf, struct problems *problems)
{
	char *where = policy_where(conf, "extensions", "cps_url");
	char *const *url = conf->cert.cps_urls;

	if (url != NULL && (conf->cert.policies == NULL || conf->cert.policies[0] == NULL))
		problem_add(problems, PROBLEM_ERROR, where, "stands without policies that it could be about; set policies, or take it out");
	for (; url != NULL && *url != NULL; url++) {
		if (strchr(*url, '{') != NULL)
			problem_add(problems, PROBLEM_ERROR, where, "'%.100s': {ca} has no meaning here", *url);
	}
	free(where);
}

void policy_extensions_load(struct policy *policy, struct problems *problems)
{
	const struct cert_conf *conf = &policy->conf->cert;
	struct why why = {0};
	char *where;

	check_cps(policy->conf, problems);
	add_policies(&policy->extensions, conf);
	if (conf->must_staple == MUST_STAPLE_ALWAYS)
		add_extension(&policy->extensions, OID_TLS_FEATURE, must_staple);
	if (conf->custom != NULL && custom_extensions_parse(conf->custom, &policy->extensions, &why) != ERR_OK) {
		where = policy_where(policy->conf, "extensions", "custom");
		problem_why(problems, where, &why);
		free(where);
	}
}

/* --- for one request ---------------------------------------------------------------------------------------------- */

bool sid_is_sound(struct bytes text)
{
	bool digit = false;

	if (text.n < 5 || text.n > 184 || memcmp(text.p, "S-1-", 4) != 0)	/* 15 sub-authorities */
		return false;
	for (size_t i = 4; i < text.n; i++) {
		if (text.p[i] != '-' && (text.p[i] < '0' || text.p[i] > '9'))
			return false;
		if (text.p[i] == '-' && !digit)
			return false;
		digit = text.p[i] != '-';
	}
	return digit;
}

/* szOID_NTDS_CA_SECURITY_EXT: GeneralNames with one otherName, whose value is the SID as OCTET STRING. */
static bool is_sid_extension(struct bytes value)
{
	struct tlv names, other, oid, wrapped, sid;

	return der_whole(value, DER_SEQUENCE, &names) && der_whole(names.body, DER_CTX(0), &other) && der_expect(&other.body, DER_OID, &oid) &&
	    der_oid_is(oid.body, OID_MS_SID_OBJECT) && der_whole(other.body, DER_CTX(0), &wrapped) &&
	    der_whole(wrapped.body, DER_OCTET_STRING, &sid) && sid_is_sound(sid.body);
}

/* A renewed certificate keeps its own: what the request says is not looked at, policy_within has compared it. */
static enum err take_sid(const struct policy *policy, const struct facts *facts, struct bytes value, struct template *t, struct why *why)
{
	if ((policy->conf->cert.sid & SID_EXTENSION) == 0)
		return policy_excess(policy, t, "the SID extension", why);
	if (!is_sid_extension(value))
		return fail(why, ERR_CSR, "the requested SID extension cannot be read");
	if (facts->renews == NULL)
		add_extension(&t->extensions, OID_MS_SID, value);
	return ERR_OK;
}

static void keep_sid(const struct policy *policy, const struct facts *facts, struct template *t)
{
	struct bytes value;

	if (facts->renews != NULL && (policy->conf->cert.sid & SID_EXTENSION) != 0 && cert_extension(facts->renews, OID_MS_SID, &value, NULL) &&
	    is_sid_extension(value))
		add_extension(&t->extensions, OID_MS_SID, value);
}

static enum err take_features(const struct policy *policy, struct bytes value, struct template *t, struct why *why)
{
	bool staple = bytes_eq(value, must_staple);

	if (staple && policy->conf->cert.must_staple == MUST_STAPLE_ALWAYS)
		return ERR_OK;
	if (!staple || policy->conf->cert.must_staple == MUST_STAPLE_NO)
		return policy_excess(policy, t, staple ? "must-staple" : "TLS features other than must-staple", why);
	add_extension(&t->extensions, OID_TLS_FEATURE, must_staple);
	return ERR_OK;
}

/* Those that are decided elsewhere, and key identifiers and basicConstraints, which every certificate has anyway. */
static bool is_usual(struct bytes oid)
{
	static const char *const usual[] = {
	    OID_SUBJECT_ALT_NAME, OID_KEY_USAGE, OID_EXT_KEY_USAGE, OID_BASIC_CONSTRAINTS, OID_SUBJECT_KEY_ID, OID_AUTHORITY_KEY_ID};

	for (size_t i = 0; i < sizeof(usual) / sizeof(usual[0]); i++) {
		if (der_oid_is(oid, usual[i]))
			return true;
	}
	return false;
}

/* The profile gives it to everybody, with its own value. */
static bool is_given(const struct policy *policy, struct bytes oid)
{
	struct bytes rest = buf_bytes(&policy->extensions);
	struct extension e;

	while (extension_next(&rest, &e)) {
		if (bytes_eq(e.oid, oid))
			return true;
	}
	return false;
}

static enum err take_other(const struct policy *policy, struct bytes oid, struct template *t, struct why *why)
{
	char dotted[300], what[320];

	if (is_usual(oid) || is_given(policy, oid))
		return ERR_OK;
	if (!der_oid_text(oid, dotted, sizeof(dotted)))
		return fail(why, ERR_CSR, "a requested extension's type is not an object identifier");
	snprintf(what, sizeof(what), "extension %s", dotted);
	return policy_excess(policy, t, what, why);
}

enum err policy_extensions(const struct policy *policy, const struct facts *facts, struct template *t, struct why *why)
{
	struct bytes rest = facts->csr->extensions;
	struct extension e;
	enum err err = ERR_OK;

	buf_add_bytes(&t->extensions, buf_bytes(&policy->extensions));
	while (err == ERR_OK && extension_next(&rest, &e)) {
		if (der_oid_is(e.oid, OID_MS_SID))
			err = take_sid(policy, facts, e.value, t, why);
		else if (der_oid_is(e.oid, OID_TLS_FEATURE))
			err = take_features(policy, e.value, t, why);
		else
			err = take_other(policy, e.oid, t, why);
	}
	if (err == ERR_OK)
		keep_sid(policy, facts, t);
	return err;
}

enum err policy_sid_within(const struct policy *policy, const struct csr *csr, const struct cert *old, struct why *why)
{
	struct bytes asked, had;

	if ((policy->conf->cert.sid & SID_EXTENSION) == 0 || !csr_extension(csr, OID_MS_SID, &asked))
		return ERR_OK;
	if (cert_extension(old, OID_MS_SID, &had, NULL) && bytes_eq(asked, had))
		return ERR_OK;
	return fail(why, ERR_RENEWAL, "the request asks for a SID that the certificate to be renewed has not");
}
