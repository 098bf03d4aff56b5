/* Signed challenges: a token and, as if its signature had been right, its payload; a payload alone. */
#include <stdlib.h>

#include "auth/binding.h"
#include "auth/jws.h"
#include "pki/name.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* CN=dev-1 with dns:a.example, upn:m@b and ip:192.0.2.1; nobody looks at its signature here. */
static const struct csr *a_request(void)
{
	static struct csr csr;
	static struct buf name;

	if (csr.subject.n == 0) {
		if (name_parse("CN=dev-1", &name, NULL) != ERR_OK)
			abort();
		csr.subject = buf_bytes(&name);
		csr.extensions = BYTES_LIT("\x30\x2f\x06\x03\x55\x1d\x11\x04\x28\x30\x26\x82\x09" "a.example"
		    "\xa0\x13\x06\x0a\x2b\x06\x01\x04\x01\x82\x37\x14\x02\x03\xa0\x05\x0c\x03m@b\x87\x04\xc0\x00\x02\x01");
	}
	return &csr;
}

static void payload(struct bytes text)
{
	struct claims c = {0};
	struct why why = {0};
	enum err err = claims_read(text, &c, &why);

	if (err == ERR_OK) {
		enum err strict = binding_check(&c, a_request(), false, &why), loose = binding_check(&c, a_request(), true, &why);

		if (strict != ERR_SIGNED_CLAIM || (loose != ERR_OK && loose != ERR_SIGNED_CLAIM))
			abort();
		if (loose == ERR_OK && c.device_name.n > 0 && !bytes_eq_str(c.device_name, "dev-1"))
			abort();
	} else if ((err != ERR_SIGNED_FORM && err != ERR_SIGNED_VERSION) || why.err != err || c.root != NULL) {
		abort();
	}
	claims_free(&c);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct jws j = {0};
	struct why why = {0};
	enum err err = jws_read(bytes_of(data, size), &j, &why);

	if (err == ERR_OK)
		payload(buf_bytes(&j.payload));
	else if ((err != ERR_SIGNED_FORM && err != ERR_SIGNED_SIG) || why.err != err || j.payload.p != NULL)
		abort();
	jws_free(&j);
	payload(bytes_of(data, size));
	return 0;
}
