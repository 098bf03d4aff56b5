#include "ca/profile_check.h"

#include <gnutls/x509.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/mem.h"
#include "conf/date.h"
#include "pki/spki.h"

#define MIN_RSA_BITS 2048	/* of our own keys: below it nothing that they sign is worth much */
#define EXPIRY_WARNING_S (30 * 86400)

/* --- who can say yes ------------------------------------------------------------------------------------------------ */

static bool has_static_secrets(const struct profile_conf *conf)
{
	return conf->static_challenge_file != NULL;
}

static bool has_one_time_challenges(const struct profile_conf *conf)
{
	return conf->one_time_challenge;
}

static bool has_signed_challenges(const struct profile_conf *conf)
{
	return conf->signed_challenge.anchors != NULL;
}

static bool has_operators(const struct profile_conf *conf)
{
	return conf->approval != APPROVAL_AUTO;
}

static bool has_client_certificates(const struct profile_conf *conf)
{
	return conf->client_cert.trust != NULL && conf->client_cert.replaces_challenge;
}

static bool has_webhook(const struct profile_conf *conf)
{
	return conf->webhook.url != NULL && conf->webhook.hook.role == HOOK_CHALLENGE;
}

static bool has_command(const struct profile_conf *conf)
{
	return conf->command.path != NULL && conf->command.hook.role == HOOK_CHALLENGE;
}

/* Each of these alone is enough to authorise a first request. */
static const struct {
	bool (*is_set)(const struct profile_conf *conf);
	const char *how;	/* what to write into the profile */
	const char *name;	/* in lists */
} authenticators[] = {
    {has_one_time_challenges, "'one_time_challenge = yes' in [enrol]", "one-time challenges"},
    {has_static_secrets, "'static_challenge_file' in [enrol]", "static challenge"},
    {has_signed_challenges, "'anchors' in [signed_challenge]", "signed challenges"},
    {has_client_certificates, "'trust' and 'challenge = not-with-client-cert' in [client_certificate]", "client certificate"},
    {has_operators, "'mode = manual' in [approval]", "operators"},
    {has_webhook, "'url' with 'role = challenge' in [webhook]", "web hook"},
    {has_command, "'path' with 'role = challenge' in [command]", "command"},
};

void list_authenticators(const struct profile_conf *conf, struct buf *out)
{
	for (size_t i = 0; i < sizeof(authenticators) / sizeof(authenticators[0]); i++) {
		if (authenticators[i].is_set(conf))
			buf_printf(out, "%s%s", out->n > 0 ? ", " : "", authenticators[i].name);
	}
}

void check_authenticators(const struct profile_conf *conf, struct problems *problems)
{
	struct buf ways = {0};
	char where[600];

	for (size_t i = 0; i < sizeof(authenticators) / sizeof(authenticators[0]); i++) {
		if (authenticators[i].is_set(conf)) {
			buf_free(&ways);
			return;
		}
		buf_printf(&ways, "%s%s", i > 0 ? "; " : "", authenticators[i].how);
	}
	snprintf(where, sizeof(where), "%s [enrol]", conf->file);
	problem_add(problems, PROBLEM_ERROR, where, "nothing could authorise a device; any of these would: %s", buf_str(&ways));
	buf_free(&ways);
}

/* --- certificates and keys ------------------------------------------------------------------------------------------ */

void check_file(const char *section, const char *key, const struct why *why, struct problems *problems)
{
	char *where = mem_printf("%s %s", section, key);

	problem_why(problems, where, why);
	free(where);
}

/* A key file that is open to others is refused, and judged all the same. */
static void read_key(const struct key_conf *conf, const char *where, struct key **key, struct problems *problems)
{
	struct why why = {0}, told;
	struct buf pem = {0};

	if (key_open(conf->key, conf->pin_file, key, &why) == ERR_OK)
		return;
	check_file(where, "key", &why, problems);
	if (!key_is_token(conf->key) && file_read(conf->key, &pem, &told) == ERR_OK)
		(void)key_from_pem(buf_bytes(&pem), key, &told);
	buf_wipe(&pem);
}

