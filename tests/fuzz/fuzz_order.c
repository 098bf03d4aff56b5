/* The body of a POST to scep-admin.fcgi, and what is told of the challenge that it asks for. */
#include <stdlib.h>

#include "api/challenge_json.h"
#include "api/order.h"
#include "auth/onetime.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct store_challenge c;
	struct why why = {0};

	if (order_read(bytes_of(data, size), 1800000000, &c, &why) != ERR_OK)
		return 0;
	if (c.profile == NULL || c.uses_left < 1 || c.expires <= 1800000000)
		abort();
	json_object_put(challenge_json(&c, 1800000000));
	onetime_free(&c);
	return 0;
}
