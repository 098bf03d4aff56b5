/* Telling light clients from SCEP clients: no message is both, and what strictness looks at in any that opens. */
#include <stdlib.h>

#include "ca/dialect.h"
#include "ca/light.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct profile_conf strict = {.tolerate = 0};
	struct scep_msg *msg = NULL;
	struct why why;
	bool light = light_shape(bytes_of(data, size));

	if (scep_open(bytes_of(data, size), &msg, &why) == ERR_OK) {
		if (light)
			abort();
		(void)dialect_check(&strict, msg, &why);
	}
	scep_msg_free(msg);
	return 0;
}
