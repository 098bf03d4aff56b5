#include "auth/client_cert.h"

#include <stdio.h>

#include <gnutls/x509.h>

#include "auth/client_ca.h"
#include "conf/date.h"
#include "pki/der.h"
#include "pki/ext.h"
#include "pki/name.h"
#include "pki/oid.h"

static const struct key_limits limits = {.min_rsa = CLIENT_RSA_MIN, .max_rsa = 8192};

/* --- the certificate by itself -------------------------------------------------------------------------------------- */

static enum err check_dates(const struct cert *cert, const char *whose, time_t now, struct why *why)
{
	char date[DATE_SIZE];

	if (!cert->times_ok)
		return fail(why, ERR_TLS_CERT, "the dates of %s cannot be read", whose);
	if (now < cert->not_before) {
		date_print(cert->not_before, date);
		return fail(why, ERR_TLS_CERT, "%s is not valid before %s; is this machine's clock right?", whose, date);
	}
	if (now > cert->not_after) {
		date_print(cert->not_after, date);
		return fail(why, ERR_TLS_CERT, "%s expired on %s; a new one is needed", whose, date);
	}
	return ERR_OK;
}

/* Nothing is accepted here that a stranger could have forged. */
static enum err check_strength(const struct cert *cert, struct why *why)
{
	static const struct alg_set none_but_standard = {.digests = 1 << DIGEST_SHA256 | 1 << DIGEST_SHA384 | 1 << DIGEST_SHA512};
	const struct digest_row *digest = NULL;
	struct pubkey *key = NULL;
	enum sig_scheme scheme;

	if (sig_alg_read(cert->sig_alg, &scheme, &digest, why) != ERR_OK)
		return fail(why, ERR_TLS_CERT, "the client certificate has a signature of an unknown kind");
	if (digest != NULL && !alg_set_has_digest(&none_but_standard, digest))
		return fail(why, ERR_TLS_CERT, "the client certificate is signed with %s, which is broken; its CA has to use SHA-256 or better", digest->name);
	if (pubkey_import(cert->spki, &limits, &key, why) != ERR_OK) {
		fail_in(why, "the client certificate's key is not good enough");
		return why == NULL ? ERR_TLS_CERT : (why->err = ERR_TLS_CERT);
	}
	pubkey_free(key);
	return ERR_OK;
}

/* What the code beside this one looks at. An extension that is critical and not among them may say anything (RFC 5280, 4.2). */
static bool is_understood(struct bytes oid)
{
	static const char *const known[] = {OID_KEY_USAGE, OID_EXT_KEY_USAGE, OID_BASIC_CONSTRAINTS, OID_SUBJECT_ALT_NAME, OID_CERTIFICATE_POLICIES};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (der_oid_is(oid, known[i]))
			return true;
	}
	return false;
}

static enum err check_extensions(const struct cert *cert, struct why *why)
{
	struct bytes rest = cert->extensions;
	struct extension e;
	char dotted[300];

	while (extension_next(&rest, &e)) {
		if (!e.critical || is_understood(e.oid))
			continue;
		if (!der_oid_text(e.oid, dotted, sizeof(dotted)))
			return fail(why, ERR_TLS_CERT, "the client certificate has a critical extension whose type cannot be read");
		return fail(why, ERR_TLS_CERT, "the client certificate has the critical extension %.80s, which is not known here", dotted);
	}
	return ERR_OK;
}

static enum err check_use(const struct client_trust *trust, const struct cert *cert, struct why *why)
{
	if (cert_is_ca(cert))
		return fail(why, ERR_TLS_CERT, "the client certificate is a CA's; a device needs one of its own");
	if ((cert_key_usage(cert) & GNUTLS_KEY_DIGITAL_SIGNATURE) == 0)
		return fail(why, ERR_TLS_CERT, "the client certificate's key usage does not include digitalSignature");
	if (trust->conf->client_auth && !cert_has_purpose(cert, OID_CLIENT_AUTH))
		return fail(why, ERR_TLS_CERT, "the client certificate is not for clientAuth; issue one that is, or set 'extended_key_usage = any' in "
		    "[client_certificate]");
	return check_extensions(cert, why);
}

/* --- its CAs -------------------------------------------------------------------------------------------------------- */

/* must: a certificate that nobody can vouch for now is as bad as a revoked one. */
static enum err check_revoked(const struct client_ca *ca, const struct cert *cert, bool must, time_t now, struct why *why)
{
	char date[DATE_SIZE];

