#include "server/url.h"

#include <string.h>
#include <strings.h>

#include "base/codec.h"

#define DEFAULT_PROFILE "default"
#define CLIENT_SUFFIX "/pkiclient.exe"			/* Cisco appends it */
#define CRL_SUFFIX "/crl"
#define CLIENT_DEFAULT_PATH "/cgi-bin/pkiclient.exe"	/* where clients look by default (RFC 8894, 4.1) */

static bool has_prefix(struct bytes text, const char *prefix, struct bytes *rest)
{
	size_t n = strlen(prefix);

	if (text.n < n || memcmp(text.p, prefix, n) != 0)
		return false;
	*rest = bytes_cut(text, n, text.n);
	return true;
}

static struct bytes without_slashes(struct bytes text)
{
	while (text.n > 0 && text.p[text.n - 1] == '/')
		text.n--;
	return text;
}

static struct bytes without_suffix(struct bytes text, const char *suffix)
{
	size_t n = strlen(suffix);

	if (text.n >= n && strncasecmp((const char *)text.p + text.n - n, suffix, n) == 0)
		text.n -= n;
	return text;
}

bool url_is_below(const char *base_path, const char *path)
{
	struct bytes rest;

	return has_prefix(bytes_str(path), base_path, &rest) && (rest.n == 0 || rest.p[0] == '/');
}

bool url_profile_name(const char *base_path, const char *path, struct bytes *name)
{
	struct bytes base = without_slashes(bytes_str(base_path)), rest = without_slashes(bytes_str(path));

	if (bytes_eq_str(rest, CLIENT_DEFAULT_PATH)) {
		*name = bytes_str(DEFAULT_PROFILE);
		return true;
	}
	if (rest.n < base.n || !bytes_eq(bytes_cut(rest, 0, base.n), base))
		return false;
	rest = without_slashes(without_suffix(bytes_cut(rest, base.n, rest.n), CLIENT_SUFFIX));
	if (rest.n == 0) {
		*name = bytes_str(DEFAULT_PROFILE);
		return true;
	}
	if (!has_prefix(rest, "/", name))
		return false;	/* /sceptre */
	return name->n > 0 && memchr(name->p, '/', name->n) == NULL;
}

/* Takes "/crl", or "/crl/KEYID", off the end of a path. */
static bool without_crl(struct bytes path, struct bytes *rest, struct bytes *ca)
{
	size_t n = path.n;

	*ca = (struct bytes){0};
	*rest = without_suffix(path, CRL_SUFFIX);
	if (rest->n < path.n)
		return true;
	while (n > 0 && path.p[n - 1] != '/')
		n--;
	if (n == 0)
		return false;
	*ca = bytes_cut(path, n, path.n);
	path = bytes_cut(path, 0, n - 1);
	*rest = without_suffix(path, CRL_SUFFIX);
	return rest->n < path.n;
}

bool url_crl_name(const char *base_path, const char *path, struct bytes *name, struct bytes *ca)
{
	struct bytes base = without_slashes(bytes_str(base_path)), all = without_slashes(bytes_str(path)), rest;

	if (!without_crl(all, &rest, ca) || rest.n < base.n || !bytes_eq(bytes_cut(rest, 0, base.n), base))
		return false;
	rest = bytes_cut(rest, base.n, rest.n);
	*name = rest.n == 0 ? bytes_str(DEFAULT_PROFILE) : bytes_cut(rest, 1, rest.n);
	return rest.n == 0 || (rest.p[0] == '/' && name->n > 0 && memchr(name->p, '/', name->n) == NULL);
}

static bool same_text(struct bytes a, struct bytes b)
{
	struct buf x = {0}, y = {0};
	bool same = percent_decode(&x, a) && percent_decode(&y, b) && bytes_eq(buf_bytes(&x), buf_bytes(&y));

	buf_free(&x);
	buf_free(&y);
	return same;
}

bool url_names_ca(struct bytes query, char *const *list)
{
	struct bytes value;

	if (list == NULL || !query_param(query, "message", &value) || value.n == 0)
		return true;
	while (*list != NULL && !same_text(value, bytes_str(*list)))
		list++;
	return *list != NULL;
}

/* RFC 4648, 4, and nothing else. */
static bool standard_base64(struct buf *out, struct bytes text)
{
	for (size_t i = 0; i < text.n; i++) {
		if (strchr(" \t\r\n", text.p[i]) != NULL)
			return false;
	}
	return base64_decode(out, text);
}

enum err url_message(struct bytes query, bool mangled, struct buf *out, struct why *why)
{
	struct bytes value;
	struct buf text = {0};
	enum err err = ERR_OK;

	if (!query_param(query, "message", &value))
		return fail(why, ERR_ENCODING, "PKIOperation by GET without a message parameter");
	if (!percent_decode(&text, value))
		err = fail(why, ERR_ENCODING, "the message parameter has a malformed %%-escape");
	else if (mangled ? !base64_decode_scep(out, buf_bytes(&text)) : !standard_base64(out, buf_bytes(&text)))
		err = fail(why, ERR_ENCODING, "the message parameter is not base64");
	buf_free(&text);
	return err;
}
