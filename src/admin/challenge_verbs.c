/* scepter challenge new|list|revoke: one-time challenges. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "admin/load.h"
#include "admin/opts.h"
#include "admin/print.h"
#include "admin/verb.h"
#include "admin/verbs.h"
#include "api/challenge_json.h"
#include "auth/onetime.h"
#include "base/mem.h"

struct args {
	const char *conf, *conninfo, *profile, *subject, *device, *id;
	struct opt_list sans, values;
	long expires, uses;
	bool all, json;
};

/* --- new ---------------------------------------------------------------------------------------------------------- */

static const struct opt new_table[] = {
    OPT_CONF(struct args),
    OPT_CONNINFO(struct args),
    {"profile", 'p', OPT_TEXT, offsetof(struct args, profile), "NAME", "the profile it is good for (default: default)"},
    {"subject", 's', OPT_TEXT, offsetof(struct args, subject), "DN", "only for a request with this subject, e.g. 'CN=dev1,O=Example'"},
    {"san", 0, OPT_LIST, offsetof(struct args, sans), "NAME",
	"only for requests whose names are among these: dns:NAME, ip:ADDRESS, email:ADDRESS, uri:URI or upn:NAME; may be repeated"},
    {"device", 'd', OPT_TEXT, offsetof(struct args, device), "ID", "only for this device (what [enrol] device_id makes the device's name)"},
    {"expires", 'e', OPT_DURATION, offsetof(struct args, expires), "DURATION", "how long it is good for (default 24h)"},
    {"uses", 'u', OPT_COUNT, offsetof(struct args, uses), "N", "how many certificates it is good for (default 1)"},
    {"value", 0, OPT_LIST, offsetof(struct args, values), "NAME=TEXT",
	"known of the device: becomes ${challenge.NAME} in the profile's templates; may be repeated"},
    OPT_JSON(struct args),
    {NULL, 0, OPT_FLAG, 0, NULL, NULL},
};

static const struct opts new_opts = {
    .doc = "Makes a one-time challenge. It is printed once, alone on standard output, so that $(scepter challenge new) works; the database"
	   " keeps only a digest. What it is bound to goes to standard error.",
    .table = new_table,
};

/* ", subject CN=a" and the like, for what it is bound to. */
static void add_bound(struct buf *out, const char *what, const char *text)
{
	if (text != NULL)
		buf_printf(out, ", %s %s", what, text);
}

static void print_new(const struct args *args, const struct store_challenge *c, const struct buf *secret)
{
	struct json_object *o = challenge_json(c, time(NULL));
	struct buf bound = {0};

	if (args->json) {
		put_text(o, "challenge", buf_str(secret));
		print_object(o, true);
		return;
	}
	printf("%s\n", buf_str(secret));
	add_bound(&bound, "subject", c->subject);
	add_bound(&bound, "device", c->device);
	for (char **p = c->sans; p != NULL && *p != NULL; p++)
		add_bound(&bound, "name", *p);
	for (char **p = c->values; p != NULL && *p != NULL; p += 2)
		add_bound(&bound, "value", *p);
	verb_note("challenge %s: profile %s%s, good for %d certificate%s until %s", c->id, c->profile, buf_str(&bound), c->uses_left,
	    c->uses_left == 1 ? "" : "s", json_object_get_string(json_object_object_get(o, "expires")));
	buf_free(&bound);
	json_object_put(o);
}

/* NAME=TEXT; only the first '=' divides. */
static enum err add_value(struct store_challenge *c, const char *text, struct why *why)
{
	const char *equals = strchr(text, '=');
	char *name;
	enum err err;

	if (equals == NULL)
		return fail(why, ERR_INPUT, "--value '%.80s' is not NAME=TEXT", text);
	name = mem_strndup(text, (size_t)(equals - text));
	err = onetime_add_value(c, name, equals + 1, why);
	free(name);
	return err;
}

/* What the options say, in a challenge that ends with onetime_free. */
static enum err order(const struct args *args, const char *profile, time_t now, struct store_challenge *c, struct why *why)
{
	enum err err = onetime_set_uses(c, args->uses, why);

	c->profile = mem_strdup(profile);
	c->created_by = load_actor();
	if (err == ERR_OK)
		err = onetime_set_life(c, now, now + args->expires, why);
	if (err == ERR_OK && args->subject != NULL)
		err = onetime_set_subject(c, args->subject, why);
	if (err == ERR_OK && args->device != NULL)
		err = onetime_set_device(c, args->device, why);
	for (size_t i = 0; err == ERR_OK && i < args->sans.n; i++)
		err = onetime_add_san(c, args->sans.values[i], why);
	for (size_t i = 0; err == ERR_OK && i < args->values.n; i++)
		err = add_value(c, args->values.values[i], why);
	return err;
}

