/* scepter ca rollover: the CA and RA that follow those of a profile, in new files, and what to write into the profile. */
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "admin/ca_args.h"
#include "admin/ca_make.h"
#include "admin/load.h"
#include "admin/print.h"
#include "admin/profile_file.h"
#include "admin/verb.h"
#include "admin/verbs.h"
#include "base/mem.h"
#include "conf/date.h"
#include "conf/edit.h"

#define DAY 86400L
#define ANNOUNCE_BEFORE (90 * DAY)	/* the switch */
#define SWITCH_LEAST (7 * DAY)		/* from now */
#define OVERLAP (30 * DAY)		/* [next_ca] overlap's default */

struct args {
	const char *conf, *profile, *out;
	const char *subject, *key_type, *key, *pin_file, *ra_subject, *ra_key, *ra_pin_file, *sign_key, *sign_pin_file;
	const char *parent_cert, *parent_key, *parent_pin_file;
	long days, ra_days;	/* 0: as those before them */
	time_t announce, switch_at;
	bool json;
};

static const struct opt table[] = {
    OPT_CONF(struct args),
    {"profile", 'p', OPT_TEXT, offsetof(struct args, profile), "NAME", "the profile whose CA and RA are to be followed"},
    {"out", 'o', OPT_TEXT, offsetof(struct args, out), "DIR", "folder for the files (default: the present CA certificate's)"},
    {"announce", 0, OPT_TIME, offsetof(struct args, announce), "TIME", "when devices are told (default: 90 days before the switch)"},
    {"switch", 0, OPT_TIME, offsetof(struct args, switch_at), "TIME",
	"when the next CA begins to issue (default: as late as certificates by the present one keep their whole validity)"},
    {"subject", 's', OPT_TEXT, offsetof(struct args, subject), "DN", "subject of the next CA (default: the same)"},
    {"key-type", 't', OPT_TEXT, offsetof(struct args, key_type), "TYPE", "of its key (default: the same): rsa:2048 ... ec:p521 or ed25519"},
    {"days", 'd', OPT_COUNT, offsetof(struct args, days), "N", "days of its validity after the switch (default: as many as the present one's)"},
    {"key", 0, OPT_TEXT, offsetof(struct args, key), "URI", "the pkcs11: URI of a key that exists, instead of a new one"},
    {"pin-file", 0, OPT_TEXT, offsetof(struct args, pin_file), "FILE", "file (0600) with the PIN of its token"},
    {"ra-subject", 0, OPT_TEXT, offsetof(struct args, ra_subject), "DN", "subject of the next RA (default: the same)"},
    {"ra-days", 0, OPT_COUNT, offsetof(struct args, ra_days), "N", "days of its validity after the switch (default: as many as the present one's)"},
    {"ra-key", 0, OPT_TEXT, offsetof(struct args, ra_key), "URI", "the pkcs11: URI of a key that exists, instead of a new one"},
    {"ra-pin-file", 0, OPT_TEXT, offsetof(struct args, ra_pin_file), "FILE", "file (0600) with the PIN of its token"},
    {"ra-sign-key", 0, OPT_TEXT, offsetof(struct args, sign_key), "URI", "the same for an RA that only signs"},
    {"ra-sign-pin-file", 0, OPT_TEXT, offsetof(struct args, sign_pin_file), "FILE", "file (0600) with the PIN of its token"},
    {"parent-cert", 0, OPT_TEXT, offsetof(struct args, parent_cert), "FILE", "who signs an intermediate CA (PEM; its parents may follow)"},
    {"parent-key", 0, OPT_TEXT, offsetof(struct args, parent_key), "FILE|URI", "the parent's key"},
    {"parent-pin-file", 0, OPT_TEXT, offsetof(struct args, parent_pin_file), "FILE", "file with the PIN of its token"},
    OPT_JSON(struct args),
    {NULL, 0, OPT_FLAG, 0, NULL, NULL},
};

static const struct opts opts = {
    .doc = "Prepares the roll-over of a profile's CA: makes the CA and the RA that follow, like the present ones but with new keys, in new files,"
	   " and prints what to write into the profile. Nothing that exists is changed. See doc/ROLLOVER.md.",
    .table = table,
};