	if (ca->crl == NULL && !must)
		return ERR_OK;
	if (ca->crl == NULL)
		return fail(why, ERR_TLS_CERT, "[client_certificate] crl has no CRL of '%.80s', which issued it: add that CRL and reload", ca->name);
	if (ca->crl->next_update != 0 && ca->crl->next_update < now) {
		date_print(ca->crl->next_update, date);
		return fail(why, ERR_TLS_CERT, "the CRL of '%.80s' is out of date since %s: fetch a new one and reload", ca->name, date);
	}
	if (crl_lists(ca->crl, cert->serial))
		return fail(why, ERR_TLS_CERT, "it is revoked by '%.80s'", ca->name);
	return ERR_OK;
}

/* Every kind of name that the library can hold to them. Constraints on other kinds it takes for broken. */
static enum err check_names(const struct client_ca *ca, const struct cert *cert, struct why *why)
{
	static const gnutls_x509_subject_alt_name_t kinds[] = {GNUTLS_SAN_DNSNAME, GNUTLS_SAN_RFC822NAME, GNUTLS_SAN_URI, GNUTLS_SAN_IPADDRESS,
	    GNUTLS_SAN_DN};
	gnutls_datum_t der = {cert->der.p, (unsigned)cert->der.n};
	gnutls_x509_crt_t crt = NULL;
	bool ok;

	if (ca->constraints == NULL)
		return ERR_OK;
	ok = gnutls_x509_crt_init(&crt) == 0 && gnutls_x509_crt_import(crt, &der, GNUTLS_X509_FMT_DER) == 0;
	for (size_t i = 0; ok && i < sizeof(kinds) / sizeof(kinds[0]); i++)
		ok = gnutls_x509_name_constraints_check_crt(ca->constraints, kinds[i], crt) != 0;
	gnutls_x509_crt_deinit(crt);
	return ok ? ERR_OK : fail(why, ERR_TLS_CERT, "its names are outside the name constraints of '%.80s'", ca->name);
}

/* Upwards from the CA that has signed it, to the topmost in the bundle: that one is trusted, the others are good only while it is. */
static enum err check_chain(const struct client_trust *trust, const struct client_ca *ca, const struct cert *cert, time_t now, struct why *why)
{
	const struct cert *below = cert;
	char whose[160];
	int depth = 0;
	enum err err;

	for (; ca != NULL; below = ca->cert, ca = ca->parent, depth++) {
		snprintf(whose, sizeof(whose), "the certificate of the CA '%.80s'", ca->name);
		if ((err = check_dates(ca->cert, whose, now, why)) != ERR_OK)
			return err;
		if (ca->path_len >= 0 && ca->path_len < depth)
			return fail(why, ERR_TLS_CERT, "there are more CAs between it and '%.80s' than that one allows (%d)", ca->name, ca->path_len);
		if ((err = check_revoked(ca, below, depth == 0 && trust->conf->crl != NULL, now, why)) != ERR_OK ||
		    (err = check_names(ca, cert, why)) != ERR_OK)
			return err;
	}
	return ERR_OK;
}

/* A CA may be there more than once, with old and new certificates: one chain that is good is enough. */
static enum err check_issuer(const struct client_trust *trust, const struct cert *cert, time_t now, struct why *why)
{
	struct buf issuer = {0};
	enum err err = ERR_OK;
	bool found = false;

	for (size_t i = 0; i < trust->n; i++) {
		if (cert_verify_by(cert, trust->cas[i].cert, NULL) != ERR_OK)
			continue;
		found = true;
		if ((err = check_chain(trust, &trust->cas[i], cert, now, why)) == ERR_OK)
			return ERR_OK;
	}
	if (found) {
		fail_in(why, "the client certificate cannot be trusted");
		return err;
	}
	name_text(cert->issuer, &issuer, NULL);
	err = fail(why, ERR_TLS_CERT, "the client certificate is not by a CA that this profile trusts, but by '%.120s'; if that is right, put the CA's "
	    "certificate into [client_certificate] trust", buf_str(&issuer));
	buf_free(&issuer);
	return err;
}

enum err client_cert_check(const struct client_trust *trust, const struct cert *cert, time_t now, struct why *why)
{
	enum err err;

	if ((err = check_use(trust, cert, why)) != ERR_OK || (err = check_dates(cert, "the client certificate", now, why)) != ERR_OK ||
	    (err = check_strength(cert, why)) != ERR_OK)
		return err;
	return check_issuer(trust, cert, now, why);
}