static int new_for(const struct args *args, const struct conf *conf, const struct profile_conf *profile)
{
	struct store_challenge c = {0};
	struct store *store = load_store(conf, args->conninfo);
	struct buf secret = {0};
	struct why why = {0};
	enum err err;

	if (store == NULL)
		return EXIT_CONFIG;
	err = order(args, profile->name, time(NULL), &c, &why);
	if (err == ERR_OK)
		err = onetime_make(store, &c, &secret, &why);
	if (err == ERR_OK)
		print_new(args, &c, &secret);
	buf_wipe(&secret);
	onetime_free(&c);
	store_close(store);
	return err == ERR_OK ? EXIT_OK : verb_failed(&why);
}

int challenge_new_run(int argc, char **argv)
{
	struct args args = {.profile = "default", .expires = ONETIME_LIFE, .uses = 1};
	const struct profile_conf *profile;
	struct conf *conf;
	int code = EXIT_CONFIG;

	opts_parse(&new_opts, argc, argv, &args);
	if (args.uses > ONETIME_USES_MAX)
		return verb_misused("--uses %ld is too many: %d at most", args.uses, ONETIME_USES_MAX);
	conf = load_conf(args.conf);
	if (conf == NULL)
		goto out;
	profile = load_profile(conf, args.profile);
	if (profile == NULL)
		goto out;
	if (!profile->one_time_challenge)
		verb_note("warning: the profile takes no one-time challenges: set 'one_time_challenge = yes' in [enrol] of %s",
		    profile->file);
	code = new_for(&args, conf, profile);
out:
	conf_free(conf);
	free(args.sans.values);
	free(args.values.values);
	return code;
}

/* --- list --------------------------------------------------------------------------------------------------------- */

static const struct opt list_table[] = {
    OPT_CONF(struct args),
    OPT_CONNINFO(struct args),
    {"profile", 'p', OPT_TEXT, offsetof(struct args, profile), "NAME", "only this profile's"},
    {"all", 'a', OPT_FLAG, offsetof(struct args, all), NULL, "used, expired and revoked ones too"},
    OPT_JSON(struct args),
    {NULL, 0, OPT_FLAG, 0, NULL, NULL},
};

static const struct opts list_opts = {
    .doc = "Lists one-time challenges that can still be used. The challenge itself is not known to the database.",
    .table = list_table,
};

/* For people the names stand in one column. */
static struct json_object *describe(const struct store_challenge *c, bool json)
{
	struct json_object *o = challenge_json(c, time(NULL));
	struct buf names = {0};

	for (char **p = c->sans; !json && p != NULL && *p != NULL; p++)
		buf_printf(&names, "%s%s", p == c->sans ? "" : " ", *p);
	if (names.n > 0)
		put_text(o, "names", buf_str(&names));
	buf_free(&names);
	return o;
}

int challenge_list_run(int argc, char **argv)
{
	static const char *const columns[] = {"id", "state", "profile", "uses_left", "expires", "created_by", "device", "subject", "names", NULL};
	struct args args = {0};
	struct store_challenge *list = NULL;
	struct json_object *array;
	struct store *store;
	struct why why = {0};
	size_t n = 0, i;
	enum err err;

	opts_parse(&list_opts, argc, argv, &args);
	store = load_store_of(args.conf, args.conninfo);
	if (store == NULL)
		return EXIT_CONFIG;
	err = store_challenge_list(store, args.profile, args.all, 0, &list, &n, &why);
	store_close(store);
	if (err != ERR_OK)
		return verb_failed(&why);
	array = json_object_new_array();
	for (i = 0; i < n; i++)
		json_object_array_add(array, describe(&list[i], args.json));
	store_challenge_list_free(list, n);
	print_table(array, columns, args.json);
	return EXIT_OK;
}

/* --- revoke ------------------------------------------------------------------------------------------------------- */

static const struct opt revoke_table[] = {
    OPT_CONF(struct args),
    OPT_CONNINFO(struct args),
    OPT_JSON(struct args),
    {"ID", 0, OPT_ARG, offsetof(struct args, id), NULL, NULL},
    {NULL, 0, OPT_FLAG, 0, NULL, NULL},
};

static const struct opts revoke_opts = {
    .doc = "Makes a challenge useless. ID is what `challenge new' and `challenge list' call it.",
    .table = revoke_table,
};

int challenge_revoke_run(int argc, char **argv)
{
	struct args args = {0};
	struct json_object *o;
	struct store *store;
	struct why why = {0};
	char *actor;
	enum err err;

	opts_parse(&revoke_opts, argc, argv, &args);
	store = load_store_of(args.conf, args.conninfo);
	if (store == NULL)
		return EXIT_CONFIG;
	actor = load_actor();
	err = store_challenge_revoke(store, args.id, actor, &why);
	free(actor);
	store_close(store);
	if (err != ERR_OK)
		return verb_failed(&why);
	o = json_object_new_object();
	put_text(o, "revoked", args.id);
	print_object(o, args.json);
	return EXIT_OK;
}
