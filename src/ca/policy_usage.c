/* Which keys are certified, and what for: keyUsage and extendedKeyUsage (RFC 5280, 4.2.1.3, 4.2.1.12). */
#include <gnutls/x509.h>

#include "base/mem.h"
#include "ca/policy_part.h"
#include "pki/der.h"
#include "pki/oid.h"

static unsigned curve_bit(gnutls_ecc_curve_t curve)
{
	switch (curve) {
	case GNUTLS_ECC_CURVE_SECP256R1:
		return CURVES_P256;
	case GNUTLS_ECC_CURVE_SECP384R1:
		return CURVES_P384;
	case GNUTLS_ECC_CURVE_SECP521R1:
		return CURVES_P521;
	default:
		return 0;
	}
}

enum err policy_key(const struct policy *policy, struct key_kind key, struct why *why)
{
	static const struct {
		enum key_type type;
		unsigned bit;
		const char *name;
	} types[] = {{KEY_RSA, KEYS_RSA, "rsa"}, {KEY_EC, KEYS_EC, "ec"}, {KEY_ED25519, KEYS_ED25519, "ed25519"}};
	const struct cert_conf *conf = &policy->conf->cert;

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		if (types[i].type != key.type)
			continue;
		if ((conf->keys & types[i].bit) == 0)
			return fail(why, ERR_KEY_WEAK, "the request is for a key of kind %s, which [certificate] keys does not name", types[i].name);
		if (key.type == KEY_EC && (conf->curves & curve_bit(key.curve)) == 0)
			return fail(why, ERR_KEY_WEAK, "the request is for an EC key of %u bits, whose curve [certificate] curves does not name", key.bits);
		return ERR_OK;
	}
	return fail(why, ERR_KEY_WEAK, "the request is for a key of an unknown kind");
}

/* --- keyUsage ----------------------------------------------------------------------------------------------------- */

/* Only RSA keys can encipher (RFC 8813, section 3). */
static unsigned usage_for(unsigned usage, enum key_type type)
{
	return type == KEY_RSA ? usage : usage & ~(unsigned)(GNUTLS_KEY_KEY_ENCIPHERMENT | GNUTLS_KEY_DATA_ENCIPHERMENT);
}

/* GNUTLS_KEY_* count as the octets of the BIT STRING do. */
static enum err requested_usage(const struct csr *csr, unsigned *usage, struct why *why)
{
	struct bytes value;
	struct tlv bits;

	*usage = 0;
	if (!csr_extension(csr, OID_KEY_USAGE, &value))
		return ERR_OK;
	if (!der_whole(value, DER_BIT_STRING, &bits) || bits.body.n == 0 || bits.body.n > 3 || bits.body.p[0] > 7)
		return fail(why, ERR_CSR, "the requested keyUsage cannot be read");
	if (bits.body.n > 1)
		*usage = bits.body.p[1];
	if (bits.body.n > 2 && (bits.body.p[2] & 0x80) != 0)
		*usage |= GNUTLS_KEY_DECIPHER_ONLY;
	return ERR_OK;
}

static enum err excess_usage(const struct policy *policy, unsigned excess, struct template *t, struct why *why)
{
	static const struct {
		unsigned bit;
		const char *name;
	} names[] = {
	    {GNUTLS_KEY_DIGITAL_SIGNATURE, "keyUsage digitalSignature"}, {GNUTLS_KEY_NON_REPUDIATION, "keyUsage nonRepudiation"},
	    {GNUTLS_KEY_KEY_ENCIPHERMENT, "keyUsage keyEncipherment"}, {GNUTLS_KEY_DATA_ENCIPHERMENT, "keyUsage dataEncipherment"},
	    {GNUTLS_KEY_KEY_AGREEMENT, "keyUsage keyAgreement"}, {GNUTLS_KEY_KEY_CERT_SIGN, "keyUsage keyCertSign"},
	    {GNUTLS_KEY_CRL_SIGN, "keyUsage cRLSign"}, {GNUTLS_KEY_ENCIPHER_ONLY, "keyUsage encipherOnly"},
	    {GNUTLS_KEY_DECIPHER_ONLY, "keyUsage decipherOnly"},
	};
	enum err err = ERR_OK;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]) && err == ERR_OK; i++) {
		if ((excess & names[i].bit) != 0)
			err = policy_excess(policy, t, names[i].name, why);
	}
	return err;
}

