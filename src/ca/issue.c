#include "ca/issue.h"

const struct digest_row *issue_digest(struct key_kind kind)
{
	if (kind.type == KEY_EC && kind.curve == GNUTLS_ECC_CURVE_SECP384R1)
		return digest_row(DIGEST_SHA384);
	if (kind.type == KEY_EC && kind.curve == GNUTLS_ECC_CURVE_SECP521R1)
		return digest_row(DIGEST_SHA512);
	return digest_row(DIGEST_SHA256);
}

static const struct digest_row *certificate_digest(const struct profile *p)
{
	switch (p->conf->cert.digest) {
	case SIGN_DIGEST_SHA256:
		return digest_row(DIGEST_SHA256);
	case SIGN_DIGEST_SHA384:
		return digest_row(DIGEST_SHA384);
	case SIGN_DIGEST_SHA512:
		return digest_row(DIGEST_SHA512);
	case SIGN_DIGEST_AUTO:
		break;
	}
	return issue_digest(key_kind(p->ca_key));
}

enum err issue_certificate(const struct profile *p, const struct template *t, struct bytes spki, struct bytes serial, struct buf *der,
    struct why *why)
{
	struct cert_spec spec = {
	    .serial = serial,
	    .issuer = p->ca_cert->subject,
	    .subject = t->subject,
	    .not_before = t->not_before,
	    .not_after = t->not_after,
	    .spki = spki,
	    .path_len = -1,
	    .key_usage = t->key_usage,
	    .eku = t->eku,
	    .san = buf_bytes(&t->san),
	    .authority_key_id = p->ca_cert->skid,
	    .crl_urls = (const char *const *)p->crl_urls,
	    .ca_issuers_urls = (const char *const *)p->ca_issuers_urls,
	    .ocsp_urls = (const char *const *)p->ocsp_urls,
	    .extensions = buf_bytes(&t->extensions),
	    .digest = certificate_digest(p),
	    .pss = p->conf->cert.signature == SIGNATURE_RSA_PSS,
	};

	return cert_build(&spec, p->ca_key, der, why);
}
