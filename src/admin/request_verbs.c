/* scepter request list|show|approve|reject: requests that wait for people. */
#include <stdlib.h>

#include "admin/load.h"
#include "admin/opts.h"
#include "admin/print.h"
#include "admin/verb.h"
#include "admin/verbs.h"
#include "store/request.h"

struct args {
	const char *conf, *conninfo, *profile, *id, *reason;
	bool all, json;
};

static struct json_object *describe(const struct store_request_row *r)
{
	static const char *const states[] = {"pending", "approved", "issued", "rejected", "expired"};
	struct json_object *o = json_object_new_object();

	put_text(o, "id", r->id);
	put_text(o, "state", states[r->state]);
	put_text(o, "profile", r->profile);
	put_text(o, "subject", r->subject);
	put_text(o, "sans", r->sans);
	put_text(o, "key", r->key);
	put_text(o, "device", r->device);
	put_text(o, "requester", r->requester);
	put_text(o, "transaction", r->txid);
	put_time(o, "created", r->created);
	put_time(o, "expires", r->expires);
	put_int(o, "approvals_needed", r->approvals);
	put_text(o, "approved_by", r->approved_by);
	put_text(o, "reason", r->reason);
	put_text(o, "serial", r->serial);
	return o;
}

/* --- list, show --------------------------------------------------------------------------------------------------- */

static const struct opt list_table[] = {
    OPT_CONF(struct args),
    OPT_CONNINFO(struct args),
    {"profile", 'p', OPT_TEXT, offsetof(struct args, profile), "NAME", "only this profile's"},
    {"all", 'a', OPT_FLAG, offsetof(struct args, all), NULL, "issued, rejected and expired ones too, while they are kept"},
    OPT_JSON(struct args),
    {NULL, 0, OPT_FLAG, 0, NULL, NULL},
};

static const struct opts list_opts = {
    .doc = "Lists requests that wait for approval, or were approved and not yet fetched by their device.",
    .table = list_table,
};

int request_list_run(int argc, char **argv)
{
	static const char *const columns[] = {"id", "state", "profile", "created", "expires", "approved_by", "key", "subject", "sans", "requester", NULL};
	struct args args = {0};
	struct store_request_row *list = NULL;
	struct json_object *array;
	struct store *store;
	struct why why = {0};
	size_t n = 0;
	enum err err;

	opts_parse(&list_opts, argc, argv, &args);
	store = load_store_of(args.conf, args.conninfo);
	if (store == NULL)
		return EXIT_CONFIG;
	err = store_request_list(store, args.profile, NULL, args.all, &list, &n, &why);
	store_close(store);
	if (err != ERR_OK)
		return verb_failed(&why);
	array = json_object_new_array();
	for (size_t i = 0; i < n; i++)
		json_object_array_add(array, describe(&list[i]));
	store_request_list_free(list, n);
	print_table(array, columns, args.json);
	return EXIT_OK;
}

/* Of show and approve. */
static const struct opt id_table[] = {
    OPT_CONF(struct args),
    OPT_CONNINFO(struct args),
    OPT_JSON(struct args),
    {"ID", 0, OPT_ARG, offsetof(struct args, id), NULL, NULL},
    {NULL, 0, OPT_FLAG, 0, NULL, NULL},
};

static const struct opts show_opts = {
    .doc = "Shows one request: what it asks for, where it came from, and who has approved it. ID is what `request list' calls it.",
    .table = id_table,
};

static int show(struct store *store, const struct args *args)
{
	struct store_request_row *list = NULL;
	struct why why = {0};
	size_t n = 0;
	enum err err = store_request_list(store, NULL, args->id, true, &list, &n, &why);

	if (err == ERR_OK && n == 0)
		err = fail(&why, ERR_NOT_FOUND, "there is no request %s: see 'scepter request list'", args->id);
	if (err != ERR_OK)
		return verb_failed(&why);
	print_object(describe(&list[0]), args->json);
	store_request_list_free(list, n);
	return EXIT_OK;
}

int request_show_run(int argc, char **argv)
{
	struct args args = {0};
	struct store *store;
	int code;

	opts_parse(&show_opts, argc, argv, &args);
	store = load_store_of(args.conf, args.conninfo);
	if (store == NULL)
		return EXIT_CONFIG;
	code = show(store, &args);
	store_close(store);
	return code;
}

/* --- approve, reject ---------------------------------------------------------------------------------------------- */

static const struct opts approve_opts = {
    .doc = "Approves a request. The device gets its certificate when it asks the next time. Where the profile wants several approvals, as many "
	   "different people have to do this.",
    .table = id_table,
};

static const struct opt reject_table[] = {
    OPT_CONF(struct args),
    OPT_CONNINFO(struct args),
    {"reason", 'r', OPT_TEXT, offsetof(struct args, reason), "TEXT", "why: the device is told, and it goes to the audit trail"},
    OPT_JSON(struct args),
    {"ID", 0, OPT_ARG, offsetof(struct args, id), NULL, NULL},
    {NULL, 0, OPT_FLAG, 0, NULL, NULL},
};

static const struct opts reject_opts = {
    .doc = "Rejects a request. The device is told so when it asks the next time.",
    .table = reject_table,
};

static int decide(const struct args *args, bool approve)
{
	struct store *store = load_store_of(args->conf, args->conninfo);
	struct json_object *o;
	struct why why = {0};
	bool final = false;
	char *actor;
	enum err err;

	if (store == NULL)
		return EXIT_CONFIG;
	actor = load_actor();
	err = store_request_decide(store, args->id, approve, actor, args->reason, &final, &why);
	store_close(store);
	if (err == ERR_OK) {
		o = json_object_new_object();
		put_text(o, approve ? "approved" : "rejected", args->id);
		put_text(o, "by", actor);
		put_bool(o, "final", final);
		print_object(o, args->json);
		if (!final)
			verb_note("one more person, or several, must approve it: see 'scepter request show %s'", args->id);
	}
	free(actor);
	return err == ERR_OK ? EXIT_OK : verb_failed(&why);
}

int request_approve_run(int argc, char **argv)
{
	struct args args = {0};

	opts_parse(&approve_opts, argc, argv, &args);
	return decide(&args, true);
}

int request_reject_run(int argc, char **argv)
{
	struct args args = {0};

	opts_parse(&reject_opts, argc, argv, &args);
	return decide(&args, false);
}
