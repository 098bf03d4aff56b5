#include "api/challenge_json.h"

static const char *state_of(const struct store_challenge *c, time_t now)
{
	if (c->revoked)
		return "revoked";
	if (c->uses_left <= 0)
		return "used";
	return c->expires <= now ? "expired" : "ready";
}

struct json_object *challenge_json(const struct store_challenge *c, time_t now)
{
	struct json_object *o = json_object_new_object(), *values = c->values == NULL ? NULL : json_object_new_object();

	put_text(o, "id", c->id);
	put_text(o, "state", state_of(c, now));
	put_text(o, "profile", c->profile);
	put_text(o, "subject", c->subject);
	put_text(o, "device", c->device);
	put_texts(o, "sans", c->sans);
	for (char **p = c->values; p != NULL && *p != NULL; p += 2)
		put_text(values, p[0], p[1]);
	json_object_object_add(o, "values", values);
	put_int(o, "uses_left", c->uses_left);
	put_time(o, "created", c->created);
	put_time(o, "expires", c->expires);
	put_time(o, "consumed", c->consumed);
	put_text(o, "created_by", c->created_by);
	return o;
}
