/* Every text decoder on the same bytes; what was decoded and encoded again decodes to the same. */
#include <stdint.h>
#include <stdlib.h>

#include "base/codec.h"
#include "base/mem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void same_again(bool (*decode)(struct buf *, struct bytes), void (*encode)(struct buf *, struct bytes), struct bytes in)
{
	struct buf once = {0}, text = {0}, twice = {0};

	if (decode(&once, in)) {
		encode(&text, buf_bytes(&once));
		if (!decode(&twice, buf_bytes(&text)) || !bytes_eq(buf_bytes(&once), buf_bytes(&twice)))
			abort();
	} else if (once.n != 0) {
		abort();
	}
	buf_free(&once);
	buf_free(&text);
	buf_free(&twice);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const labels[] = {"CERTIFICATE", "PRIVATE KEY", NULL};
	struct bytes in = bytes_of(data, size), rest = in, value;
	struct buf out = {0};
	const char *label;
	char *text = mem_strndup((const char *)data, size);

	same_again(base64_decode, base64_encode, in);
	same_again(base64_decode_scep, base64_encode, in);
	same_again(percent_decode, percent_encode, in);
	hex_decode(&out, text);
	escape_text(&out, in, 200);
	if (query_param(in, "message", &value) && (value.p < data || value.p + value.n > data + size))
		abort();
	while (pem_next(&rest, labels, &out, &label)) {
		if (label == NULL)
			abort();
	}
	buf_free(&out);
	free(text);
	return 0;
}
