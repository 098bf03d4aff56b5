/* scepter ca rotate-ra: a new RA for a profile, whose present one goes on to open messages until a date. */
#include <libgen.h>
#include <stdlib.h>
#include <unistd.h>

#include "admin/ca_args.h"
#include "admin/ca_make.h"
#include "admin/load.h"
#include "admin/print.h"
#include "admin/profile_file.h"
#include "admin/verb.h"
#include "admin/verbs.h"
#include "base/file.h"
#include "base/mem.h"
#include "conf/date.h"
#include "conf/edit.h"

#define UNTIL (30 * 86400L)	/* [next_ca] overlap's default */
#define A_DAY_MAX 99		/* so many rotations a day have names */

static const char *const places[OLD_RAS] = {"old_ra", "older_ra"};

struct args {
	const char *conf, *profile, *out, *subject, *key, *pin_file;
	long days;
	time_t until;
	bool json;
};

static const struct opt table[] = {
    OPT_CONF(struct args),
    {"profile", 'p', OPT_TEXT, offsetof(struct args, profile), "NAME", "the profile whose RA is to be followed by a new one"},
    {"until", 'u', OPT_TIME, offsetof(struct args, until), "TIME", "how long the present one still opens messages (default: 30 days)"},
    {"days", 'd', OPT_COUNT, offsetof(struct args, days), "N", "days of the new one's validity (default: as many as the present one's)"},
    {"subject", 's', OPT_TEXT, offsetof(struct args, subject), "DN", "its subject (default: the same)"},
    {"key", 0, OPT_TEXT, offsetof(struct args, key), "URI", "the pkcs11: URI of a key that exists, instead of a new one"},
    {"pin-file", 0, OPT_TEXT, offsetof(struct args, pin_file), "FILE", "file (0600) with the PIN of its token"},
    {"out", 'o', OPT_TEXT, offsetof(struct args, out), "DIR", "folder for the files (default: the present RA certificate's)"},
    OPT_JSON(struct args),
    {NULL, 0, OPT_FLAG, 0, NULL, NULL},
};

static const struct opts opts = {
    .doc = "Gives a profile a new RA, issued by its CA: makes key and certificate in new files and writes them into the profile's [ra]; the"
	   " present one moves to [old_ra], where it opens messages of devices that know no other until a date, and what is there to [older_ra]."
	   " The responder goes over to it when it is reloaded. See doc/ROLLOVER.md.",
    .table = table,
};

struct rotation {
	const struct args *args;
	const struct conf *conf;
	const struct profile_conf *profile;
	time_t now, until;
	struct cert *present, *new;
	struct ca_job job;
	char *cert, *key;		/* files to be */
	const struct old_ra_conf *former;	/* moves to [older_ra]; NULL: none */
};

/* Does it still open messages? One whose certificate cannot be read is no reason to lose its place. */
static bool is_in_use(const struct old_ra_conf *old, time_t now)
{
	struct cert *cert = NULL;
	bool ended;

	if (old->pair.certificate == NULL || (old->until != 0 && now >= (time_t)old->until))
		return false;
	ended = cert_read(old->pair.certificate, &cert, NULL) == ERR_OK && cert->not_after < now;
	cert_free(cert);
	return !ended;
}

static const char *until_text(const struct old_ra_conf *old, char date[DATE_SIZE])
{
	date_print((time_t)old->until, date);
	return old->until == 0 ? "its certificate ends" : date;
}

/* The one that stays besides the present one. Two places are enough: what is older than two rotations has had its time. */
static enum err choose_former(struct rotation *r, struct why *why)
{
	const struct old_ra_conf *old = r->profile->old_ra;
	bool used[OLD_RAS] = {is_in_use(&old[0], r->now), is_in_use(&old[1], r->now)};
	char date[OLD_RAS][DATE_SIZE];

	if (used[0] && used[1])
		return fail(why, ERR_CONFLICT, "two former RAs are still in use: [old_ra] until %s, [older_ra] until %s; rotate again after one of these "
		    "dates, or bring 'until' of %s forward", until_text(&old[0], date[0]), until_text(&old[1], date[1]), r->profile->file);
	r->former = used[0] ? &old[0] : used[1] ? &old[1] : NULL;
	return ERR_OK;
}

static enum err look(struct rotation *r, struct why *why)
{
	const struct profile_conf *p = r->profile;

	if (p->ra.certificate == NULL)
		return fail(why, ERR_CONFLICT, "profile '%s' has no RA: its CA answers by itself; make one with `scepter ca issue-ra --profile %s`",
		    p->name, p->name);
	if (p->next.switch_at != 0 && r->now >= (time_t)p->next.switch_at)
		return fail(why, ERR_CONFLICT, "profile '%s' has gone over to the CA and RA of [next_ca] and [next_ra]: put these into [ca] and [ra] "
		    "first", p->name);
	if (r->until <= r->now)
		return fail(why, ERR_CONFLICT, "--until has passed: devices that know only the present RA would be refused at once");
	return choose_former(r, why);
}

/* Named by the day, and numbered where a day has several. */
static enum err choose_files(struct rotation *r, struct why *why)
{
	char *present = mem_strdup(r->profile->ra.certificate), date[DATE_SIZE];
	const char *dir = r->args->out != NULL ? r->args->out : dirname(present);
	enum err err = ERR_OK;

