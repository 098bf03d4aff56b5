/* A client certificate in whichever form a web server or a proxy hands it over: no form gives more octets than there were. */
#include <stdlib.h>

#include "auth/cert_text.h"
#include "pki/cert.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cert *cert = NULL;
	struct buf der = {0};
	struct why why;

	if (cert_text_read(bytes_of(data, size), &der, &why) == ERR_OK) {
		if (der.n == 0 || der.n > size)
			abort();
		if (cert_parse(buf_bytes(&der), &cert, &why) == ERR_OK)
			cert_free(cert);
	} else if (der.n > 0) {
		abort();
	}
	buf_free(&der);
	return 0;
}