void read_pair(const struct key_conf *conf, const char *where, struct cert **cert, struct key **key, struct problems *problems)
{
	struct why why = {0};

	if (conf->certificate != NULL && cert_read(conf->certificate, cert, &why) != ERR_OK)
		check_file(where, "certificate", &why, problems);
	if (conf->key != NULL)
		read_key(conf, where, key, problems);
}

/* What kind of key it is, by the certificate, which is what devices see, or else by the key. False when neither could be read. */
static bool kind_of(const struct key_pair *pair, struct key_kind *kind)
{
	struct spki_view view = {.kind = {.type = KEY_OTHER}};
	struct why why;

	if (pair->cert != NULL) {
		(void)spki_read(pair->cert->spki, &view, &why);
		*kind = view.kind;
	} else if (pair->key != NULL) {
		*kind = key_kind(pair->key);
	}
	return pair->cert != NULL || pair->key != NULL;
}

/* The key is named, for it is what most often stayed behind when a certificate was renewed. */
static void check_belong(const struct key_pair *pair, struct problems *problems)
{
	struct why why = {0};

	if (pair->key == NULL || pair->cert == NULL || bytes_eq(key_spki(pair->key), pair->cert->spki))
		return;
	fail(&why, ERR_KEY, "the %s key does not belong to the %s certificate; name the key that the certificate was made for", pair->what,
	    pair->what);
	check_file(pair->where, "key", &why, problems);
}

static void check_dates(const struct key_pair *pair, time_t now, struct problems *problems)
{
	char date[DATE_SIZE];

	if (!pair->cert->times_ok) {
		problem_add(problems, PROBLEM_ERROR, pair->where, "the validity dates of the %s certificate cannot be read", pair->what);
		return;
	}
	if (now < pair->cert->not_before) {
		date_print(pair->cert->not_before, date);
		problem_add(problems, PROBLEM_ERROR, pair->where,
		    "the %s certificate is not valid before %s; is this machine's clock right?", pair->what, date);
	}
	date_print(pair->cert->not_after, date);
	if (now > pair->cert->not_after)
		problem_add(problems, PROBLEM_ERROR, pair->where, "the %s certificate expired on %s; issue a new one", pair->what, date);
	else if (now > pair->cert->not_after - EXPIRY_WARNING_S)
		problem_add(problems, PROBLEM_WARNING, pair->where, "the %s certificate expires soon, on %s", pair->what, date);
}

void check_pair(const struct key_pair *pair, time_t now, struct problems *problems)
{
	struct key_kind kind;

	if (!kind_of(pair, &kind))
		return;
	check_belong(pair, problems);
	if (kind.type == KEY_RSA && kind.bits < MIN_RSA_BITS)
		problem_add(problems, PROBLEM_ERROR, pair->where, "the %s key is weak: RSA with %u bits, at least %d are needed",
		    pair->what, kind.bits, MIN_RSA_BITS);
	if (kind.type == KEY_OTHER || (kind.type == KEY_EC && kind.curve == GNUTLS_ECC_CURVE_INVALID))
		problem_add(problems, PROBLEM_ERROR, pair->where,
		    "the %s key is of a kind that is not supported; use RSA, EC on P-256, P-384 or P-521, or Ed25519", pair->what);
	if (pair->cert != NULL && now != DATES_UNCHECKED)
		check_dates(pair, now, problems);
}

void check_ca(const struct key_pair *ca, struct problems *problems)
{
	if (ca->cert == NULL)
		return;
	if (!cert_is_ca(ca->cert))
		problem_add(problems, PROBLEM_ERROR, ca->where, "the certificate is not a CA certificate (basicConstraints CA:TRUE is missing)");
	if ((cert_key_usage(ca->cert) & GNUTLS_KEY_KEY_CERT_SIGN) == 0)
		problem_add(problems, PROBLEM_ERROR, ca->where, "the CA certificate's keyUsage does not include keyCertSign");
}

