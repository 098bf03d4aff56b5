/* scepter profile new: a profile's file, from the table of settings or from another profile. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "admin/describe.h"
#include "admin/load.h"
#include "admin/opts.h"
#include "admin/print.h"
#include "admin/profile_file.h"
#include "admin/verb.h"
#include "admin/verbs.h"
#include "auth/challenge.h"
#include "base/file.h"
#include "base/mem.h"
#include "conf/edit.h"
#include "pki/cert.h"
#include "pki/key.h"

struct args {
	const char *conf, *name, *from, *challenge, *description;
	const char *ca, *ca_cert, *ca_key, *ca_pin_file, *ra_cert, *ra_key, *ra_pin_file;
	struct opt_list set;
	bool json;
};

static const struct opt table[] = {
    {"NAME", 0, OPT_ARG, offsetof(struct args, name), NULL, NULL},
    OPT_CONF(struct args),
    {"from", 0, OPT_TEXT, offsetof(struct args, from), "PROFILE", "copy the file of this one, all but its paths and its static challenges"},
    {"ca", 0, OPT_TEXT, offsetof(struct args, ca), "DIR",
	"the folder with ca.pem and ca.key, and with ra.pem, ra.key and ca-chain.pem where there are such, as `ca init' and `ca issue-ra' make them"},
    {"ca-certificate", 0, OPT_TEXT, offsetof(struct args, ca_cert), "FILE", "the CA's certificate, instead of --ca"},
    {"ca-key", 0, OPT_TEXT, offsetof(struct args, ca_key), "FILE|URI", "its key"},
    {"ca-pin-file", 0, OPT_TEXT, offsetof(struct args, ca_pin_file), "FILE", "file (0600) with the PIN of its token"},
    {"ra-certificate", 0, OPT_TEXT, offsetof(struct args, ra_cert), "FILE", "the RA's certificate; without it the CA answers itself"},
    {"ra-key", 0, OPT_TEXT, offsetof(struct args, ra_key), "FILE|URI", "its key"},
    {"ra-pin-file", 0, OPT_TEXT, offsetof(struct args, ra_pin_file), "FILE", "file (0600) with the PIN of its token"},
    {"challenge", 0, OPT_TEXT, offsetof(struct args, challenge), "KIND",
	"one-time (default), static: one secret for all, made new; both; or none: then give another authenticator with --set"},
    {"description", 'd', OPT_TEXT, offsetof(struct args, description), "TEXT", "what the profile is for"},
    {"set", 's', OPT_LIST, offsetof(struct args, set), "SECTION.KEY=VALUE", "any other setting of scepter.ini(5); may be given several times"},
    OPT_JSON(struct args),
    {NULL, 0, OPT_FLAG, 0, NULL, NULL},
};

static const struct opts opts = {
    .doc = "Makes profiles.d/NAME.ini with all settings and what they mean, checks it as `check' does, and says what comes next. A file that"
	   " exists is never changed.",
    .table = table,
};

static const struct kind {
	const char *name;
	bool one_time, fixed;
} kinds[] = {
    {"one-time", true, false},
    {"static", false, true},
    {"both", true, true},
    {"none", false, false},
};

struct making {
	const struct args *args;
	const struct conf *conf;
	const struct profile_conf *from;	/* NULL: from the table */
	struct kind kind;
	struct buf text;
	char *secret_file;		/* NULL: no static challenge */
	bool wrote_secret;
};

static bool find_kind(const char *name, struct kind *out)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (strcmp(kinds[i].name, name) == 0) {
			*out = kinds[i];
			return true;
		}
	}
	return false;
}

/* --- the text ------------------------------------------------------------------------------------------------------ */

static enum err begin_text(struct making *m, struct why *why)
{
	char *example = NULL;
	size_t n = 0;
	FILE *f;

	if (m->from != NULL)
		return file_read(m->from->file, &m->text, why);
	f = open_memstream(&example, &n);
	if (f == NULL)
		abort();	/* out of memory */
	conf_print_profile(f, NULL);
	fclose(f);
	buf_add(&m->text, example, n);
	free(example);
	return ERR_OK;
}

/* A file of --ca, where there is such. The caller frees. */
static char *in_folder(const char *dir, const char *name)
{
	char *file = mem_printf("%s/%s", dir, name);

	if (access(file, F_OK) == 0)
		return file;
	free(file);
	return NULL;
}

