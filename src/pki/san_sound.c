/* How the kinds of subjectAltName have to be written: RFC 5280, 4.2.1.6, RFC 1034, 3.5, RFC 3986. Declared in name.h. */
#include <string.h>

#include "base/text.h"
#include "conf/conf.h"
#include "pki/name.h"

#define MAX_NAME 253	/* of a host, in text */
#define MAX_LABEL 63
#define MAX_LOCAL 64	/* of an e-mail address, before its '@': RFC 5321, 4.5.3.1.1 */

static bool is_alnum(uint8_t c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

static bool all_digits(struct bytes text)
{
	for (size_t i = 0; i < text.n; i++) {
		if (text.p[i] < '0' || text.p[i] > '9')
			return false;
	}
	return text.n > 0;
}

/* Letters, digits, hyphens inside; underscores, too, which devices' names have. */
static bool is_label(struct bytes label)
{
	if (label.n == 0 || label.n > MAX_LABEL || label.p[0] == '-' || label.p[label.n - 1] == '-')
		return false;
	for (size_t i = 0; i < label.n; i++) {
		if (!is_alnum(label.p[i]) && label.p[i] != '-' && label.p[i] != '_')
			return false;
	}
	return true;
}

/* Takes the part before the first `c` off; without one all of it. */
static struct bytes take_until(struct bytes *in, char c)
{
	const uint8_t *at = in->n == 0 ? NULL : memchr(in->p, c, in->n);
	size_t n = at == NULL ? in->n : (size_t)(at - in->p);
	struct bytes part = bytes_cut(*in, 0, n);

	*in = bytes_cut(*in, at == NULL ? n : n + 1, in->n);
	return part;
}

/* The last of several labels is not a number: that would be an address. */
static bool is_host(struct bytes name)
{
	bool dotted = name.n > 0 && memchr(name.p, '.', name.n) != NULL;
	struct bytes label = {0};

	if (name.n == 0 || name.n > MAX_NAME || name.p[name.n - 1] == '.')
		return false;
	while (name.n > 0) {
		label = take_until(&name, '.');
		if (!is_label(label))
			return false;
	}
	return !dotted || !all_digits(label);
}

/* "*.example.com": below a name of two labels or more, since below one it would be good for half of the Internet. */
static bool is_dns(struct bytes name)
{
	if (name.n < 2 || name.p[0] != '*' || name.p[1] != '.')
		return is_host(name);
	name = bytes_cut(name, 2, name.n);
	return is_host(name) && memchr(name.p, '.', name.n) != NULL;
}

/* Mailbox of RFC 5321 with a dot-string before the '@'; quoted ones nobody has. */
static bool is_email(struct bytes address)
{
	const uint8_t *at = address.n == 0 ? NULL : memrchr(address.p, '@', address.n);
	size_t n = at == NULL ? 0 : (size_t)(at - address.p);
	uint8_t before = '.';

	if (n == 0 || n > MAX_LOCAL || address.p[n - 1] == '.')
		return false;
	for (size_t i = 0; i < n; i++) {
		uint8_t c = address.p[i];

		if ((c == '.' && before == '.') || (c != '.' && !is_alnum(c) && (c == 0 || strchr("!#$%&'*+/=?^_`{|}~-", c) == NULL)))
			return false;
		before = c;
	}
	return is_host(bytes_cut(address, n + 1, address.n));
}

static bool is_hex(uint8_t c)
{
	return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'f');
}

/* RFC 3986: an absolute URI, of the characters that may stand in one. */
static bool is_uri(struct bytes uri)
{
	struct bytes rest = uri, scheme = take_until(&rest, ':');

	if (scheme.n == 0 || rest.n == 0 || !is_alnum(scheme.p[0]) || all_digits(bytes_cut(scheme, 0, 1)))
		return false;
	for (size_t i = 0; i < scheme.n; i++) {
		if (!is_alnum(scheme.p[i]) && strchr("+-.", scheme.p[i]) == NULL)
			return false;
	}
	for (size_t i = 0; i < rest.n; i++) {
		uint8_t c = rest.p[i];

		if (c <= 0x20 || c >= 0x7f || strchr("\"<>\\^`{|}", c) != NULL)
			return false;
		if (c == '%' && (rest.n - i < 3 || !is_hex(rest.p[i + 1]) || !is_hex(rest.p[i + 2])))
			return false;
	}
	return true;
}

/* user@realm, with one '@', no blanks, and nothing that makes it read as another. */
static bool is_upn(struct bytes upn)
{
	struct bytes rest = upn, user = take_until(&rest, '@');

	return user.n > 0 && rest.n > 0 && memchr(rest.p, '@', rest.n) == NULL && memchr(upn.p, ' ', upn.n) == NULL && text_is_plain(upn);
}

bool san_is_sound(const struct san *san)
{
	switch (san->type) {
	case SAN_DNS:
		return is_dns(san->value);
	case SAN_IP:
		return san->value.n == 4 || san->value.n == 16;
	case SAN_EMAIL:
		return is_email(san->value);
	case SAN_URI:
		return is_uri(san->value);
	case SAN_UPN:
		return is_upn(san->value);
	case SAN_DIRNAME:
		return !name_is_empty(san->value) && name_is_text(san->value);
	default:
		return false;
	}
}

bool san_is_wildcard(const struct san *san)
{
	return san->type == SAN_DNS && san->value.n > 0 && memchr(san->value.p, '*', san->value.n) != NULL;
}
