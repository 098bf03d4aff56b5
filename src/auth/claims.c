#include "auth/claims.h"


#include "base/text.h"

#define TIME_MAX INT64_C(253402300799)	/* the end of 9999 */
#define VERSION "v1"

/* NULL: missing, or null, as some languages write what is empty. */
static struct json_object *member(const struct claims *c, const char *name)
{
	struct json_object *value = NULL;

	json_object_object_get_ex(c->root, name, &value);
	return value;
}

static enum err to_text(struct json_object *value, const char *name, struct bytes *out, struct why *why)
{
	struct bytes text;

	if (!json_object_is_type(value, json_type_string))
		return fail(why, ERR_SIGNED_FORM, "the token's claim '%s' is not text", name);
	text = bytes_of(json_object_get_string(value), (size_t)json_object_get_string_len(value));
	if (text.n > CLAIM_TEXT_MAX)
		return fail(why, ERR_SIGNED_FORM, "the token's claim '%s' has %zu octets, at most %d are accepted", name, text.n, CLAIM_TEXT_MAX);
	if (!text_is_plain(text))
		return fail(why, ERR_SIGNED_FORM, "the token's claim '%s' holds control characters", name);
	*out = text;
	return ERR_OK;
}

static enum err read_text(const struct claims *c, const char *name, struct bytes *out, struct why *why)
{
	struct json_object *value = member(c, name);

	return value == NULL ? ERR_OK : to_text(value, name, out, why);
}

/* Whole seconds: 1.7e9 and "1700000000" are no integers, and what does not fit 64 bits is cut by the library to what is out of range here. */
static enum err read_time(const struct claims *c, const char *name, int64_t *out, struct why *why)
{
	struct json_object *value = member(c, name);
	int64_t t;

	*out = CLAIM_NO_TIME;
	if (value == NULL)
		return ERR_OK;
	if (!json_object_is_type(value, json_type_int))
		return fail(why, ERR_SIGNED_FORM, "the token's claim '%s' is not a whole number of seconds", name);
	t = json_object_get_int64(value);
	if (t < 0 || t > TIME_MAX)
		return fail(why, ERR_SIGNED_FORM, "the token's claim '%s' is no time between 1970 and 9999", name);
	*out = t;
	return ERR_OK;
}

struct bytes claim_trim(struct bytes text)
{
	while (text.n > 0 && text.p[text.n - 1] == ' ')
		text.n--;
	while (text.n > 0 && text.p[0] == ' ')
		text = bytes_cut(text, 1, text.n);
	return text;
}

static enum err read_names(const struct claims *c, const char *name, struct claim_names *out, struct why *why)
{
	struct json_object *value = member(c, name);
	struct bytes text;
	enum err err;

	if (value == NULL)
		return ERR_OK;
	if (!json_object_is_type(value, json_type_array))
		return fail(why, ERR_SIGNED_FORM, "the token's claim '%s' is not a list", name);
	if (json_object_array_length(value) > CLAIM_NAMES_MAX)
		return fail(why, ERR_SIGNED_FORM, "the token's claim '%s' has %zu names, at most %d are accepted", name,
		    json_object_array_length(value), CLAIM_NAMES_MAX);
	for (size_t i = 0; i < json_object_array_length(value); i++) {
		if ((err = to_text(json_object_array_get_idx(value, i), name, &text, why)) != ERR_OK)
			return err;
		text = claim_trim(text);
		if (text.n == 0)	/* were it left out, the list might be empty, and an empty one constrains nothing */
			return fail(why, ERR_SIGNED_FORM, "the token's claim '%s' has an empty name in it", name);
		out->list[out->n++] = text;
	}
	return ERR_OK;
}

static enum err read_version(const struct claims *c, struct why *why)
{
	struct bytes version = {0};
	enum err err = read_text(c, "version", &version, why);

	if (err != ERR_OK || version.n == 0 || bytes_eq_str(version, VERSION))
		return err;
	return fail(why, ERR_SIGNED_VERSION, "the token is of version '%.20s', only " VERSION " is known", (const char *)version.p);
}

static enum err read_all(struct claims *c, struct why *why)
{
	const struct {
		const char *name;
		struct bytes *text;
		int64_t *time;
		struct claim_names *names;
	} rows[] = {
	    {"iss", &c->iss, NULL, NULL}, {"sub", &c->sub, NULL, NULL}, {"aud", &c->aud, NULL, NULL}, {"nonce", &c->nonce, NULL, NULL},
	    {"device_name", &c->device_name, NULL, NULL}, {"iat", NULL, &c->iat, NULL}, {"exp", NULL, &c->exp, NULL},
	    {"san_dns", NULL, NULL, &c->dns}, {"san_rfc822", NULL, NULL, &c->rfc822}, {"san_upn", NULL, NULL, &c->upn},
	};
	enum err err = read_version(c, why);

	for (size_t i = 0; err == ERR_OK && i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (rows[i].text != NULL)
			err = read_text(c, rows[i].name, rows[i].text, why);
		else if (rows[i].time != NULL)
			err = read_time(c, rows[i].name, rows[i].time, why);
		else
			err = read_names(c, rows[i].name, rows[i].names, why);
	}
	return err;
}

enum err claims_read(struct bytes payload, struct claims *out, struct why *why)
{
	struct claims c = {0};
	enum err err = json_read(payload, "the token's payload", ERR_SIGNED_FORM, &c.root, why);

	if (err == ERR_OK)
		err = read_all(&c, why);
	if (err == ERR_OK)
		*out = c;
	else
		claims_free(&c);
	return err;
}

void claims_free(struct claims *c)
{
	json_object_put(c->root);
	*c = (struct claims){0};
}
