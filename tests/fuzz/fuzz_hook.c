/* An answer of a web hook or a command: read or refused, and what is read can be kept with a request. */
#include <stdlib.h>
#include <string.h>

#include "auth/hook_json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct values values = {0}, again = {0};
	struct hook_answer answer;
	struct buf kept = {0};
	struct why why;

	if (hook_answer_read(bytes_of(data, size), "hook", &values, &answer, &why) != ERR_OK) {
		if (why.err != ERR_HOOK || values.n != 0)
			abort();
		values_free(&values);
		return 0;
	}
	values_write(&values, &kept);
	if (!values_read(buf_bytes(&kept), &again) || again.n != values.n || strlen(answer.reason) > HOOK_REASON_MAX)
		abort();
	for (size_t i = 0; i < values.n; i++) {
		if (strncmp(values.list[i].name, "hook.", 5) != 0)
			abort();
	}
	buf_free(&kept);
	values_free(&values);
	values_free(&again);
	return 0;
}
