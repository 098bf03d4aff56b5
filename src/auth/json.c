#include "auth/json.h"

#include <string.h>

#include "pki/name.h"

/*
 * What json-c lets pass even when strict: single quotes, NaN and Infinity, control characters in texts, overlong UTF-8, a NUL that cuts a name short. Outside
 * of texts every colon belongs to one member, so that their number tells whether one of them replaced another.
 */
static bool scan(struct bytes text, size_t *members)
{
	bool in_text = false;

	*members = 0;
	for (size_t i = 0; i < text.n; i++) {
		uint8_t c = text.p[i];

		if (c == '"') {
			in_text = !in_text;
		} else if (in_text && c == '\\') {
			if (text.n - i > 5 && memcmp(text.p + i + 1, "u0000", 5) == 0)
				return false;
			i++;
		} else if (in_text ? c < 0x20 : c == '\0' || c == '\'' || c == 'N' || c == 'I') {
			return false;
		} else if (!in_text && c == ':') {
			++*members;
		}
	}
	return true;
}

static size_t count_members(struct json_object *o)
{
	size_t n = 0;

	if (json_object_is_type(o, json_type_object)) {
		json_object_object_foreach(o, name, value) {
			(void)name;
			n += 1 + count_members(value);
		}
	} else if (json_object_is_type(o, json_type_array)) {
		for (size_t i = 0; i < json_object_array_length(o); i++)
			n += count_members(json_object_array_get_idx(o, i));
	}
	return n;
}

static enum err parse(struct bytes text, const char *what, enum err err, struct json_object **out, struct why *why)
{
	struct json_tokener *tok = json_tokener_new_ex(JSON_DEPTH_MAX);
	struct json_object *o;
	bool whole;

	if (tok == NULL)
		return fail(why, err, "%s cannot be read: out of memory", what);
	json_tokener_set_flags(tok, JSON_TOKENER_STRICT);
	o = json_tokener_parse_ex(tok, (const char *)text.p, (int)text.n);
	whole = json_tokener_get_error(tok) == json_tokener_success && json_tokener_get_parse_end(tok) == text.n;
	if (json_tokener_get_error(tok) == json_tokener_continue)
		fail(why, err, "%s is not JSON: it ends too early, or is no object", what);
	else if (!whole)
		fail(why, err, "%s is not JSON: %s", what, json_tokener_error_desc(json_tokener_get_error(tok)));
	json_tokener_free(tok);
	if (!whole) {
		json_object_put(o);
		return err;
	}
	*out = o;
	return ERR_OK;
}

enum err json_read(struct bytes text, const char *what, enum err err, struct json_object **out, struct why *why)
{
	struct json_object *o = NULL;
	size_t members;

	if (text.n > JSON_TEXT_MAX)
		return fail(why, err, "%s has %zu octets, at most %zu are accepted", what, text.n, JSON_TEXT_MAX);
	if (text.n >= 3 && memcmp(text.p, "\xef\xbb\xbf", 3) == 0)	/* RFC 8259, 8.1: must not be added, may be refused */
		return fail(why, err, "%s begins with a byte order mark, which JSON has not; encode it as UTF-8 without one", what);
	if (text.n == 0)
		return fail(why, err, "%s is not JSON: it is empty", what);
	if (!utf8_valid(text))
		return fail(why, err, "%s is not JSON: it is not UTF-8, or there is a NUL in it", what);
	if (!scan(text, &members))
		return fail(why, err, "%s is not JSON as RFC 8259 has it: there is a quote ', NaN, Infinity, a NUL or a control character in it", what);
	if (parse(text, what, err, &o, why) != ERR_OK)
		return err;
	if (!json_object_is_type(o, json_type_object))
		err = fail(why, err, "%s is not a JSON object", what);
	else if (count_members(o) != members)
		err = fail(why, err, "%s has a member twice", what);
	else
		err = ERR_OK;
	if (err == ERR_OK)
		*out = o;
	else
		json_object_put(o);
	return err;
}
