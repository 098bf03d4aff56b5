#include "admin/client_ca.h"

#include <stdlib.h>
#include <string.h>

#include <gnutls/x509.h>

#include "base/mem.h"
#include "pki/cms.h"
#include "pki/key.h"

#define CHAIN_MAX 8

static const struct key_limits any_key = {.min_rsa = 1024, .max_rsa = 16384};

enum err client_ca_read(struct bytes body, struct client_ca **out, struct why *why)
{
	struct client_ca *ca = mem_alloc(sizeof(*ca));
	struct cms_signed *cms = NULL;
	struct cert *one = NULL;
	enum err err = ERR_OK;

	if (cert_parse(body, &one, NULL) == ERR_OK) {
		ca->certs = mem_alloc(sizeof(*ca->certs));
		ca->certs[ca->n++] = one;
		*out = ca;
		return ERR_OK;
	}
	if (cms_signed_parse(body, &cms, why) != ERR_OK) {
		err = fail(why, ERR_REMOTE, "GetCACert: the answer is neither a certificate nor a certs-only PKCS#7: is this a SCEP URL?");
		goto out;
	}
	ca->certs = mem_alloc((cms->n_certs + 1) * sizeof(*ca->certs));
	for (size_t i = 0; i < cms->n_certs && err == ERR_OK; i++) {
		err = cert_parse(cms->certs[i], &one, why);
		if (err == ERR_OK)
			ca->certs[ca->n++] = one;
		else
			err = fail(why, ERR_REMOTE, "GetCACert: certificate %zu of the answer cannot be read", i + 1);
	}
	if (err == ERR_OK && ca->n == 0)
		err = fail(why, ERR_REMOTE, "GetCACert: the answer holds no certificate");
out:
	cms_signed_free(cms);
	if (err == ERR_OK)
		*out = ca;
	else
		client_ca_free(ca);
	return err;
}

void client_ca_free(struct client_ca *ca)
{
	if (ca == NULL)
		return;
	for (size_t i = 0; i < ca->n; i++)
		cert_free(ca->certs[i]);
	free(ca->certs);
	free(ca);
}

/* May it issue? A lone certificate that the user pinned need not say so (version 1 roots). */
static bool may_issue(const struct client_ca *ca, const struct cert *cert)
{
	return cert_is_ca(cert) || (ca->n == 1 && cert == ca->certs[0]);
}

static bool same(const struct cert *a, const struct cert *b)
{
	return bytes_eq(buf_bytes(&a->der), buf_bytes(&b->der));
}

static const struct cert *find_issuer(const struct client_ca *ca, const struct cert *cert, struct cert *const *pool, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!same(pool[i], cert) && may_issue(ca, pool[i]) && cert_verify_by(cert, pool[i], NULL) == ERR_OK)
			return pool[i];
	return NULL;
}

const struct cert *client_ca_top(const struct client_ca *ca)
{
	const struct cert *cert = ca->certs[0], *up;

	for (int depth = 0; depth < CHAIN_MAX; depth++) {
		up = find_issuer(ca, cert, ca->certs, ca->n);
		if (up == NULL)
			break;
		cert = up;
	}
	return cert;
}

bool client_ca_chains(const struct client_ca *ca, const struct cert *cert, struct cert *const *extra, size_t n_extra)
{
	const struct cert *up;

	for (int depth = 0; depth < CHAIN_MAX && cert != NULL; depth++) {
		if (same(cert, ca->anchor))
			return true;
		up = find_issuer(ca, cert, ca->certs, ca->n);
		cert = up != NULL ? up : find_issuer(ca, cert, extra, n_extra);
	}
	return false;
}

static bool has_usage(const struct cert *cert, unsigned bit)
{
	return (cert_key_usage(cert) & bit) != 0;
}

static bool is_rsa(const struct cert *cert)
{
	struct pubkey *pub = NULL;
	bool rsa = pubkey_import(cert->spki, &any_key, &pub, NULL) == ERR_OK && pubkey_kind(pub).type == KEY_RSA;

	pubkey_free(pub);
	return rsa;
}

/*
 * An RA before a CA, the issuing CA before its parents (P-37, P-38); by keyUsage, never by order. A CA that answers itself but was
 * made without keyEncipherment, against RFC 8894, 2.1.2, is common (micromdm's scepserver makes such): it comes last.
 */
static int rank(const struct client_ca *ca, const struct cert *cert)
{
	bool usage = has_usage(cert, GNUTLS_KEY_KEY_ENCIPHERMENT);

	if ((!usage && !may_issue(ca, cert)) || !is_rsa(cert) || !client_ca_chains(ca, cert, NULL, 0))
		return 0;
	if (!cert_is_ca(cert))
		return 5;
	for (size_t i = 0; i < ca->n; i++)
		if (!same(ca->certs[i], cert) && cert_is_ca(ca->certs[i]) && cert_verify_by(ca->certs[i], cert, NULL) == ERR_OK)
			return usage ? 3 : 1;
	return usage ? 4 : 2;
}

static enum err pick_recipient(struct client_ca *ca, struct why *why)
{
	const struct cert *best = NULL, *issuer;
	int best_rank = 0, r;

	for (size_t i = 0; i < ca->n; i++) {
		r = rank(ca, ca->certs[i]);
		if (r > best_rank) {
			best = ca->certs[i];
			best_rank = r;
		}
	}
	if (best == NULL)
		return fail(why, ERR_REMOTE, "GetCACert: none of the server's %zu certificates is an RSA one for encryption that chains to "
		    "the pinned CA: there is nothing to encrypt a request to", ca->n);
	ca->encrypt = best;
	issuer = cert_is_ca(best) ? NULL : find_issuer(ca, best, ca->certs, ca->n);
	ca->issuer = issuer != NULL ? issuer : best;
	return ERR_OK;
}

enum err client_ca_pin(struct client_ca *ca, const uint8_t fingerprint[32], struct why *why)
{
	const struct cert *found = NULL;
	uint8_t fp[32];

	for (size_t i = 0; i < ca->n && found == NULL; i++) {
		cert_fingerprint(ca->certs[i], fp);
		if (memcmp(fp, fingerprint, sizeof(fp)) == 0)
			found = ca->certs[i];
	}
	if (found == NULL)
		return fail(why, ERR_REMOTE, "no certificate of the server has the given fingerprint: wrong fingerprint, wrong URL, or "
		    "somebody answers in the server's place");
	if (!may_issue(ca, found))
		return fail(why, ERR_REMOTE, "the given fingerprint is that of the server's RA certificate: give that of its CA");
	ca->anchor = found;
	return pick_recipient(ca, why);
}

/*
 * Whoever holds another certificate of the same CA could stand between as an "RA": SCEP marks an RA by nothing but its presence
 * in GetCACert, which plain HTTP does not protect. https does.
 */
bool client_ca_signs(const struct client_ca *ca, const struct cert *signer)
{
	for (size_t i = 0; i < ca->n; i++)
		if (same(ca->certs[i], signer))
			return (has_usage(signer, GNUTLS_KEY_DIGITAL_SIGNATURE) || may_issue(ca, ca->certs[i])) &&
			       client_ca_chains(ca, signer, NULL, 0);
	return false;
}
