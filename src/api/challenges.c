/* One-time challenges over HTTP: made, listed, revoked. */
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "api/allow.h"
#include "api/call.h"
#include "api/challenge_json.h"
#include "api/order.h"
#include "auth/onetime.h"
#include "base/codec.h"
#include "base/mem.h"

#define LIST_MAX 10000
#define LIST 1000	/* where nobody says otherwise */

/* --- POST /api/challenges ----------------------------------------------------------------------------------------- */

static enum err check_profile(const struct conf *conf, const char *name, struct why *why)
{
	const struct profile_conf *profile = conf_profile(conf, name);
	const char **names, *near;

	if (profile == NULL) {
		names = mem_alloc((conf->n_profiles + 1) * sizeof(*names));
		for (size_t i = 0; i < conf->n_profiles; i++)
			names[i] = conf->profiles[i]->name;
		near = nearest_word(name, names);
		free(names);
		return fail(why, ERR_INPUT, "there is no profile '%.80s'%s%s%s", name, near == NULL ? "" : "; did you mean '", near == NULL ? "" : near,
		    near == NULL ? "" : "'?");
	}
	if (!profile->one_time_challenge)
		return fail(why, ERR_CONFLICT, "profile '%s' takes no one-time challenges ('one_time_challenge' in [enrol])", name);
	return ERR_OK;
}

/* The only time that anybody is told the secret. */
static void answer_made(const struct call *call, const struct store_challenge *c, const struct buf *secret, struct http_resp *resp)
{
	struct json_object *o;

	if (call->plain) {
		resp->status = 201;
		resp->type = "text/plain";
		buf_printf(&resp->body, "%s\n", buf_str(secret));
		return;
	}
	o = challenge_json(c, call->now);
	put_text(o, "challenge", buf_str(secret));
	call_answer(resp, 201, o);
}

enum err challenges_make(struct call *call, struct http_resp *resp)
{
	struct store_challenge c = {0};
	struct buf secret = {0};
	enum err err = order_read(call->req->body, call->now, &c, &call->why);

	if (err == ERR_OK)
		err = allow_profile(&call->site->conf->admin, call->req->user, c.profile, &call->why);
	if (err == ERR_OK)
		err = check_profile(call->site->conf, c.profile, &call->why);
	if (err == ERR_OK) {
		c.created_by = mem_strdup(call->req->user);
		err = onetime_make(call->site->store, &c, &secret, &call->why);
	}
	if (err == ERR_OK) {
		answer_made(call, &c, &secret, resp);
		call->subject = mem_strdup(c.id);
	}
	buf_wipe(&secret);
	onetime_free(&c);
	return err;
}

/* --- GET /api/challenges?profile=NAME&all=yes&limit=N ------------------------------------------------------------- */

struct wanted {
	char *profile;	/* NULL: of all */
	bool all;
	int limit;
};

static enum err take_limit(const char *text, struct wanted *w, struct why *why)
{
	char *end;
	long n = strtol(text, &end, 10);

	if (*text < '0' || *text > '9' || *end != '\0' || n < 1 || n > LIST_MAX)
		return fail(why, ERR_INPUT, "limit: a number from 1 to %d is wanted, not '%.20s'", LIST_MAX, text);
	w->limit = (int)n;
	return ERR_OK;
}

static enum err take_all(const char *text, struct wanted *w, struct why *why)
{
	if (strcmp(text, "yes") != 0 && strcmp(text, "no") != 0)
		return fail(why, ERR_INPUT, "all: yes or no are wanted, not '%.20s'", text);
	w->all = strcmp(text, "yes") == 0;
	return ERR_OK;
}

static enum err take_param(const char *name, const char *text, struct wanted *w, struct why *why)
{
	static const char *const names[] = {"profile", "all", "limit", NULL};
	const char *near;

	if (strcmp(name, "all") == 0)
		return take_all(text, w, why);
	if (strcmp(name, "limit") == 0)
		return take_limit(text, w, why);
	if (strcmp(name, "profile") == 0) {
		free(w->profile);
		w->profile = *text == '\0' ? NULL : mem_strdup(text);
		return ERR_OK;
	}
	near = nearest_word(name, names);
	return fail(why, ERR_INPUT, "there is no parameter '%.60s'; did you mean '%s'?", name, near == NULL ? "profile" : near);
}