enum { CA, RA, RA_SIGN, PARTS };	/* the RA for both, or one that decrypts and one that signs */

/* A certificate that is to follow another. */
struct part {
	const char *section, *stem;
	const struct key_conf *present;	/* certificate NULL: there is none to follow, as there is none of the RA where the CA answers itself */
	const char *subject, *key_type;	/* asked for; NULL: as before */
	long days;			/* 0: as before */
	const char *key_where, *pin_file;	/* of a token; NULL: a new key in a file */
	struct cert *old, *new;
	struct ca_job job;
	char *cert, *key;		/* files to be */
};

/* What is being made, and all of it that has to be freed. */
struct plan {
	const struct args *args;
	const struct profile_conf *profile;
	struct ca_signer parent, next_ca;	/* who sign the next CA, the next RAs; parent empty: self-signed */
	time_t now, announce, switch_at;
	struct part parts[PARTS];
	char *chain;			/* file to be; NULL: none */
};

static void plan_init(struct plan *p, const struct args *args, const struct profile_conf *profile)
{
	*p = (struct plan){.args = args, .profile = profile, .now = time(NULL)};
	p->parts[CA] = (struct part){.section = "next_ca", .stem = "ca", .present = &profile->ca, .subject = args->subject,
	    .key_type = args->key_type, .days = args->days, .key_where = args->key, .pin_file = args->pin_file, .job = {.ca = true}};
	p->parts[RA] = (struct part){.section = "next_ra", .stem = "ra", .present = &profile->ra, .subject = args->ra_subject,
	    .days = args->ra_days, .key_where = args->ra_key, .pin_file = args->ra_pin_file};
	p->parts[RA_SIGN] = (struct part){.section = "next_ra_sign", .stem = "ra-sign", .present = &profile->ra_sign, .days = args->ra_days,
	    .key_where = args->sign_key, .pin_file = args->sign_pin_file};
}

static void plan_free(struct plan *p)
{
	ca_signer_free(&p->parent);
	ca_signer_free(&p->next_ca);
	free(p->chain);
	for (struct part *part = p->parts; part < p->parts + PARTS; part++) {
		cert_free(part->old);
		cert_free(part->new);
		free(part->cert);
		free(part->key);
	}
}

/* --- the present ones ---------------------------------------------------------------------------------------------- */

static enum err read_present(struct plan *p, struct why *why)
{
	const struct args *args = p->args;
	const char *file = p->profile->ca.certificate;
	const struct cert *ca;
	enum err err;

	if (p->profile->next.ca.certificate != NULL)
		return fail(why, ERR_CONFLICT, "profile '%s' has a next CA already: %s", p->profile->name, p->profile->next.ca.certificate);
	for (struct part *part = p->parts; part < p->parts + PARTS; part++) {
		if (part->present->certificate != NULL && (err = cert_read(part->present->certificate, &part->old, why)) != ERR_OK)
			return err;
	}
	ca = p->parts[CA].old;
	if (!ca->times_ok || ca->not_after <= p->now)
		return fail(why, ERR_CERT, "%s has ended, so that there is nothing to roll over: make a new CA with `scepter ca init`", file);
	if (args->parent_cert != NULL)
		return ca_signer_open(args->parent_cert, args->parent_key, args->parent_pin_file, &p->parent, why);
	if (!cert_is_self_signed(ca))
		return fail(why, ERR_CERT, "%s is an intermediate CA: give --parent-cert and --parent-key, which sign the next one", file);
	return ERR_OK;
}

/* Its last moment: certificates of that day still have their whole validity, and the overlap comes before the CA's end. */
static enum err choose_dates(struct plan *p, struct why *why)
{
	time_t end = p->parts[CA].old->not_after;
	long after = p->profile->validity_s > OVERLAP ? (long)p->profile->validity_s : OVERLAP;
	char text[DATE_SIZE];

