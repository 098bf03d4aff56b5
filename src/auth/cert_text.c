#include "auth/cert_text.h"

#include <string.h>

#include "base/codec.h"

static bool is_blank(uint8_t c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static struct bytes trim(struct bytes text)
{
	while (text.n > 0 && is_blank(text.p[0]))
		text = bytes_cut(text, 1, text.n);
	while (text.n > 0 && is_blank(text.p[text.n - 1]))
		text.n--;
	return text;
}

static bool without(struct bytes *text, const char *begin, const char *end)
{
	size_t b = strlen(begin), e = strlen(end);

	if (text->n < b + e || memcmp(text->p, begin, b) != 0 || memcmp(text->p + text->n - e, end, e) != 0)
		return false;
	*text = bytes_cut(*text, b, text->n - b - e);
	return true;
}

/* RFC 9440, 2.2 and RFC 8941, 3.3.5: nothing but base64 between the colons. */
static bool is_structured(struct bytes *text)
{
	if (!without(text, ":", ":"))
		return false;
	for (size_t i = 0; i < text->n; i++) {
		if (is_blank(text->p[i]))
			return false;
	}
	return true;
}

/* Base64 has no '-': a second certificate between the first BEGIN and the last END is no base64. */
static bool read_plain(struct bytes text, struct buf *der)
{
	text = trim(text);
	without(&text, "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----");
	return base64_decode(der, text);
}

static bool read_any(struct bytes text, struct buf *der)
{
	struct buf plain = {0};
	bool ok;

	text = trim(text);
	if (text.n > 0 && text.p[0] == ':')
		return is_structured(&text) && base64_decode(der, text);
	if (memchr(text.p, '%', text.n) == NULL)
		return read_plain(text, der);
	ok = percent_decode(&plain, text) && read_plain(buf_bytes(&plain), der);
	buf_free(&plain);
	return ok;
}

enum err cert_text_read(struct bytes text, struct buf *der, struct why *why)
{
	size_t start = der->n;

	if (text.n > CERT_TEXT_MAX)
		return fail(why, ERR_TLS_CERT, "the client certificate that the web server passed on has %zu octets, %d at most are read", text.n,
		    CERT_TEXT_MAX);
	if (text.n > 0 && read_any(text, der) && der->n > start)
		return ERR_OK;
	buf_cut(der, start);
	return fail(why, ERR_TLS_CERT, "what the web server passed on as client certificate is none: wanted is one, in PEM, escaped or not, in base64, "
	    "or as RFC 9440 has it");
}
