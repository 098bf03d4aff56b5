/* Names, as DER and as text: text never holds a control character, and what we wrote from text has the same text again. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "pki/name.h"
#include "pki/oid.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_printable(struct bytes text)
{
	for (size_t i = 0; i < text.n; i++) {
		if (text.p[i] < 0x20 || text.p[i] == 0x7f)
			abort();
	}
}

static void from_der(struct bytes in)
{
	struct buf text = {0}, attr = {0};

	if (name_text(in, &text, NULL) == ERR_OK)
		check_printable(buf_bytes(&text));
	else if (text.n != 0)
		abort();
	if (!name_eq(in, in))
		abort();
	name_attr(in, OID_CN, &attr);
	buf_cut(&attr, 0);
	string_utf8(in, &attr);
	buf_cut(&text, 0);
	if (san_text(in, &text, NULL) == ERR_OK)
		check_printable(buf_bytes(&text));
	buf_free(&text);
	buf_free(&attr);
}

static void from_text(const char *in)
{
	struct buf der = {0}, text = {0}, again = {0}, san = {0};

	san_parse(in, &san, NULL);
	if (name_parse(in, &der, NULL) == ERR_OK) {
		if (name_text(buf_bytes(&der), &text, NULL) != ERR_OK)
			abort();
		buf_add_byte(&text, '\0');	/* of an empty name there is no text yet */
		/* "#hex" brings in what text may not say: empty and overlong values */
		if (name_parse((char *)text.p, &again, NULL) != ERR_OK ? strchr(in, '#') == NULL
								       : !name_eq(buf_bytes(&der), buf_bytes(&again)))
			abort();
	}
	buf_free(&der);
	buf_free(&text);
	buf_free(&again);
	buf_free(&san);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = mem_strndup((const char *)data, size);

	from_der(bytes_of(data, size));
	from_text(text);
	free(text);
	return 0;
}