	p->switch_at = p->args->switch_at;
	if (p->switch_at == 0) {
		p->switch_at = end - after;
		p->switch_at -= p->switch_at % DAY;
		if (p->switch_at < p->now + SWITCH_LEAST)
			p->switch_at = p->now + SWITCH_LEAST < end ? p->now + SWITCH_LEAST : end;
	}
	p->announce = p->args->announce;
	if (p->announce == 0)
		p->announce = p->switch_at - ANNOUNCE_BEFORE > p->now ? p->switch_at - ANNOUNCE_BEFORE : p->now;
	date_print(end, text);
	if (p->switch_at > end)
		return fail(why, ERR_CONFLICT, "the present CA ends on %s: the switch has to come before", text);
	if (p->announce > p->switch_at)
		return fail(why, ERR_CONFLICT, "devices have to be told before the switch: --announce is after --switch");
	return ERR_OK;
}

/* --- those that follow --------------------------------------------------------------------------------------------- */

/* Named by the day of the switch: there will be others after it. */
static void choose_files(struct plan *p)
{
	char *present = mem_strdup(p->profile->ca.certificate), date[DATE_SIZE];
	const char *dir = p->args->out != NULL ? p->args->out : dirname(present);

	date_print(p->switch_at, date);
	date[10] = '\0';
	for (struct part *part = p->parts; part < p->parts + PARTS; part++) {
		part->cert = mem_printf("%s/%s-%s.pem", dir, part->stem, date);
		part->key = part->key_where != NULL ? mem_strdup(part->key_where) : mem_printf("%s/%s-%s.key", dir, part->stem, date);
	}
	if (p->parent.cert != NULL)
		p->chain = mem_printf("%s/ca-%s-chain.pem", dir, date);
	free(present);
}

/* It is made long before it is needed: its validity counts from the switch. */
static void fill_job(const struct plan *p, struct part *part)
{
	struct ca_job *job = &part->job;

	ca_follow(part->old, job);
	job->subject = part->subject;
	job->key_type = part->key_type;
	job->days = (part->days != 0 ? part->days : job->days) + (p->switch_at - p->now) / DAY;
	job->cert_file = part->cert;
	job->key_where = part->key;
	job->pin_file = part->pin_file;
	job->like = profile_file_owned(part->present);
}

static void fill_jobs(struct plan *p)
{
	for (struct part *part = p->parts; part < p->parts + PARTS; part++) {
		if (part->old != NULL)
			fill_job(p, part);
	}
	p->parts[CA].job.chain_file = p->chain;
	p->parts[CA].job.by = p->parent.cert != NULL ? &p->parent : NULL;
	p->parts[CA].job.rsa_only = p->parts[RA].old == NULL;
	p->parts[RA].job.rsa_only = true;
	p->parts[RA].job.by = p->parts[RA_SIGN].job.by = &p->next_ca;
}

static enum err make(const struct plan *p, struct part *part, struct why *why)
{
	enum err err;

	if (part->job.key_type == NULL && (err = ca_key_type_of(part->old, &part->job.key_type, why)) != ERR_OK)
		return err;
	return ca_make(&part->job, p->now, &part->new, why);
}

static enum err make_each(struct plan *p, struct why *why)
{
	struct part *ca = &p->parts[CA];
	enum err err;

	if ((err = make(p, ca, why)) != ERR_OK || (p->chain != NULL && (err = ca_write_chain(&ca->job, p->args->parent_cert, why)) != ERR_OK))
		return err;
	err = ca_signer_open(ca->cert, ca->key, ca->pin_file, &p->next_ca, why);
	for (struct part *part = ca + 1; err == ERR_OK && part < p->parts + PARTS; part++) {
		if (part->old != NULL)
			err = make(p, part, why);
	}
	return err;
}

static enum err check_free(const char *file, struct why *why)
{
	if (key_is_token(file) || access(file, F_OK) != 0)
		return ERR_OK;
	return fail(why, ERR_CONFLICT, "%s exists already: choose another place with --out", file);
}

/* All of it or nothing: a CA alone would be in the way of the next try. */
static enum err make_all(struct plan *p, struct why *why)
{
	enum err err;

