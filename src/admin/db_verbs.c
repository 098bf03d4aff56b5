/* scepter db init|migrate|status: the database that the responders share, without psql. */
#include <stdio.h>
#include <unistd.h>

#include <gnutls/crypto.h>

#include "admin/load.h"
#include "admin/opts.h"
#include "admin/print.h"
#include "admin/progress.h"
#include "admin/verb.h"
#include "admin/verbs.h"
#include "base/codec.h"
#include "base/file.h"
#include "base/mem.h"
#include "store/schema.h"

#define PEPPER_SIZE 32
#define TIMEOUT_MS 10000		/* without a configuration; a migration has its own, longer one */

struct args {
	const char *conf, *conninfo, *grant, *grant_admin;
	bool new_pepper, json;
};

/* Looking at the schema and migrating it digests nothing: a database administrator needs no pepper for it. */
static struct store *open_schema(const char *conninfo, long timeout_ms)
{
	struct store_conf sc = {.conninfo = conninfo, .timeout_ms = timeout_ms, .application = "scepter db"};

	return store_open(&sc);
}

/* --- init --------------------------------------------------------------------------------------------------------- */

static const struct opt init_table[] = {
    OPT_CONF(struct args),
    OPT_CONNINFO(struct args),
    {"grant", 'g', OPT_TEXT, offsetof(struct args, grant), "ROLE", "let this login role work as a responder (made when missing)"},
    {"grant-admin", 0, OPT_TEXT, offsetof(struct args, grant_admin), "ROLE",
	"let this login role use the operators' commands: challenge, request, cert (made when missing)"},
    {"new-pepper", 0, OPT_FLAG, offsetof(struct args, new_pepper), NULL,
	"the database is in use and its pepper is lost: make another (open challenges become worthless)"},
    OPT_JSON(struct args),
    {NULL, 0, OPT_FLAG, 0, NULL, NULL},
};

static const struct opts init_opts = {
    .doc = "Prepares the database: roles, schema, and the pepper file that keys what it stores. Can be repeated. The database must exist, and"
	   " the role in the conninfo must be allowed to make roles (a superuser, or CREATEROLE).",
    .table = init_table,
};

/* 32 random octets as hexadecimal text. */
static enum err make_pepper(const char *file, struct why *why)
{
	uint8_t random[PEPPER_SIZE];
	struct buf text = {0};
	enum err err;

	if (gnutls_rnd(GNUTLS_RND_KEY, random, sizeof(random)) < 0)
		return fail(why, ERR_INTERNAL, "the system's random number generator does not answer");
	hex_encode(&text, bytes_of(random, sizeof(random)));
	buf_add_byte(&text, '\n');
	err = file_write(file, buf_bytes(&text), 0600, false, why);
	mem_wipe(random, sizeof(random));
	buf_wipe(&text);
	return err;
}

/*
 * Makes the pepper file when it is missing. But a database that was prepared has its pepper already, on another host perhaps, and with
 * a second one this host would take no challenge of the others.
 */
static enum err ensure_pepper(const struct args *args, const struct conf *conf, bool *made, struct why *why)
{
	const char *file = conf->pepper_file;
	struct store_status status = {0};
	struct store *store;
	enum err err;

	*made = false;
	if (access(file, F_OK) == 0)
		return ERR_OK;
	store = open_schema(conf->conninfo, (long)conf->db_timeout_ms);
	err = store_status(store, &status, why);
	store_close(store);
	if (err != ERR_OK)
		return err;
	if (status.version > 0 && !args->new_pepper)
		return fail(why, ERR_CONFIG, "%s is missing, but the database was prepared with a pepper before: copy the file from the "
		    "host that has it, or if it is lost give --new-pepper", file);
	err = make_pepper(file, why);
	*made = err == ERR_OK;
	return err;
}

static enum err grant_all(const struct args *args, struct store *store, struct why *why)
{
	enum err err = ERR_OK;

	if (args->grant != NULL)
		err = store_grant(store, args->grant, STORE_RESPONDER, why);
	if (err == ERR_OK && args->grant_admin != NULL)
		err = store_grant(store, args->grant_admin, STORE_ADMIN, why);
	return err;
}

static enum err prepare(const struct args *args, struct store *store, struct store_status *before, struct store_status *after,
    struct why *why)
{
	enum err err;

	if ((err = store_status(store, before, why)) != ERR_OK)
		return err;
	if ((err = store_init(store, why)) != ERR_OK || (err = grant_all(args, store, why)) != ERR_OK) {
		verb_note("The role must own the database and be allowed to make roles (CREATEROLE), or be a superuser: see --conninfo.");
		return err;
	}
	return store_status(store, after, why);
}

