/* Certificates: whatever is parsed can be asked about, verified by its own key, and named. */
#include <stdlib.h>

#include "pki/cert.h"
#include "pki/name.h"
#include "pki/oid.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cert *cert = NULL;
	struct bytes value;
	struct buf text = {0};
	struct why why = {0};
	uint8_t digest[32];

	if (cert_parse(bytes_of(data, size), &cert, &why) != ERR_OK) {
		if (cert != NULL || why.err != ERR_SYNTAX || why.text[0] == '\0')
			abort();
		return 0;
	}
	if (!cert_is_named(cert, cert->issuer, cert->serial, (struct bytes){0}))
		abort();
	if (cert->skid.n > 0 && !cert_is_named(cert, (struct bytes){0}, (struct bytes){0}, cert->skid))
		abort();
	cert_key_usage(cert);
	cert_is_ca(cert);
	cert_is_self_signed(cert);
	cert_fingerprint(cert, digest);
	name_text(cert->subject, &text, NULL);
	if (cert_extension(cert, OID_SUBJECT_ALT_NAME, &value, NULL))
		san_text(value, &text, NULL);
	cert_free(cert);
	buf_free(&text);
	return 0;
}
