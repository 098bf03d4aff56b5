#include "api/order.h"

#include <string.h>

#include "api/json.h"
#include "auth/json.h"
#include "auth/onetime.h"
#include "base/mem.h"
#include "base/problems.h"
#include "conf/date.h"
#include "conf/number.h"

struct order {
	struct store_challenge *c;
	time_t now, expires;	/* expires 0: nothing said of it yet */
};

typedef enum err (*take)(struct order *o, struct json_object *value, struct why *why);

static enum err want_text(struct json_object *value, const char **out, struct why *why)
{
	*out = json_text(value);
	return *out == NULL ? fail(why, ERR_INPUT, "a text is wanted (in quotes, without NUL)") : ERR_OK;
}

static enum err take_profile(struct order *o, struct json_object *value, struct why *why)
{
	const char *text;
	enum err err = want_text(value, &text, why);

	if (err == ERR_OK)
		o->c->profile = mem_strdup(text);
	return err;
}

static enum err take_subject(struct order *o, struct json_object *value, struct why *why)
{
	const char *text;
	enum err err = want_text(value, &text, why);

	return err == ERR_OK ? onetime_set_subject(o->c, text, why) : err;
}

static enum err take_device(struct order *o, struct json_object *value, struct why *why)
{
	const char *text;
	enum err err = want_text(value, &text, why);

	return err == ERR_OK ? onetime_set_device(o->c, text, why) : err;
}

static enum err take_sans(struct order *o, struct json_object *value, struct why *why)
{
	const char *text;
	enum err err = ERR_OK;

	if (!json_object_is_type(value, json_type_array) || json_object_array_length(value) == 0)
		return fail(why, ERR_INPUT, "an array of at least one name is wanted: [\"dns:a.example\"]");
	for (size_t i = 0; err == ERR_OK && i < json_object_array_length(value); i++) {
		err = want_text(json_object_array_get_idx(value, i), &text, why);
		if (err == ERR_OK)
			err = onetime_add_san(o->c, text, why);
	}
	return err;
}

static enum err take_values(struct order *o, struct json_object *value, struct why *why)
{
	const char *text;
	enum err err = ERR_OK;

	if (!json_object_is_type(value, json_type_object))
		return fail(why, ERR_INPUT, "an object of texts is wanted: {\"owner\": \"Alice\"}");
	json_object_object_foreach(value, name, one) {
		if (err == ERR_OK && (err = want_text(one, &text, why)) != ERR_OK)
			fail_in(why, "'%.60s'", name);
		if (err == ERR_OK)
			err = onetime_add_value(o->c, name, text, why);
	}
	return err;
}

static enum err take_uses(struct order *o, struct json_object *value, struct why *why)
{
	if (!json_object_is_type(value, json_type_int))
		return fail(why, ERR_INPUT, "a whole number is wanted");
	return onetime_set_uses(o->c, (long)json_object_get_int64(value), why);
}

static enum err set_expires(struct order *o, time_t expires, struct why *why)
{
	if (o->expires != 0)
		return fail(why, ERR_INPUT, "expires and expires_in are both there; one is enough");
	o->expires = expires;
	return onetime_set_life(o->c, o->now, expires, why);
}

static enum err take_expires(struct order *o, struct json_object *value, struct why *why)
{
	const char *text = json_text(value);
	time_t t;

	if (text == NULL || !date_parse(text, &t))
		return fail(why, ERR_INPUT, "a time is wanted: \"2027-01-31T12:00:00Z\"");
	return set_expires(o, t, why);
}

/* Bounded first: what follows adds it to the time. */
static enum err take_expires_in(struct order *o, struct json_object *value, struct why *why)
{
	const char *text = json_text(value);
	int64_t seconds = 0;
	bool ok = text != NULL && number_parse(text, number_units(KIND_SECONDS), &seconds);

	if (json_object_is_type(value, json_type_int)) {
		seconds = json_object_get_int64(value);
		ok = true;
	}
	if (!ok || seconds < 1 || seconds > ONETIME_LIFE_MAX)
		return fail(why, ERR_INPUT, "from 1 s to %ld days are wanted: 3600, \"1h\"", ONETIME_LIFE_MAX / 86400);
	return set_expires(o, o->now + (time_t)seconds, why);
}

static const struct {
	const char *name;
	take take;
} members[] = {
    {"profile", take_profile}, {"subject", take_subject}, {"sans", take_sans}, {"device", take_device}, {"expires_in", take_expires_in},
    {"expires", take_expires}, {"uses", take_uses}, {"values", take_values},
};

#define N_MEMBERS (sizeof(members) / sizeof(members[0]))

static enum err unknown(const char *name, struct why *why)
{
	const char *names[N_MEMBERS + 1] = {NULL}, *near;

	for (size_t i = 0; i < N_MEMBERS; i++)
		names[i] = members[i].name;
	near = nearest_word(name, names);
	if (near != NULL)
		return fail(why, ERR_INPUT, "there is no member '%.60s'; did you mean '%s'?", name, near);
	return fail(why, ERR_INPUT, "there is no member '%.60s'; scep-admin.fcgi(8) lists those there are", name);
}

static enum err take_member(struct order *o, const char *name, struct json_object *value, struct why *why)
{
	for (size_t i = 0; i < N_MEMBERS; i++) {
		if (strcmp(members[i].name, name) != 0)
			continue;
		return members[i].take(o, value, why) == ERR_OK ? ERR_OK : fail_in(why, "%s", name);
	}
	return unknown(name, why);
}

enum err order_read(struct bytes body, time_t now, struct store_challenge *out, struct why *why)
{
	struct store_challenge c = {.created = now, .expires = now + ONETIME_LIFE, .uses_left = 1};
	struct order o = {.c = &c, .now = now};
	struct json_object *json = NULL;
	enum err err = json_read(body, "the body", ERR_INPUT, &json, why);

	if (err != ERR_OK)
		return err;
	json_object_object_foreach(json, name, value) {
		if (err == ERR_OK)
			err = take_member(&o, name, value, why);
	}
	json_object_put(json);
	if (err != ERR_OK) {
		onetime_free(&c);
		return err;
	}
	if (c.profile == NULL)
		c.profile = mem_strdup("default");
	*out = c;
	return ERR_OK;
}
