#include "pki/signed.h"

#include "pki/der.h"

enum err signed_write(struct bytes tbs, const struct key *key, const struct digest_row *digest, struct buf *der, struct why *why)
{
	struct key_kind kind = key_kind(key);
	struct buf signature = {0};
	size_t at = der_open(der);
	enum err err;

	if (kind.type == KEY_EC && digest->ecdsa_oid == NULL)
		return fail(why, ERR_CA_KEY, "an EC key cannot sign with %s", digest->name);
	if ((err = key_sign(key, digest, tbs, &signature, why)) == ERR_OK) {
		buf_add_bytes(der, tbs);
		sig_alg_write(der, kind, digest);
		der_bits(der, buf_bytes(&signature));
		der_close(der, at, DER_SEQUENCE);
	}
	buf_free(&signature);
	return err;
}
