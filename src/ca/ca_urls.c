#include "ca/ca_urls.h"

#include <stdlib.h>
#include <string.h>

#include "base/codec.h"
#include "base/mem.h"

#define PLACEHOLDER "{ca}"

char *ca_key_id(const struct cert *ca)
{
	struct buf hex = {0};
	uint8_t id[20];

	spki_key_id(ca->spki, id);
	hex_encode(&hex, ca->skid.n > 0 ? ca->skid : bytes_of(id, sizeof(id)));
	return buf_take_str(&hex);
}

static char *expand(const char *url, const char *id)
{
	struct buf out = {0};

	for (const char *at; (at = strstr(url, PLACEHOLDER)) != NULL; url = at + strlen(PLACEHOLDER)) {
		buf_add(&out, url, (size_t)(at - url));
		buf_add_str(&out, id);
	}
	buf_add_str(&out, url);
	return buf_take_str(&out);
}

char **ca_urls_make(char *const *urls, const struct cert *ca)
{
	char *id, **out;
	size_t n = 0;

	if (urls == NULL)
		return NULL;
	while (urls[n] != NULL)
		n++;
	id = ca_key_id(ca);
	out = mem_alloc((n + 1) * sizeof(*out));
	for (size_t i = 0; i < n; i++)
		out[i] = expand(urls[i], id);
	free(id);
	return out;
}

void ca_urls_free(char **urls)
{
	for (size_t i = 0; urls != NULL && urls[i] != NULL; i++)
		free(urls[i]);
	free(urls);
}
