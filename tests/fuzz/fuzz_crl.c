/* CRLs: whatever is parsed can be walked, entry by entry, to its end. */
#include <stdlib.h>

#include "pki/crl.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct crl_entry entry;
	struct crl *crl = NULL;
	struct bytes rest;
	struct why why = {0};
	size_t n = 0;

	if (crl_parse(bytes_of(data, size), &crl, &why) != ERR_OK) {
		if (crl != NULL || why.err != ERR_SYNTAX || why.text[0] == '\0')
			abort();
		return 0;
	}
	rest = crl->entries;
	while (crl_entry_next(&rest, &entry)) {
		if (entry.serial.n == 0 || crl_reason_name(entry.reason) == NULL)
			abort();
		n++;
	}
	if (n != crl->n_entries || rest.n != 0)
		abort();
	crl_free(crl);
	return 0;
}