/* "name=text" between two '&', decoded. */
static enum err take_pair(struct bytes pair, struct wanted *w, struct why *why)
{
	const uint8_t *equals = memchr(pair.p, '=', pair.n);
	size_t n = equals == NULL ? pair.n : (size_t)(equals - pair.p);
	struct buf name = {0}, text = {0};
	enum err err = ERR_OK;

	if (!percent_decode(&name, bytes_cut(pair, 0, n)) || !percent_decode(&text, bytes_cut(pair, n + 1, pair.n)))
		err = fail(why, ERR_INPUT, "the query is not percent-encoded as it should be");
	else if (strlen(buf_str(&name)) != name.n || strlen(buf_str(&text)) != text.n)
		err = fail(why, ERR_INPUT, "there is a NUL in the query");
	else
		err = take_param(buf_str(&name), buf_str(&text), w, why);
	buf_free(&name);
	buf_free(&text);
	return err;
}

static enum err read_query(struct bytes query, struct wanted *w, struct why *why)
{
	enum err err = ERR_OK;

	while (err == ERR_OK && query.n > 0) {
		const uint8_t *end = memchr(query.p, '&', query.n);
		size_t n = end == NULL ? query.n : (size_t)(end - query.p);

		if (n > 0)
			err = take_pair(bytes_cut(query, 0, n), w, why);
		query = bytes_cut(query, n + 1, query.n);
	}
	return err;
}

static void answer_list(const struct call *call, const struct store_challenge *list, size_t n, bool more, struct http_resp *resp)
{
	struct json_object *o = json_object_new_object(), *array = json_object_new_array();

	for (size_t i = 0; i < n; i++)
		json_object_array_add(array, challenge_json(&list[i], call->now));
	json_object_object_add(o, "challenges", array);
	put_bool(o, "more", more);
	call_answer(resp, 200, o);
}

enum err challenges_list(struct call *call, struct http_resp *resp)
{
	struct wanted w = {.limit = LIST};
	struct store_challenge *list = NULL;
	size_t n = 0;
	enum err err = read_query(call->req->query, &w, &call->why);

	if (err == ERR_OK)
		err = allow_profile(&call->site->conf->admin, call->req->user, w.profile, &call->why);
	if (err == ERR_OK)
		err = store_challenge_list(call->site->store, w.profile, w.all, w.limit + 1, &list, &n, &call->why);
	if (err == ERR_OK)
		answer_list(call, list, n > (size_t)w.limit ? (size_t)w.limit : n, n > (size_t)w.limit, resp);
	store_challenge_list_free(list, n);
	free(w.profile);
	return err;
}

/* --- DELETE /api/challenges/ID ------------------------------------------------------------------------------------ */

/* Somebody else's challenge and none at all look the same to who is bound to some profiles. */
static enum err check_bound(const struct call *call, const char *id, struct why *why)
{
	struct why refused = {0};
	char *profile = NULL;
	enum err err;

	if (!allow_is_bound(&call->site->conf->admin, call->req->user))
		return ERR_OK;
	err = store_challenge_profile(call->site->store, id, &profile, why);
	if (err == ERR_OK && allow_profile(&call->site->conf->admin, call->req->user, profile, &refused) != ERR_OK)
		err = fail(why, ERR_NOT_FOUND, "there is no challenge '%.40s' that user '%.80s' may revoke", id, call->req->user);
	free(profile);
	return err;
}

enum err challenges_revoke(struct call *call, struct http_resp *resp)
{
	char *id = mem_strndup((const char *)call->id.p, call->id.n);
	struct json_object *o;
	enum err err = check_bound(call, id, &call->why);

	if (err == ERR_OK)
		err = store_challenge_revoke(call->site->store, id, call->req->user, &call->why);
	if (err == ERR_OK) {
		o = json_object_new_object();
		put_text(o, "revoked", id);
		call_answer(resp, 200, o);
	}
	call->subject = id;
	return err;
}
