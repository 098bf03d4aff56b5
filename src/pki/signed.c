#include "pki/signed.h"

#include "pki/der.h"

enum err signed_write_as(struct bytes tbs, const struct key *key, enum sig_scheme scheme, const struct digest_row *digest, struct buf *der,
    struct why *why)
{
	struct buf signature = {0};
	size_t at = der_open(der);
	enum err err;

	if (scheme == SIG_ECDSA && digest->ecdsa_oid == NULL)
		return fail(why, ERR_CA_KEY, "an EC key cannot sign with %s", digest->name);
	if ((err = key_sign_as(key, scheme, digest, tbs, &signature, why)) == ERR_OK) {
		buf_add_bytes(der, tbs);
		sig_alg_write_as(der, scheme, digest);
		der_bits(der, buf_bytes(&signature));
		der_close(der, at, DER_SEQUENCE);
	}
	buf_free(&signature);
	return err;
}

enum err signed_write(struct bytes tbs, const struct key *key, const struct digest_row *digest, struct buf *der, struct why *why)
{
	return signed_write_as(tbs, key, sig_scheme_of(key_kind(key).type), digest, der, why);
}
