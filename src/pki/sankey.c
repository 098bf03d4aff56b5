/* Names of a subjectAltName in the one form in which they are compared. Declared in name.h. */
#include <arpa/inet.h>
#include <ctype.h>
#include <stdlib.h>

#include "base/codec.h"
#include "base/mem.h"
#include "conf/conf.h"
#include "pki/der.h"
#include "pki/name.h"

/* Host names, and what follows the '@' of an address, are the same in any case (RFC 4343; RFC 5280, 7.5). */
static void add_folded(struct buf *out, struct bytes text, size_t from)
{
	for (size_t i = 0; i < text.n; i++)
		buf_add_byte(out, i < from ? text.p[i] : (uint8_t)tolower(text.p[i]));
}

static size_t host_part(struct bytes address)
{
	size_t i = address.n;

	while (i > 0 && address.p[i - 1] != '@')
		i--;
	return i;
}

static void add_address(struct buf *out, struct bytes octets)
{
	char text[INET6_ADDRSTRLEN];

	if (inet_ntop(octets.n == 4 ? AF_INET : AF_INET6, octets.p, text, sizeof(text)) != NULL)
		buf_add_str(out, text);
}

void san_key(const struct san *san, struct buf *out)
{
	switch (san->type) {
	case SAN_DNS:
		buf_add_str(out, "dns:");
		add_folded(out, san->value, 0);
		break;
	case SAN_IP:
		buf_add_str(out, "ip:");
		add_address(out, san->value);
		break;
	case SAN_EMAIL:
		buf_add_str(out, "email:");
		add_folded(out, san->value, host_part(san->value));
		break;
	case SAN_URI:
		buf_add_str(out, "uri:");
		buf_add_bytes(out, san->value);
		break;
	case SAN_UPN:
		buf_add_str(out, "upn:");
		buf_add_bytes(out, san->value);
		break;
	default:	/* nobody writes these by hand: as octets */
		buf_add_str(out, "der:");
		hex_encode(out, san->raw);
	}
}

enum err san_canonical(const char *text, struct buf *out, struct why *why)
{
	struct buf name = {0};
	struct bytes rest;
	struct san san;
	enum err err = san_parse(text, &name, why);

	rest = buf_bytes(&name);
	if (err == ERR_OK && san_next(&rest, &san))
		san_key(&san, out);
	buf_free(&name);
	return err;
}

static char **grown(char **list, size_t n, char *key)
{
	list = mem_resize(list, (n + 2) * sizeof(*list));
	list[n] = key;
	list[n + 1] = NULL;
	return list;
}

char **san_keys(struct bytes general_names)
{
	char **list = mem_alloc(sizeof(*list));
	struct buf key = {0};
	struct tlv names;
	struct san san;
	size_t n = 0;

	if (!der_whole(general_names, DER_SEQUENCE, &names))
		return grown(list, n, mem_strdup(SAN_KEY_UNREADABLE));
	while (san_next(&names.body, &san)) {
		san_key(&san, &key);
		list = grown(list, n++, buf_take_str(&key));
	}
	return names.body.n > 0 ? grown(list, n, mem_strdup(SAN_KEY_UNREADABLE)) : list;
}

void san_keys_free(char **list)
{
	for (char **p = list; p != NULL && *p != NULL; p++)
		free(*p);
	free(list);
}
