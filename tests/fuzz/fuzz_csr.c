/* PKCS#10: whatever is parsed can be asked about and verified. */
#include <stdlib.h>

#include "pki/csr.h"
#include "pki/name.h"
#include "pki/oid.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct key_limits limits = {2048, 8192};
	struct pubkey *pub = NULL;
	struct csr *csr = NULL;
	struct bytes value;
	struct buf text = {0};
	struct why why = {0};

	if (csr_parse(bytes_of(data, size), &csr, &why) != ERR_OK) {
		if (csr != NULL || (why.err != ERR_UNSEAL && why.err != ERR_CSR) || why.text[0] == '\0')
			abort();
		return 0;
	}
	csr_verify(csr, &limits, NULL, &pub, &why);
	name_text(csr->subject, &text, NULL);
	if (csr_extension(csr, OID_SUBJECT_ALT_NAME, &value))
		san_text(value, &text, NULL);
	pubkey_free(pub);
	csr_free(csr);
	buf_free(&text);
	return 0;
}