	date_print(r->now, date);
	date[10] = '\0';
	for (int i = 1; r->cert == NULL && i <= A_DAY_MAX; i++) {
		char *stem = i == 1 ? mem_printf("%s/ra-%s", dir, date) : mem_printf("%s/ra-%s-%d", dir, date, i);

		r->cert = mem_printf("%s.pem", stem);
		r->key = mem_printf("%s.key", stem);
		free(stem);
		if (access(r->cert, F_OK) == 0 || access(r->key, F_OK) == 0) {
			free(r->cert);
			free(r->key);
			r->cert = r->key = NULL;
		}
	}
	if (r->cert == NULL)
		err = fail(why, ERR_CONFLICT, "%s/ra-%s.pem and %d others exist already: choose another place with --out", dir, date, A_DAY_MAX - 1);
	if (r->cert != NULL && r->args->key != NULL) {
		free(r->key);
		r->key = mem_strdup(r->args->key);
	}
	free(present);
	return err;
}

static enum err make_pair(struct rotation *r, struct why *why)
{
	const struct profile_conf *p = r->profile;
	struct ca_args place = {.out = r->args->out};
	struct ca_signer by = {0};
	enum err err;

	ca_follow(r->present, &r->job);
	r->job.subject = r->args->subject;
	r->job.days = r->args->days != 0 ? r->args->days : r->job.days;
	r->job.cert_file = r->cert;
	r->job.key_where = r->key;
	r->job.pin_file = r->args->pin_file;
	r->job.like = profile_file_owned(&p->ra);
	r->job.by = &by;
	r->job.rsa_only = true;
	if ((err = ca_places_make(&place, why)) == ERR_OK && (err = ca_signer_open(p->ca.certificate, p->ca.key, p->ca.pin_file, &by, why)) == ERR_OK &&
	    (err = ca_key_type_of(r->present, &r->job.key_type, why)) == ERR_OK)
		err = ca_make(&r->job, r->now, &r->new, why);
	r->job.by = NULL;
	ca_signer_free(&by);
	return err;
}

static void set_old(struct buf *text, const char *section, const struct key_conf *pair, int64_t until)
{
	char date[DATE_SIZE];

	profile_file_set_pair(text, section, pair->certificate, pair->key, pair->pin_file);
	date_print((time_t)until, date);
	edit_set(text, section, "until", until == 0 ? NULL : date);
}

static enum err change_profile(const struct rotation *r, struct why *why)
{
	struct buf text = {0};
	enum err err = file_read(r->profile->file, &text, why);

	for (size_t i = 0; err == ERR_OK && i < OLD_RAS; i++)
		edit_clear(&text, places[i]);
	if (err == ERR_OK) {
		profile_file_set_pair(&text, "ra", r->cert, r->key, r->args->pin_file);
		set_old(&text, places[0], &r->profile->ra, r->until);
		if (r->former != NULL)
			set_old(&text, places[1], &r->former->pair, r->former->until);
		err = profile_file_change(r->conf, r->profile, buf_bytes(&text), why);
	}
	buf_free(&text);
	return err;
}

static void put_old(struct json_object *o, const char *section, const struct key_conf *pair, time_t until)
{
	struct json_object *part = json_object_new_object();

	put_text(part, "certificate_file", pair->certificate);
	put_time(part, "until", until);
	json_object_object_add(o, section, part);
}

static void print_rotation(const struct rotation *r)
{
	struct json_object *o = json_object_new_object(), *part = json_object_new_object();

	put_text(o, "profile", r->profile->name);
	put_text(o, "profile_file", r->profile->file);
	ca_describe_made(part, &r->job, r->new);
	json_object_object_add(o, "ra", part);
	put_old(o, places[0], &r->profile->ra, r->until);
	if (r->former != NULL)
		put_old(o, places[1], &r->former->pair, (time_t)r->former->until);
	print_object(o, r->args->json);
	if (!r->args->json)
		verb_note("\nReload the responder (systemctl reload scepter, or SIGHUP): then the new RA is announced. Where it runs on several hosts, copy\n"
			  "the profile and the new files to all of them first.");
}

static int rotate(const struct args *args, const struct conf *conf, const struct profile_conf *profile)
{
	struct rotation r = {.args = args, .conf = conf, .profile = profile, .now = time(NULL)};
	struct why why = {0};
	enum err err;

	r.until = args->until != 0 ? args->until : r.now + UNTIL;
	if ((err = look(&r, &why)) == ERR_OK && (err = cert_read(profile->ra.certificate, &r.present, &why)) == ERR_OK &&
	    (err = choose_files(&r, &why)) == ERR_OK) {
		if ((err = make_pair(&r, &why)) == ERR_OK)
			err = change_profile(&r, &why);
		if (err == ERR_OK)
			print_rotation(&r);
		else if (r.new != NULL)
			ca_unmake(&r.job);
	}
	cert_free(r.present);
	cert_free(r.new);
	free(r.cert);
	free(r.key);
	return err == ERR_OK ? EXIT_OK : verb_failed(&why);
}

int ca_rotate_ra_run(int argc, char **argv)
{
	struct args args = {0};
	const struct profile_conf *profile;
	struct conf *conf;
	int code = EXIT_CONFIG;

	opts_parse(&opts, argc, argv, &args);
	if (args.profile == NULL)
		return verb_misused("whose RA? give --profile NAME");
	if (args.key != NULL && !key_is_token(args.key))
		return verb_misused("--key is a pkcs11: URI; a key in a file is made new");
	conf = load_conf(args.conf);
	profile = conf == NULL ? NULL : load_profile(conf, args.profile);
	if (profile != NULL)
		code = rotate(&args, conf, profile);
	conf_free(conf);
	return code;
}