void check_signature(const struct key_pair *ca, const struct profile_conf *conf, struct problems *problems)
{
	static const struct {
		enum sig_scheme scheme;
		const char *name;
	} schemes[] = {
	    [SIGNATURE_RSA_PKCS1] = {SIG_RSA_PKCS1, "rsa-pkcs1"}, [SIGNATURE_RSA_PSS] = {SIG_RSA_PSS, "rsa-pss"},
	    [SIGNATURE_ECDSA] = {SIG_ECDSA, "ecdsa"}, [SIGNATURE_ED25519] = {SIG_ED25519, "ed25519"},
	};
	static const char *const kinds[] = {[KEY_RSA] = "RSA", [KEY_EC] = "EC", [KEY_ED25519] = "Ed25519", [KEY_OTHER] = "another"};
	enum conf_signature signature = conf->cert.signature;
	struct key_kind kind;
	enum key_type type;

	if (!kind_of(ca, &kind))
		return;
	type = kind.type;
	if (signature != SIGNATURE_AUTO && !sig_scheme_fits(schemes[signature].scheme, type))
		problem_add(problems, PROBLEM_ERROR, ca->where,
		    "the CA's key is of kind %s and cannot sign as [certificate] signature says, %s; 'auto' fits any key", kinds[type],
		    schemes[signature].name);
	if (type == KEY_ED25519 && conf->cert.digest != SIGN_DIGEST_AUTO)
		problem_add(problems, PROBLEM_ERROR, ca->where,
		    "the CA's key is of kind Ed25519, which has a digest of its own; take 'digest' out of [certificate]");
}

void check_recipient(const struct key_pair *pair, bool signs, struct problems *problems)
{
	struct key_kind kind;
	unsigned usage;

	if (kind_of(pair, &kind) && kind.type != KEY_RSA)
		problem_add(problems, PROBLEM_ERROR, pair->where,
		    "the %s key must be RSA, for devices encrypt their requests to it; an RSA RA may stand before a CA of any kind: "
		    "see `scepter ca issue-ra`",
		    pair->what);
	if (pair->cert == NULL)
		return;
	usage = cert_key_usage(pair->cert);
	if ((usage & GNUTLS_KEY_KEY_ENCIPHERMENT) == 0)
		problem_add(problems, PROBLEM_ERROR, pair->where,
		    "the %s certificate's keyUsage does not include keyEncipherment, so devices will not encrypt to it", pair->what);
	if (signs && (usage & GNUTLS_KEY_DIGITAL_SIGNATURE) == 0)
		problem_add(problems, PROBLEM_ERROR, pair->where,
		    "the %s certificate's keyUsage does not include digitalSignature, so devices will not accept its answers", pair->what);
	if (!signs && (usage & GNUTLS_KEY_DIGITAL_SIGNATURE) != 0)
		problem_add(problems, PROBLEM_WARNING, pair->where,
		    "the %s certificate's keyUsage includes digitalSignature beside [ra_sign]: some devices will take it for the one that signs; "
		    "see `scepter ca issue-ra --for encrypt`",
		    pair->what);
}

void check_answerer(const struct key_pair *pair, struct problems *problems)
{
	unsigned usage;

	if (pair->cert == NULL)
		return;
	usage = cert_key_usage(pair->cert);
	if ((usage & GNUTLS_KEY_DIGITAL_SIGNATURE) == 0)
		problem_add(problems, PROBLEM_ERROR, pair->where,
		    "the %s certificate's keyUsage does not include digitalSignature, so devices will not accept its answers", pair->what);
	if ((usage & GNUTLS_KEY_KEY_ENCIPHERMENT) != 0)
		problem_add(problems, PROBLEM_ERROR, pair->where,
		    "the %s certificate's keyUsage includes keyEncipherment, so devices would encrypt to it; use one made with "
		    "`scepter ca issue-ra --for sign`",
		    pair->what);
}

void check_issuer(const struct key_pair *ra, const struct cert *ca, struct problems *problems)
{
	struct why why = {0};

	if (ra->cert != NULL && ca != NULL && ra->cert != ca && cert_verify_by(ra->cert, ca, &why) != ERR_OK)
		problem_add(problems, PROBLEM_ERROR, ra->where, "the %s certificate was not issued by the profile's CA: %s", ra->what, why.text);
}

void check_chain(const char *where, const struct profile *p, struct problems *problems)
{
	const struct cert *below = p->ca_cert;
	struct why why = {0};

	for (size_t i = 0; i < p->n_chain; i++) {
		if (cert_verify_by(below, p->chain[i], &why) != ERR_OK)
			problem_add(problems, PROBLEM_ERROR, where,
			    "certificate %zu of the chain is not the issuer of the one before it: %s", i + 1, why.text);
		below = p->chain[i];
	}
}
