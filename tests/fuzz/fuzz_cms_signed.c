/* SignedData as a stranger sends it: parsed, its signer found, its signature checked. */
#include <stdint.h>
#include <stdlib.h>

#include "pki/cms.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_signer(const struct cms_signed *s)
{
	static const struct key_limits limits = {.min_rsa = 1024, .max_rsa = 4096};
	struct pubkey *pub;
	struct cert *cert;

	if (cms_signer_cert(s, &cert, NULL) != ERR_OK)
		return;
	if (pubkey_import(cert->spki, &limits, &pub, NULL) == ERR_OK) {
		struct why why;
		enum err err = cms_signed_verify(s, pub, NULL, &why);

		if (err != ERR_OK && err != ERR_MSG_CHECK && err != ERR_ALG)
			abort();	/* the contract names no other error */
		pubkey_free(pub);
	}
	cert_free(cert);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cms_signed *s = NULL;
	struct why why;
	enum err err = cms_signed_parse(bytes_of(data, size), &s, &why);

	if (err == ERR_OK) {
		if (s->n_certs > CMS_MAX_CERTS || s->n_attrs > CMS_MAX_ATTRS || s->content.n > size)
			abort();
		if (s->has_signer)
			check_signer(s);
	} else if (s != NULL || (err != ERR_SYNTAX && err != ERR_ATTRIBUTE)) {
		abort();
	}
	cms_signed_free(s);
	return 0;
}