static void print_prepared(const struct args *args, const struct store_status *before, const struct store_status *after,
    const char *pepper_file, bool made)
{
	struct json_object *o = json_object_new_object();

	put_text(o, "schema", before->version == 0 ? "made" : before->version < after->version ? "migrated" : "was there");
	put_int(o, "version", after->version);
	put_text(o, "pepper", made ? "made" : "was there");
	put_text(o, "pepper_file", pepper_file);
	put_text(o, "responder_role", args->grant);
	put_text(o, "admin_role", args->grant_admin);
	print_object(o, args->json);
	if (made)
		verb_note("Keep a copy of %s in a safe place, and give it to the responder's user on every host (mode 0600).",
		    pepper_file);
}

static int init(const struct args *args, const struct conf *conf)
{
	struct store_status before = {0}, after = {0};
	struct why why = {0};
	struct store *store;
	bool made;
	enum err err;

	if (ensure_pepper(args, conf, &made, &why) != ERR_OK)
		return verb_failed(&why);
	store = load_store(conf, NULL);
	if (store == NULL)
		return EXIT_CONFIG;
	progress_start("preparing the database");
	err = prepare(args, store, &before, &after, &why);
	progress_stop();
	store_close(store);
	if (err != ERR_OK)
		return verb_failed(&why);
	print_prepared(args, &before, &after, conf->pepper_file, made);
	return EXIT_OK;
}

int db_init_run(int argc, char **argv)
{
	struct args args = {0};
	struct conf *conf, other;
	int code;

	opts_parse(&init_opts, argc, argv, &args);
	conf = load_conf(args.conf);
	if (conf == NULL)
		return EXIT_CONFIG;
	other = *conf;	/* borrows all strings */
	if (args.conninfo != NULL)
		other.conninfo = (char *)args.conninfo;
	code = init(&args, &other);
	conf_free(conf);
	return code;
}

/* --- migrate, status ---------------------------------------------------------------------------------------------- */

static const struct opt schema_table[] = {
    OPT_CONF(struct args),
    OPT_CONNINFO(struct args),
    OPT_JSON(struct args),
    {NULL, 0, OPT_FLAG, 0, NULL, NULL},
};

static const struct opts migrate_opts = {
    .doc = "Brings the schema to the version that this program needs. Responders may run meanwhile.",
    .table = schema_table,
};

static const struct opts status_opts = {
    .doc = "Tells the versions of the schema and of PostgreSQL, and about how much is stored. The exit status is 3 when the schema is not the"
	   " one that this program needs.",
    .table = schema_table,
};

/* With --conninfo no configuration is needed. */
static struct store *open_for(const struct args *args)
{
	struct conf *conf = NULL;
	struct store *store;

	if (args->conninfo == NULL) {
		conf = load_conf(args->conf);
		if (conf == NULL)
			return NULL;
	}
	store = conf == NULL ? open_schema(args->conninfo, TIMEOUT_MS) : open_schema(conf->conninfo, (long)conf->db_timeout_ms);
	conf_free(conf);
	return store;
}

int db_migrate_run(int argc, char **argv)
{
	struct args args = {0};
	struct json_object *o;
	struct store *store;
	struct why why = {0};
	int from = 0, to = 0;
	enum err err;

	opts_parse(&migrate_opts, argc, argv, &args);
	store = open_for(&args);
	if (store == NULL)
		return EXIT_CONFIG;
	progress_start("migrating the database");
	err = store_migrate(store, &from, &to, &why);
	progress_stop();
	store_close(store);
	if (err != ERR_OK)
		return verb_failed(&why);
	o = json_object_new_object();
	put_text(o, "schema", from == to ? "up to date" : "migrated");
	put_int(o, "from_version", from);
	put_int(o, "version", to);
	print_object(o, args.json);
	return EXIT_OK;
}

int db_status_run(int argc, char **argv)
{
	struct args args = {0};
	struct store_status status = {0};
	struct json_object *o;
	struct store *store;
	struct why why = {0};
	char server[40];
	enum err err;

	opts_parse(&status_opts, argc, argv, &args);
	store = open_for(&args);
	if (store == NULL)
		return EXIT_CONFIG;
	err = store_status(store, &status, &why);
	store_close(store);
	if (err != ERR_OK)
		return verb_failed(&why);
	o = json_object_new_object();
	put_text(o, "schema", status.version == status.newest ? "up to date" : status.version == 0 ? "missing" :
	    status.version < status.newest ? "behind" : "newer than this program");
	put_int(o, "version", status.version);
	put_int(o, "needed_version", status.newest);
	snprintf(server, sizeof(server), "%d.%d", status.server_version / 10000, status.server_version % 10000);
	put_text(o, "postgresql", server);
	put_int(o, "certificates", status.n_certs);
	put_int(o, "challenges", status.n_challenges);
	print_object(o, args.json);
	if (status.version == status.newest)
		return EXIT_OK;
	verb_note("%s", status.version == 0 ? "Run `scepter db init'." : status.version < status.newest ?
	    "Run `scepter db migrate'." : "Install the newer scepter, or use another database.");
	return EXIT_CONFIG;
}
