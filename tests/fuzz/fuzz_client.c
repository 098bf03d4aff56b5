/* What a client reads before it can trust anything: GetCACaps, GetCACert and the choice of whom to encrypt to. */
#include <stdlib.h>

#include "admin/client_ca.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes in = bytes_of(data, size);
	struct client_algs algs;
	struct client_ca *ca = NULL;
	struct why why;
	uint8_t fp[32];

	(void)client_algs_choose(client_caps_read(in), NULL, NULL, &algs, &why);
	if (client_ca_read(in, &ca, &why) != ERR_OK)
		return 0;
	cert_fingerprint(client_ca_top(ca), fp);
	if (client_ca_pin(ca, fp, &why) == ERR_OK && (ca->anchor == NULL || !client_ca_chains(ca, ca->encrypt, NULL, 0)))
		abort();
	client_ca_free(ca);
	return 0;
}
