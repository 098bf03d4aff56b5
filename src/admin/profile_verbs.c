/* scepter profile list|show: what is served, and by which settings. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "admin/load.h"
#include "admin/opts.h"
#include "admin/print.h"
#include "admin/verb.h"
#include "admin/verbs.h"
#include "ca/profile_check.h"
#include "conf/value.h"
#include "pki/name.h"
#include "store/cert.h"

struct args {
	const char *conf, *conninfo, *name;
	bool json;
};

/* --- list --------------------------------------------------------------------------------------------------------- */

static const struct opt list_table[] = {
    OPT_CONF(struct args),
    OPT_CONNINFO(struct args),
    OPT_JSON(struct args),
    {NULL, 0, OPT_FLAG, 0, NULL, NULL},
};

static const struct opts list_opts = {
    .doc = "Lists the profiles: the CA that issues now and its end, the end of the RA, who authorises devices, and how many certificates were issued.",
    .table = list_table,
};

struct counts {
	struct store_cert_count *list;
	size_t n;
	bool known;
};

/* Without the database the list is worth something, too. */
static void count(const struct args *args, const struct conf *conf, struct counts *out)
{
	struct store *store = load_store(conf, args->conninfo);
	struct why why = {0};

	if (store == NULL)
		return;
	out->known = store_cert_counts(store, &out->list, &out->n, &why) == ERR_OK;
	if (!out->known)
		verb_note("warning: certificates were not counted: %s", why.text);
	store_close(store);
}

static void put_count(struct json_object *o, const struct counts *counts, const char *profile)
{
	long n = 0;

	for (size_t i = 0; i < counts->n; i++) {
		if (strcmp(counts->list[i].profile, profile) == 0)
			n = counts->list[i].n;
	}
	if (counts->known)
		put_int(o, "issued", n);
	else
		put_text(o, "issued", NULL);
}

/* The subject (subject_key NULL: not wanted) and the end of a certificate; null, and said, when it cannot be read. */
static void put_cert(struct json_object *o, const char *file, const char *subject_key, const char *end_key)
{
	struct cert *cert = NULL;
	struct buf subject = {0};
	struct why why = {0};

	if (file != NULL && cert_read(file, &cert, &why) != ERR_OK)
		verb_note("warning: %s", why.text);
	if (cert != NULL && name_text(cert->subject, &subject, NULL) != ERR_OK)
		buf_add_str(&subject, "(unreadable)");
	if (subject_key != NULL)
		put_text(o, subject_key, cert == NULL ? NULL : buf_str(&subject));
	put_time(o, end_key, cert == NULL ? 0 : cert->not_after);
	buf_free(&subject);
	cert_free(cert);
}

static struct json_object *describe(const struct profile_conf *p, const struct counts *counts, time_t now)
{
	struct json_object *o = json_object_new_object();
	bool switched = p->next.ca.certificate != NULL && p->next.switch_at != 0 && now >= (time_t)p->next.switch_at;
	struct buf who = {0};

	put_text(o, "name", p->name);
	put_text(o, "description", p->description);
	put_cert(o, switched ? p->next.ca.certificate : p->ca.certificate, "ca", "ca_ends");
	put_cert(o, switched ? p->next.ra.certificate : p->ra.certificate, NULL, "ra_ends");
	list_authenticators(p, &who);
	put_text(o, "authenticators", buf_str(&who));
	put_count(o, counts, p->name);
	put_text(o, "file", p->file);
	buf_free(&who);
	return o;
}

int profile_list_run(int argc, char **argv)
{
	static const char *const columns[] = {"name", "issued", "ca_ends", "ra_ends", "authenticators", "ca", NULL};
	struct args args = {0};
	struct counts counts = {0};
	struct json_object *array;
	struct conf *conf;

	opts_parse(&list_opts, argc, argv, &args);
	conf = load_conf(args.conf);
	if (conf == NULL)
		return EXIT_CONFIG;
	count(&args, conf, &counts);
	array = json_object_new_array();
	for (size_t i = 0; i < conf->n_profiles; i++)
		json_object_array_add(array, describe(conf->profiles[i], &counts, time(NULL)));
	print_table(array, columns, args.json);
	store_cert_counts_free(counts.list, counts.n);
	conf_free(conf);
	return EXIT_OK;
}

/* --- show --------------------------------------------------------------------------------------------------------- */

static const struct opt show_table[] = {
    {"NAME", 0, OPT_ARG, offsetof(struct args, name), NULL, NULL},
    OPT_CONF(struct args),
    OPT_JSON(struct args),
    {NULL, 0, OPT_FLAG, 0, NULL, NULL},
};

static const struct opts show_opts = {
    .doc = "Shows all settings of a profile that are in effect, those that its file does not name included, as a file that would say the same.",
    .table = show_table,
};

/* {"ca": {"certificate": "...", "chain": null, ...}, ...}: every value as it would be written, null where it is not set. */
static struct json_object *settings_json(const struct profile_conf *p)
{
	struct json_object *all = json_object_new_object(), *section;

	for (size_t i = 0; i < profile_settings.n; i++) {
		const struct setting *row = &profile_settings.rows[i];
		struct buf text = {0};
		bool set = value_text(row, p, &text);

		if (!json_object_object_get_ex(all, row->section, &section)) {
			section = json_object_new_object();
			json_object_object_add(all, row->section, section);
		}
		put_text(section, row->key, set ? buf_str(&text) : NULL);
		buf_wipe(&text);
	}
	return all;
}

int profile_show_run(int argc, char **argv)
{
	struct args args = {0};
	const struct profile_conf *p;
	struct json_object *o;
	struct conf *conf;

	opts_parse(&show_opts, argc, argv, &args);
	conf = load_conf(args.conf);
	p = conf == NULL ? NULL : load_profile(conf, args.name);
	if (p != NULL && args.json) {
		o = json_object_new_object();
		put_text(o, "name", p->name);
		put_text(o, "file", p->file);
		json_object_object_add(o, "settings", settings_json(p));
		print_json(o);
	} else if (p != NULL) {
		conf_print_profile(stdout, p);
	}
	int code = p == NULL ? EXIT_CONFIG : EXIT_OK;

	conf_free(conf);
	return code;
}
