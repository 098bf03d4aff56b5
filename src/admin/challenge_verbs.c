/* scepter challenge new|list|revoke: one-time challenges. */
#include <stdio.h>
#include <stdlib.h>

#include "admin/load.h"
#include "admin/opts.h"
#include "admin/print.h"
#include "admin/verb.h"
#include "admin/verbs.h"
#include "auth/challenge.h"
#include "pki/name.h"
#include "store/challenge.h"

#define DAY 86400L

struct args {
	const char *conf, *conninfo, *profile, *subject, *device, *id;
	long expires, uses;
	bool all, json;
};

/* --- new ---------------------------------------------------------------------------------------------------------- */

static const struct opt new_table[] = {
    OPT_CONF(struct args),
    OPT_CONNINFO(struct args),
    {"profile", 'p', OPT_TEXT, offsetof(struct args, profile), "NAME", "the profile it is good for (default: default)"},
    {"subject", 's', OPT_TEXT, offsetof(struct args, subject), "DN", "only for a request with this subject, e.g. 'CN=dev1,O=Example'"},
    {"device", 'd', OPT_TEXT, offsetof(struct args, device), "ID", "only for this device (what [enrol] device_id makes the device's name)"},
    {"expires", 'e', OPT_DURATION, offsetof(struct args, expires), "DURATION", "how long it is good for (default 24h)"},
    {"uses", 'u', OPT_COUNT, offsetof(struct args, uses), "N", "how many certificates it is good for (default 1)"},
    OPT_JSON(struct args),
    {NULL, 0, OPT_FLAG, 0, NULL, NULL},
};

static const struct opts new_opts = {
    .doc = "Makes a one-time challenge. It is printed once, alone on standard output, so that $(scepter challenge new) works; the database"
	   " keeps only a digest. What it is bound to goes to standard error.",
    .table = new_table,
};

/* The subject as the responder writes a request's: the two are compared as text. */
static enum err canonical_subject(const char *text, struct buf *out, struct why *why)
{
	struct buf der = {0};
	enum err err = name_parse(text, &der, why);

	if (err == ERR_OK)
		err = name_text(buf_bytes(&der), out, why);
	buf_free(&der);
	return err;
}

static struct json_object *describe(const struct store_challenge *c)
{
	struct json_object *o = json_object_new_object();
	const char *state = "ready";

	if (c->revoked)
		state = "revoked";
	else if (c->uses_left <= 0)
		state = "used";
	else if (c->expires <= time(NULL))
		state = "expired";
	put_text(o, "id", c->id);
	put_text(o, "state", state);
	put_text(o, "profile", c->profile);
	put_text(o, "subject", c->subject);
	put_text(o, "device", c->device);
	put_int(o, "uses_left", c->uses_left);
	put_time(o, "created", c->created);
	put_time(o, "expires", c->expires);
	put_time(o, "consumed", c->consumed);
	put_text(o, "created_by", c->created_by);
	return o;
}

static void print_new(const struct args *args, const struct store_challenge *c, const struct buf *secret)
{
	struct json_object *o;

	if (args->json) {
		o = describe(c);
		put_text(o, "challenge", buf_str(secret));
		print_object(o, true);
		return;
	}
	printf("%s\n", buf_str(secret));
	o = json_object_new_object();
	put_time(o, "t", c->expires);
	verb_note("challenge %s: profile %s%s%s%s%s, good for %d certificate%s until %s", c->id, c->profile,
	    c->subject != NULL ? ", subject " : "", c->subject != NULL ? c->subject : "", c->device != NULL ? ", device " : "",
	    c->device != NULL ? c->device : "", c->uses_left, c->uses_left == 1 ? "" : "s",
	    json_object_get_string(json_object_object_get(o, "t")));
	json_object_put(o);
}

static enum err add(const struct args *args, struct store *store, struct store_challenge *c, struct why *why)
{
	struct buf secret = {0};
	enum err err = challenge_generate(&secret, why);

	if (err == ERR_OK)
		err = store_challenge_add(store, buf_bytes(&secret), c, why);
	if (err == ERR_OK)
		print_new(args, c, &secret);
	buf_wipe(&secret);
	return err;
}

static int new_for(const struct args *args, const struct conf *conf, const struct profile_conf *profile)
{
	struct store_challenge c = {.profile = profile->name, .device = (char *)args->device, .uses_left = (int)args->uses};
	struct store *store = load_store(conf, args->conninfo);
	struct buf subject = {0};
	struct why why = {0};
	enum err err = ERR_OK;

	if (store == NULL)
		return EXIT_CONFIG;
	if (args->subject != NULL) {
		err = canonical_subject(args->subject, &subject, &why);
		c.subject = (char *)subject.p;
	}
	c.created = time(NULL);
	c.expires = c.created + args->expires;
	c.created_by = load_actor();
	if (err == ERR_OK)
		err = add(args, store, &c, &why);
	free(c.created_by);
	free(c.id);
	buf_free(&subject);
	store_close(store);
	return err == ERR_OK ? EXIT_OK : verb_failed(&why);
}

int challenge_new_run(int argc, char **argv)
{
	struct args args = {.profile = "default", .expires = DAY, .uses = 1};
	const struct profile_conf *profile;
	struct conf *conf;
	int code = EXIT_CONFIG;

	opts_parse(&new_opts, argc, argv, &args);
	if (args.uses > 30000)
		return verb_misused("--uses %ld is too many: 30000 at most", args.uses);
	conf = load_conf(args.conf);
	if (conf == NULL)
		return EXIT_CONFIG;
	profile = load_profile(conf, args.profile);
	if (profile == NULL)
		goto out;
	if (!profile->one_time_challenge)
		verb_note("warning: the profile takes no one-time challenges: set 'one_time_challenge = yes' in [enrol] of %s",
		    profile->file);
	code = new_for(&args, conf, profile);
out:
	conf_free(conf);
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

int challenge_list_run(int argc, char **argv)
{
	static const char *const columns[] = {"id", "state", "profile", "uses_left", "expires", "created_by", "device", "subject", NULL};
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
	err = store_challenge_list(store, args.profile, args.all, &list, &n, &why);
	store_close(store);
	if (err != ERR_OK)
		return verb_failed(&why);
	array = json_object_new_array();
	for (i = 0; i < n; i++)
		json_object_array_add(array, describe(&list[i]));
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
