/*
 * Hostile values in templates, and hostile wishes: whatever a request holds, the certificate has the attributes of its template and no others, names
 * of the kinds of its template and no others, no usage and no extension that the profile does not give, and text that can be read.
 */
#include <gnutls/x509.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "ca/policy.h"
#include "ca/san_template.h"
#include "ca/subject_template.h"
#include "conf/value.h"
#include "pki/ava.h"
#include "pki/der.h"
#include "pki/ext.h"
#include "pki/name.h"
#include "pki/oid.h"

#define PROFILES 3

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct {
	struct profile_conf conf;
	struct policy *policy;
} profiles[PROFILES];

static const struct {
	size_t profile;
	const char *section, *key, *value;
} settings[] = {
    {0, "subject", "template", "CN=x-${csr.cn:-none}+serialNumber=${csr.serialNumber:-0},OU=${csr.ou:-}${csr.o:-y},O=Example"},
    {0, "san", "template", "dns:${csr.cn:-none}.example upn:${csr.upn:-a@b.example} uri:urn:${csr.dns:-none}:${csr.email:-none}"},
    {0, "extensions", "must_staple", "always"},
    {0, "extensions", "policies", "1.2.3.4"},
    {1, "certificate", "san", "dns ip email uri upn directory"},
    {1, "certificate", "allow_key_usage", "keyAgreement"},
    {1, "certificate", "allow_extended_key_usage", "serverAuth 1.2.3.4"},
    {1, "extensions", "must_staple", "requested"},
    {1, "extensions", "sid", "extension"},
    {1, "san", "match_dns", "([a-z]+\\.)*example"},
    {1, "subject", "match_cn", "[a-z]*"},
    {1, "subject", "forbidden", "OU"},
    {2, "certificate", "on_excess", "refuse"},
    {2, "subject", "template", "CN=${csr.dns:-}${csr.ip:-}${csr.uri:-}${csr.email:-}${csr.upn:-},O=Example"},
};

static void load(void)
{
	struct problems problems = {0};
	struct why why;

	for (size_t i = 0; i < PROFILES; i++) {
		values_set_standard(&profile_settings, "/x.ini", &profiles[i].conf);
		profiles[i].conf.file = (char *)"x.ini";
	}
	for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++) {
		const struct setting *row = setting_find(&profile_settings, settings[i].section, settings[i].key);

		if (value_set(row, "/x.ini", settings[i].value, &profiles[settings[i].profile].conf, &why) != ERR_OK)
			abort();
	}
	for (size_t i = 0; i < PROFILES; i++)
		profiles[i].policy = policy_load(&profiles[i].conf, &problems);
	if (problems.n > 0)
		abort();
}

/* How many RDNs and attributes the subject has, and whether all attributes are among these. */
static void check_subject(struct bytes subject, const char *const *allowed)
{
	struct bytes rdns, avas;
	struct ava ava;

	if (!name_contents(subject, &rdns))
		abort();
	while (rdn_next(&rdns, &avas)) {
		while (ava_next(&avas, &ava)) {
			const char *const *a = allowed;

			while (*a != NULL && !der_oid_is(ava.oid, *a))
				a++;
			if (*a == NULL)
				abort();
		}
	}
	if (rdns.n > 0 || !name_is_text(subject))
		abort();
}

static void check_sans(struct bytes names, unsigned kinds)
{
	struct tlv seq;
	struct san san;

	if (names.n == 0)
		return;
	if (!der_whole(names, DER_SEQUENCE, &seq))
		abort();
	while (san_next(&seq.body, &san)) {
		if ((san.type & kinds) == 0 || !san_is_sound(&san) || san_is_wildcard(&san))
			abort();
	}
	if (seq.body.n > 0)
		abort();
}

static void check_uses(size_t profile, const struct template *t)
{
	unsigned most = GNUTLS_KEY_DIGITAL_SIGNATURE | GNUTLS_KEY_KEY_ENCIPHERMENT | (profile == 1 ? GNUTLS_KEY_KEY_AGREEMENT : 0u);
	struct bytes rest = buf_bytes(&t->extensions);
	struct extension e;

	if ((t->key_usage & ~most) != 0)
		abort();
	for (const char *const *oid = t->eku; oid != NULL && *oid != NULL; oid++) {
		if (strcmp(*oid, OID_OCSP_SIGNING) == 0 || strcmp(*oid, OID_ANY_PURPOSE) == 0)
			abort();
	}
	while (extension_next(&rest, &e)) {
		bool given = profile == 0 ? der_oid_is(e.oid, OID_TLS_FEATURE) || der_oid_is(e.oid, OID_CERTIFICATE_POLICIES) :
		    profile == 1 && (der_oid_is(e.oid, OID_TLS_FEATURE) || der_oid_is(e.oid, OID_MS_SID));

		if (!given || e.critical)
			abort();
	}
	if (rest.n > 0)
		abort();
}

static void decide(size_t profile, const struct csr *csr)
{
	static const char *const made[] = {OID_CN, OID_SERIAL_NUMBER, OID_OU, OID_O, NULL}, *const short_made[] = {OID_CN, OID_O, NULL};
	const struct facts facts = {.csr = csr, .key = {.type = KEY_RSA, .bits = 2048}, .ca_not_after = 2000000000};
	struct buf text = {0};
	struct template t = {0};
	struct why why;

	if (policy_decide(profiles[profile].policy, &facts, 1800000000, &t, &why) == ERR_OK) {
		if (profile != 1)
			check_subject(t.subject, profile == 0 ? made : short_made);
		check_sans(buf_bytes(&t.san), profile == 0 ? SAN_DNS | SAN_UPN | SAN_URI : profile == 1 ? ~0u : SAN_DNS | SAN_IP | SAN_EMAIL | SAN_URI);
		check_uses(profile, &t);
		if (name_text(t.subject, &text, &why) != ERR_OK)
			abort();
	} else if (t.subject.n > 0 || t.san.n > 0) {
		abort();
	}
	template_free(&t);
	buf_free(&text);
}

/* What operators write is no attack, but is not to crash either. */
static void templates(const char *text)
{
	struct subject_template *subject = NULL;
	struct san_template *sans = NULL;

	if (subject_template_parse(text, &subject, NULL) == ERR_OK)
		subject_template_free(subject);
	if (san_template_parse(text, &sans, NULL) == ERR_OK)
		san_template_free(sans);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct csr *csr = NULL;
	struct why why;
	char *text;

	if (profiles[0].policy == NULL)
		load();
	if (size > 0 && data[0] != DER_SEQUENCE) {
		text = mem_strndup((const char *)data, size);
		templates(text);
		free(text);
	} else if (csr_parse(bytes_of(data, size), &csr, &why) == ERR_OK) {
		for (size_t i = 0; i < PROFILES; i++)
			decide(i, csr);
	}
	csr_free(csr);
	return 0;
}
