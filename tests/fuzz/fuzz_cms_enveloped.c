/* EnvelopedData as a stranger sends it: parsed, its ciphertext decrypted as after a failed unwrapping, and opened with a password. */
#include <stdint.h>
#include <stdlib.h>

#include "pki/cms.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t key[32] = {1, 2, 3};
	unsigned long iterations = 0;
	struct cms_enveloped *e = NULL;
	struct buf plain = {0};
	struct why why;
	enum err err = cms_enveloped_parse(bytes_of(data, size), &e, &why);

	if (err == ERR_OK) {
		if (e->n_recipients == 0 || e->n_recipients > CMS_MAX_RECIPIENTS || e->ciphertext.n > size)
			abort();
		if (e->cipher != NULL && cipher_decrypt(e->cipher, key, e->iv.p, e->ciphertext, &plain) == ERR_OK &&
		    plain.n >= e->ciphertext.n)
			abort();	/* there is always padding */
		buf_wipe(&plain);
		for (size_t i = 0; i < e->n_recipients; i++)
			iterations += e->recipients[i].pwri.iterations;
		if (iterations < 1000 || iterations > CMS_MAX_ITERATIONS)	/* what is between is only slow */
			cms_enveloped_open_password(e, bytes_str("secret"), NULL, &plain, &why);
	} else if (e != NULL || err != ERR_SYNTAX) {
		abort();
	}
	buf_wipe(&plain);
	cms_enveloped_free(e);
	return 0;
}