/* The CA and RA given take the place of all that a copied profile has of these, now, next and before. */
static void set_authority(struct making *m)
{
	static const char *const sections[] = {"next_ca", "next_ra", "next_ra_sign", "old_ca", "old_ra", "older_ra", "ra_sign"};
	const struct args *a = m->args;

	if (a->ca == NULL && a->ca_cert == NULL)
		return;
	for (size_t i = 0; i < sizeof(sections) / sizeof(sections[0]); i++)
		edit_clear(&m->text, sections[i]);
	if (a->ca == NULL) {
		profile_file_set_pair(&m->text, "ca", a->ca_cert, a->ca_key, a->ca_pin_file);
		edit_set(&m->text, "ca", "chain", NULL);
		profile_file_set_pair(&m->text, "ra", a->ra_cert, a->ra_key, a->ra_pin_file);
		return;
	}
	char *cert = mem_printf("%s/ca.pem", a->ca), *key = mem_printf("%s/ca.key", a->ca), *chain = in_folder(a->ca, "ca-chain.pem");
	char *ra_cert = in_folder(a->ca, "ra.pem"), *ra_key = in_folder(a->ca, "ra.key");

	profile_file_set_pair(&m->text, "ca", cert, key, NULL);
	profile_file_set(&m->text, "ca", "chain", chain);
	profile_file_set_pair(&m->text, "ra", ra_cert, ra_key, NULL);
	free(cert);
	free(key);
	free(chain);
	free(ra_cert);
	free(ra_key);
}

/* A secret of its own: what lets a device into one profile must not let it into another. */
static enum err set_challenge(struct making *m, struct why *why)
{
	struct buf secret = {0};
	enum err err;

	edit_set(&m->text, "enrol", "one_time_challenge", m->kind.one_time ? "yes" : "no");
	edit_set(&m->text, "enrol", "static_challenge_file", NULL);
	if (!m->kind.fixed)
		return ERR_OK;
	m->secret_file = mem_printf("%s/%s.secret", m->conf->profiles_dir, m->args->name);
	err = challenge_generate(&secret, why);
	buf_add_byte(&secret, '\n');
	if (err == ERR_OK)
		err = file_write(m->secret_file, buf_bytes(&secret), 0600, false, why);
	buf_wipe(&secret);
	m->wrote_secret = err == ERR_OK;
	if (err == ERR_OK)
		err = profile_file_give(m->secret_file, m->conf->pepper_file, why);	/* a secret of the responder's, too */
	if (err == ERR_OK)
		edit_set(&m->text, "enrol", "static_challenge_file", m->secret_file);
	return err;
}

/* "certificate.validity=90d"; whether there is such a setting, and such a value of it, is for the check. */
static enum err set_one(struct making *m, const char *given, struct why *why)
{
	const char *dot = strchr(given, '.'), *equals = strchr(given, '=');
	char *section, *key;

	if (dot == NULL || equals == NULL || dot > equals || dot == given || dot + 1 == equals || strpbrk(given, "\r\n") != NULL)
		return fail(why, ERR_CONFIG, "--set '%.80s' is not SECTION.KEY=VALUE, for example certificate.validity=90d", given);
	section = mem_strndup(given, (size_t)(dot - given));
	key = mem_strndup(dot + 1, (size_t)(equals - dot - 1));
	edit_set(&m->text, section, key, equals + 1);
	free(section);
	free(key);
	return ERR_OK;
}

static enum err write_text(struct making *m, struct why *why)
{
	enum err err = begin_text(m, why);

	if (err == ERR_OK) {
		if (m->from != NULL)
			edit_set(&m->text, "profile", "paths", NULL);	/* a path leads to one profile */
		if (m->args->description != NULL || m->from != NULL)
			edit_set(&m->text, "profile", "description", m->args->description);
		set_authority(m);
		err = set_challenge(m, why);
	}
	for (size_t i = 0; err == ERR_OK && i < m->args->set.n; i++)
		err = set_one(m, m->args->set.values[i], why);
	return err;
}

/* --- afterwards ---------------------------------------------------------------------------------------------------- */