static enum err decide_usage(const struct policy *policy, const struct facts *facts, struct template *t, struct why *why)
{
	unsigned asked, given;
	enum err err = requested_usage(facts->csr, &asked, why);

	if (err != ERR_OK)
		return err;
	asked = usage_for(asked, facts->key.type);
	given = usage_for(policy->conf->key_usage, facts->key.type);
	t->key_usage = given | (asked & policy->conf->cert.allow_key_usage);
	return excess_usage(policy, asked & ~t->key_usage, t, why);
}

/* --- extendedKeyUsage --------------------------------------------------------------------------------------------- */

/* The profile's own string for it, which lives as long as the profile. */
static const char *find_purpose(char *const *list, struct bytes oid)
{
	for (; list != NULL && *list != NULL; list++) {
		if (der_oid_is(oid, *list))
			return *list;
	}
	return NULL;
}

static void add_purpose(const struct policy *policy, struct template *t, const char *oid)
{
	char *const *given = policy->conf->extended_key_usage;
	size_t n = 0;

	if (t->own_eku == NULL) {
		while (given != NULL && given[n] != NULL)
			n++;
		t->own_eku = mem_alloc((n + POLICY_MAX_PURPOSES + 1) * sizeof(*t->own_eku));
		for (size_t i = 0; i < n; i++)
			t->own_eku[i] = given[i];
	}
	for (n = 0; t->own_eku[n] != NULL; n++) {
		if (t->own_eku[n] == oid)
			return;
	}
	t->own_eku[n] = oid;
	t->eku = t->own_eku;
}

/* OCSPSigning and anyExtendedKeyUsage are in no list: reading the settings sees to that (P-120). */
static enum err take_purpose(const struct policy *policy, struct bytes oid, struct template *t, struct why *why)
{
	const char *allowed = find_purpose(policy->conf->cert.allow_eku, oid);
	char dotted[300], what[340];

	if (find_purpose(policy->conf->extended_key_usage, oid) != NULL)
		return ERR_OK;
	if (allowed != NULL) {
		add_purpose(policy, t, allowed);
		return ERR_OK;
	}
	if (!der_oid_text(oid, dotted, sizeof(dotted)))
		return fail(why, ERR_CSR, "the requested extendedKeyUsage cannot be read");
	snprintf(what, sizeof(what), "extendedKeyUsage %s", dotted);
	return policy_excess(policy, t, what, why);
}

static enum err decide_purposes(const struct policy *policy, const struct csr *csr, struct template *t, struct why *why)
{
	struct bytes value;
	struct tlv seq, oid;
	enum err err;

	t->eku = (const char *const *)policy->conf->extended_key_usage;
	if (!csr_extension(csr, OID_EXT_KEY_USAGE, &value))
		return ERR_OK;
	if (!der_whole(value, DER_SEQUENCE, &seq))
		return fail(why, ERR_CSR, "the requested extendedKeyUsage cannot be read");
	for (size_t n = 0; seq.body.n > 0; n++) {
		if (n == POLICY_MAX_PURPOSES || !der_expect(&seq.body, DER_OID, &oid))
			return fail(why, ERR_CSR, "the requested extendedKeyUsage %s", n == POLICY_MAX_PURPOSES ? "is too long" : "cannot be read");
		if ((err = take_purpose(policy, oid.body, t, why)) != ERR_OK)
			return err;
	}
	return ERR_OK;
}

enum err policy_usage(const struct policy *policy, const struct facts *facts, struct template *t, struct why *why)
{
	enum err err = decide_usage(policy, facts, t, why);

	return err == ERR_OK ? decide_purposes(policy, facts->csr, t, why) : err;
}
