#include "server/body.h"

#include <string.h>
#include <strings.h>

#include "base/codec.h"

#define SEQUENCE 0x30		/* first octet of every message; as text it is the '0' that no base64 of a SEQUENCE begins with */
#define TYPE "application/x-pki-message"

static bool is_space(uint8_t c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

bool body_from_text(struct bytes body, struct buf *out)
{
	size_t start = out->n;

	while (body.n > 0 && is_space(body.p[0]))
		body = bytes_cut(body, 1, body.n);
	while (body.n > 0 && is_space(body.p[body.n - 1]))
		body.n--;
	if (body.n == 0 || body.p[0] == SEQUENCE)
		return false;
	if (body.p[0] == '-') {
		if (!pem_next(&body, NULL, out, NULL))
			return false;
	} else if (!base64_decode_scep(out, body)) {
		return false;
	}
	if (out->n > start && out->p[start] == SEQUENCE)
		return true;
	buf_cut(out, start);
	return false;
}

bool body_is_pki_message(const char *content_type)
{
	size_t n = strcspn(content_type, "; \t");

	return n == strlen(TYPE) && strncasecmp(content_type, TYPE, n) == 0;
}