static void print_next_steps(const struct making *m, const struct profile_conf *p)
{
	verb_note("\nNext: `scepter check', and reload the responder (systemctl reload scepter, or SIGHUP). Devices then enrol at");
	verb_note("	http://HOST%s/%s", m->conf->base_path, p->name);
	if (m->secret_file != NULL)
		verb_note("with the challenge in %s", m->secret_file);
	if (m->kind.one_time)
		verb_note("with what `scepter challenge new --profile %s' prints", p->name);
}

static void print_made(const struct making *m)
{
	struct problems problems = {0};
	struct conf *fresh = conf_read(m->conf->file, &problems);
	const struct profile_conf *p = fresh == NULL ? NULL : conf_profile(fresh, m->args->name);
	struct json_object *o = json_object_new_object();
	struct cert *cert = NULL;
	char *path = mem_printf("%s/%s", m->conf->base_path, m->args->name);

	put_text(o, "profile", m->args->name);
	put_text(o, "file", p == NULL ? NULL : p->file);
	put_text(o, "secret_file", m->secret_file);
	put_text(o, "path", path);
	if (p != NULL && cert_read(p->ca.certificate, &cert, NULL) == ERR_OK) {
		put_name(o, "ca", cert->subject);
		describe_fingerprints(o, buf_bytes(&cert->der));
	}
	print_object(o, m->args->json);
	if (!m->args->json && p != NULL)
		print_next_steps(m, p);
	cert_free(cert);
	conf_free(fresh);
	problems_free(&problems);
	free(path);
}

static int make(struct making *m)
{
	struct why why = {0};
	enum err err;

	if (conf_profile(m->conf, m->args->name) != NULL)
		err = fail(&why, ERR_CONFLICT, "there is a profile '%s' already: %s", m->args->name, conf_profile(m->conf, m->args->name)->file);
	else if ((err = write_text(m, &why)) == ERR_OK)
		err = profile_file_make(m->conf, m->args->name, buf_bytes(&m->text), &why);
	if (err == ERR_OK)
		print_made(m);
	else if (m->wrote_secret)
		unlink(m->secret_file);
	buf_free(&m->text);
	free(m->secret_file);
	return err == ERR_OK ? EXIT_OK : verb_failed(&why);
}

/* It may be the first profile, without which a configuration is not in order: what else is wrong the check of the result says. */
static struct conf *read_conf(const char *given)
{
	struct problems problems = {0};
	struct conf *conf = conf_read_anyway(conf_file(given), &problems);

	if (conf == NULL)
		load_print_problems(&problems);
	problems_free(&problems);
	return conf;
}

static int check_args(const struct args *a)
{
	if (!conf_is_profile_name(a->name))
		return verb_misused("'%s' is not a profile's name: a-z, 0-9, '.', '_' and '-', beginning with a letter or digit", a->name);
	if (a->ca != NULL && a->ca_cert != NULL)
		return verb_misused("--ca and --ca-certificate exclude each other");
	if ((a->ca_cert == NULL) != (a->ca_key == NULL) || (a->ra_cert == NULL) != (a->ra_key == NULL))
		return verb_misused("a certificate and its key go together");
	if (a->ra_cert != NULL && a->ca_cert == NULL)
		return verb_misused("--ra-certificate goes with --ca-certificate; with --ca the RA is taken from the same folder");
	if (a->ca == NULL && a->ca_cert == NULL && a->from == NULL)
		return verb_misused("which CA? give --ca DIR, or --ca-certificate and --ca-key, or --from PROFILE");
	return EXIT_OK;
}

int profile_new_run(int argc, char **argv)
{
	struct args args = {0};
	struct making m = {.args = &args, .kind = kinds[0]};
	struct conf *conf = NULL;
	int code;

	opts_parse(&opts, argc, argv, &args);
	if ((code = check_args(&args)) != EXIT_OK)
		goto out;
	if (args.challenge != NULL && !find_kind(args.challenge, &m.kind)) {
		code = verb_misused("--challenge: one-time, static, both or none, not '%s'", args.challenge);
		goto out;
	}
	code = EXIT_CONFIG;
	if ((m.conf = conf = read_conf(args.conf)) == NULL)
		goto out;
	if (args.from != NULL && (m.from = load_profile(conf, args.from)) == NULL)
		goto out;
	if (m.from != NULL && args.challenge == NULL)
		m.kind = (struct kind){NULL, m.from->one_time_challenge, m.from->static_challenge_file != NULL};
	code = make(&m);
out:
	free(args.set.values);
	conf_free(conf);
	return code;
}
