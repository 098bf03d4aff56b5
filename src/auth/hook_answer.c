#include <string.h>

#include "auth/hook_json.h"
#include "auth/json.h"

#define QUOTED_MAX 60	/* of what is wrong */

static const struct {
	const char *word;
	enum hook_decision decision;
} decisions[] = {
    {"allow", HOOK_ALLOW}, {"deny", HOOK_DENY}, {"pending", HOOK_PENDING},
};

static struct bytes text_of(struct json_object *o)
{
	return bytes_of(json_object_get_string(o), (size_t)json_object_get_string_len(o));
}

static enum err read_version(struct json_object *v, struct hook_answer *out, struct why *why)
{
	(void)out;
	if (json_object_is_type(v, json_type_int) && json_object_get_int64(v) == HOOK_VERSION)
		return ERR_OK;
	return fail(why, ERR_HOOK, "\"version\" is not %d", HOOK_VERSION);
}

static enum err read_decision(struct json_object *v, struct hook_answer *out, struct why *why)
{
	if (!json_object_is_type(v, json_type_string))
		return fail(why, ERR_HOOK, "\"decision\" is not a text");
	for (size_t i = 0; i < sizeof(decisions) / sizeof(decisions[0]); i++) {
		if (bytes_eq_str(text_of(v), decisions[i].word)) {
			out->decision = decisions[i].decision;
			return ERR_OK;
		}
	}
	return fail(why, ERR_HOOK, "\"decision\" is '%.*s', not allow, deny or pending", QUOTED_MAX, json_object_get_string(v));
}

/* Cut between two characters: it goes into the database, which takes only UTF-8. */
static enum err read_reason(struct json_object *v, struct hook_answer *out, struct why *why)
{
	struct bytes text;
	size_t n;

	if (!json_object_is_type(v, json_type_string))
		return fail(why, ERR_HOOK, "\"reason\" is not a text");
	text = text_of(v);
	n = text.n < HOOK_REASON_MAX ? text.n : HOOK_REASON_MAX;
	while (n < text.n && n > 0 && (text.p[n] & 0xc0) == 0x80)
		n--;
	for (size_t i = 0; i < n; i++)
		out->reason[i] = (char)(text.p[i] < 0x20 || text.p[i] == 0x7f ? ' ' : text.p[i]);
	out->reason[n] = '\0';
	return ERR_OK;
}

static bool is_name(const char *name)
{
	return name[0] != '\0' &&
	    name[strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-")] == '\0';
}

static enum err add_value(struct values *values, const char *source, const char *name, struct json_object *v, struct why *why)
{
	if (!json_object_is_type(v, json_type_string))
		return fail(why, ERR_HOOK, "\"values\": '%.*s' is neither a text nor a list of texts", QUOTED_MAX, name);
	if (!values_add(values, source, name, text_of(v)))
		return fail(why, ERR_HOOK, "\"values\": '%.*s' is too long, holds control characters, or is one too many", QUOTED_MAX, name);
	return ERR_OK;
}

static enum err add_values(struct values *values, const char *source, struct json_object *all, struct why *why)
{
	enum err err = ERR_OK;

	if (!json_object_is_type(all, json_type_object))
		return fail(why, ERR_HOOK, "\"values\" is not an object");
	json_object_object_foreach(all, name, v)
	{
		if (!is_name(name))
			return fail(why, ERR_HOOK, "\"values\": '%.*s' is not a name of letters, digits, '_' and '-'", QUOTED_MAX, name);
		if (!json_object_is_type(v, json_type_array))
			err = add_value(values, source, name, v, why);
		for (size_t i = 0; json_object_is_type(v, json_type_array) && i < json_object_array_length(v) && err == ERR_OK; i++)
			err = add_value(values, source, name, json_object_array_get_idx(v, i), why);
		if (err != ERR_OK)
			return err;
	}
	return ERR_OK;
}

/* All of them but the values, which the caller takes last. */
static const struct {
	const char *name;
	enum err (*read)(struct json_object *v, struct hook_answer *out, struct why *why);
} members[] = {
    {"version", read_version}, {"decision", read_decision}, {"reason", read_reason}, {"values", NULL},
};

#define N_MEMBERS (sizeof(members) / sizeof(members[0]))

/* A member that nobody knows is a mistake in writing: "value" would leave a template without what it needs. */
static enum err read_members(struct json_object *o, struct hook_answer *out, struct why *why)
{
	enum err err;

	json_object_object_foreach(o, name, v)
	{
		size_t i = 0;

		while (i < N_MEMBERS && strcmp(members[i].name, name) != 0)
			i++;
		if (i == N_MEMBERS)
			return fail(why, ERR_HOOK, "there is no member '%.*s'; version, decision, reason and values are known", QUOTED_MAX, name);
		if (members[i].read != NULL && (err = members[i].read(v, out, why)) != ERR_OK)
			return err;
	}
	return json_object_object_get_ex(o, "decision", NULL) ? ERR_OK : fail(why, ERR_HOOK, "\"decision\" is missing");
}

enum err hook_answer_read(struct bytes json, const char *source, struct values *values, struct hook_answer *out, struct why *why)
{
	struct hook_answer got = {0};
	struct json_object *o = NULL, *all;
	size_t before = values->n;
	enum err err;

	if (json.n == 0)	/* what a command says that forgot to */
		return fail(why, ERR_HOOK, "it is empty");
	if ((err = json_read(json, "it", ERR_HOOK, &o, why)) != ERR_OK)
		return err;
	err = read_members(o, &got, why);
	if (err == ERR_OK && json_object_object_get_ex(o, "values", &all))
		err = add_values(values, source, all, why);
	json_object_put(o);
	if (err == ERR_OK)
		*out = got;
	else
		values_cut(values, before);
	return err;
}