	for (struct part *part = p->parts; part < p->parts + PARTS; part++) {
		if (part->old != NULL && ((err = check_free(part->cert, why)) != ERR_OK || (err = check_free(part->key, why)) != ERR_OK))
			return err;
	}
	err = make_each(p, why);
	for (struct part *part = p->parts; err != ERR_OK && part < p->parts + PARTS; part++) {
		if (part->new != NULL)
			ca_unmake(&part->job);
	}
	return err;
}

/* --- what is printed ----------------------------------------------------------------------------------------------- */

static void set_date(struct buf *text, const char *section, const char *key, time_t t)
{
	char date[DATE_SIZE];

	date_print(t, date);
	edit_set(text, section, key, date);
}

static void write_settings(const struct plan *p, struct buf *out)
{
	for (const struct part *part = p->parts; part < p->parts + PARTS; part++) {
		if (part->new == NULL)
			continue;
		profile_file_set_pair(out, part->section, part->cert, part->key, part->pin_file);
		if (part > p->parts + CA)
			continue;
		profile_file_set(out, part->section, "chain", p->chain);
		set_date(out, part->section, "announce", p->announce);
		set_date(out, part->section, "switch", p->switch_at);
	}
}

static void print_plan(const struct plan *p)
{
	struct json_object *o = json_object_new_object();
	struct buf settings = {0};

	put_text(o, "profile", p->profile->name);
	put_time(o, "announce", p->announce);
	put_time(o, "switch", p->switch_at);
	put_time(o, "present_ca_ends", p->parts[CA].old->not_after);
	for (const struct part *part = p->parts; part < p->parts + PARTS; part++) {
		struct json_object *made;

		if (part->new == NULL)
			continue;
		ca_describe_made(made = json_object_new_object(), &part->job, part->new);
		json_object_object_add(o, part->section, made);
	}
	write_settings(p, &settings);
	if (p->args->json)
		json_object_object_add(o, "settings", json_object_new_string(buf_str(&settings)));	/* with its lines */
	print_object(o, p->args->json);
	if (!p->args->json) {
		printf("\n%s", buf_str(&settings));
		verb_note("\nPut these lines into %s, run `scepter check' and reload the responder; the dates do the rest.", p->profile->file);
	}
	buf_free(&settings);
}

static int roll_over(const struct args *args, const struct profile_conf *profile)
{
	struct ca_args place = {.out = args->out};
	struct plan p;
	struct why why = {0};
	enum err err;

	plan_init(&p, args, profile);
	if ((err = read_present(&p, &why)) != ERR_OK || (err = choose_dates(&p, &why)) != ERR_OK)
		goto out;
	choose_files(&p);
	fill_jobs(&p);
	if ((err = ca_places_make(&place, &why)) != ERR_OK || (err = make_all(&p, &why)) != ERR_OK)
		goto out;
	print_plan(&p);
	if (p.parts[CA].new->not_after <= p.parts[CA].old->not_after)
		verb_note("The next CA ends with its parent's, no later than the present one: renew the parent first.");
out:
	plan_free(&p);
	return err == ERR_OK ? EXIT_OK : verb_failed(&why);
}

static bool names_a_file(const char *key)
{
	return key != NULL && !key_is_token(key);
}

int ca_rollover_run(int argc, char **argv)
{
	struct args args = {0};
	const struct profile_conf *profile;
	struct conf *conf;
	int code = EXIT_CONFIG;

	opts_parse(&opts, argc, argv, &args);
	if (args.profile == NULL)
		return verb_misused("which CA? give --profile NAME");
	if ((args.parent_cert == NULL) != (args.parent_key == NULL))
		return verb_misused("--parent-cert and --parent-key go together");
	if (names_a_file(args.key) || names_a_file(args.ra_key) || names_a_file(args.sign_key))
		return verb_misused("--key, --ra-key and --ra-sign-key are pkcs11: URIs; a key in a file is made new");
	conf = load_conf(args.conf);
	profile = conf == NULL ? NULL : load_profile(conf, args.profile);
	if (profile != NULL)
		code = roll_over(&args, profile);
	conf_free(conf);
	return code;
}
