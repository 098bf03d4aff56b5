/* scepter ca rollover: the CA and RA that follow those of a profile, in new files, and what to write into the profile. */
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <gnutls/x509.h>

#include "admin/ca_args.h"
#include "admin/ca_make.h"
#include "admin/describe.h"
#include "admin/load.h"
#include "admin/print.h"
#include "admin/verb.h"
#include "admin/verbs.h"
#include "base/mem.h"
#include "conf/date.h"

#define DAY 86400L
#define ANNOUNCE_BEFORE (90 * DAY)	/* the switch */
#define SWITCH_LEAST (7 * DAY)		/* from now */
#define RAS 2				/* one for both, or one that decrypts and one that signs */
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

struct next_ra {
	const char *present;		/* file of the one that it follows; NULL: there is none */
	const char *section, *stem;
	const char *key_where, *pin_file;	/* of a token; NULL: a new key in a file */
	struct cert *old, *new;
	char *cert, *key;		/* files to be */
};

/* What is being made, and all of it that has to be freed. */
struct plan {
	const struct args *args;
	const struct profile_conf *profile;
	struct cert *ca;		/* the present one */
	struct ca_signer parent;	/* empty: self-signed */
	time_t now, announce, switch_at;
	char *ca_cert, *ca_key, *chain;	/* files to be */
	struct cert *next_ca;
	struct next_ra ras[RAS];	/* none of them: the CA answers itself */
};

static void plan_free(struct plan *p)
{
	cert_free(p->ca);
	ca_signer_free(&p->parent);
	cert_free(p->next_ca);
	free(p->ca_cert);
	free(p->ca_key);
	free(p->chain);
	for (size_t i = 0; i < RAS; i++) {
		cert_free(p->ras[i].old);
		cert_free(p->ras[i].new);
		free(p->ras[i].cert);
		free(p->ras[i].key);
	}
}

/* --- the present ones ---------------------------------------------------------------------------------------------- */

static enum err read_present(struct plan *p, struct why *why)
{
	const struct args *args = p->args;
	enum err err;

	if (p->profile->next.ca.certificate != NULL)
		return fail(why, ERR_CONFLICT, "profile '%s' has a next CA already: %s", p->profile->name, p->profile->next.ca.certificate);
	if ((err = cert_read(p->profile->ca.certificate, &p->ca, why)) != ERR_OK)
		return err;
	for (size_t i = 0; i < RAS; i++) {
		if (p->ras[i].present != NULL && (err = cert_read(p->ras[i].present, &p->ras[i].old, why)) != ERR_OK)
			return err;
	}
	if (!p->ca->times_ok || p->ca->not_after <= p->now)
		return fail(why, ERR_CERT, "%s has ended, so that there is nothing to roll over: make a new CA with `scepter ca init`",
		    p->profile->ca.certificate);
	if (args->parent_cert != NULL)
		return ca_signer_open(args->parent_cert, args->parent_key, args->parent_pin_file, &p->parent, why);
	if (!cert_is_self_signed(p->ca))
		return fail(why, ERR_CERT, "%s is an intermediate CA: give --parent-cert and --parent-key, which sign the next one",
		    p->profile->ca.certificate);
	return ERR_OK;
}

/* Its last moment: certificates of that day still have their whole validity, and the overlap comes before the CA's end. */
static enum err choose_dates(struct plan *p, struct why *why)
{
	time_t end = p->ca->not_after;
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

/* Named by the day of the switch: there will be others after it. */
static void choose_files(struct plan *p)
{
	char *present = mem_strdup(p->profile->ca.certificate), date[DATE_SIZE];
	const char *dir = p->args->out != NULL ? p->args->out : dirname(present);

	date_print(p->switch_at, date);
	date[10] = '\0';
	p->ca_cert = mem_printf("%s/ca-%s.pem", dir, date);
	p->ca_key = p->args->key != NULL ? mem_strdup(p->args->key) : mem_printf("%s/ca-%s.key", dir, date);
	p->chain = p->parent.cert != NULL ? mem_printf("%s/ca-%s-chain.pem", dir, date) : NULL;
	for (struct next_ra *ra = p->ras; ra < p->ras + RAS; ra++) {
		ra->cert = mem_printf("%s/%s-%s.pem", dir, ra->stem, date);
		ra->key = ra->key_where != NULL ? mem_strdup(ra->key_where) : mem_printf("%s/%s-%s.key", dir, ra->stem, date);
	}
	free(present);
}

/* --- those that follow --------------------------------------------------------------------------------------------- */

/* It is made long before it is needed: its validity counts from the switch. */
static long days_of(const struct plan *p, long given, const struct cert *present)
{
	long days = (long)((present->not_after - present->not_before) / DAY);

	return (given != 0 ? given : days > 0 ? days : 1) + (p->switch_at - p->now) / DAY;
}

static void ca_job(const struct plan *p, struct ca_job *job)
{
	*job = (struct ca_job){
	    .subject = p->args->subject,
	    .subject_der = p->ca->subject,
	    .key_type = p->args->key_type,
	    .days = days_of(p, p->args->days, p->ca),
	    .cert_file = p->ca_cert,
	    .key_where = p->ca_key,
	    .pin_file = p->args->pin_file,
	    .chain_file = p->chain,
	    .by = p->parent.cert != NULL ? &p->parent : NULL,
	    .ca = true,
	    .path_len = ca_path_len(p->ca),
	    .key_usage = cert_key_usage(p->ca) & (GNUTLS_KEY_KEY_CERT_SIGN | GNUTLS_KEY_CRL_SIGN | GNUTLS_KEY_DIGITAL_SIGNATURE |
		GNUTLS_KEY_KEY_ENCIPHERMENT),
	    .rsa_only = p->ras[0].old == NULL,
	};
}

static void ra_job(const struct plan *p, const struct next_ra *ra, const struct ca_signer *by, struct ca_job *job)
{
	*job = (struct ca_job){
	    .subject = ra == p->ras ? p->args->ra_subject : NULL,
	    .subject_der = ra->old->subject,
	    .days = days_of(p, p->args->ra_days, ra->old),
	    .cert_file = ra->cert,
	    .key_where = ra->key,
	    .pin_file = ra->pin_file,
	    .by = by,
	    .path_len = -1,
	    .key_usage = cert_key_usage(ra->old) & (GNUTLS_KEY_DIGITAL_SIGNATURE | GNUTLS_KEY_KEY_ENCIPHERMENT),
	    .rsa_only = ra == p->ras,
	};
}

static enum err make_ca(struct plan *p, struct why *why)
{
	struct ca_job job;
	enum err err;

	ca_job(p, &job);
	if (job.key_type == NULL && (err = ca_key_type_of(p->ca, &job.key_type, why)) != ERR_OK)
		return err;
	if ((err = ca_make(&job, p->now, &p->next_ca, why)) != ERR_OK || p->chain == NULL)
		return err;
	return ca_write_chain(p->args->parent_cert, p->chain, false, why);
}

static enum err make_ras(struct plan *p, struct why *why)
{
	struct ca_signer by = {0};
	struct ca_job job;
	enum err err = ca_signer_open(p->ca_cert, p->ca_key, p->args->pin_file, &by, why);

	for (size_t i = 0; i < RAS && err == ERR_OK; i++) {
		if (p->ras[i].old == NULL)
			continue;
		ra_job(p, &p->ras[i], &by, &job);
		if ((err = ca_key_type_of(p->ras[i].old, &job.key_type, why)) == ERR_OK)
			err = ca_make(&job, p->now, &p->ras[i].new, why);
	}
	ca_signer_free(&by);
	return err;
}

static enum err check_free(const char *file, struct why *why)
{
	if (file == NULL || key_is_token(file) || access(file, F_OK) != 0)
		return ERR_OK;
	return fail(why, ERR_CONFLICT, "%s exists already: choose another place with --out", file);
}

static void remove_made(const char *cert, const char *key)
{
	unlink(cert);
	if (!key_is_token(key))
		unlink(key);
}

/* All of it or nothing: a CA alone would be in the way of the next try. */
static enum err make_all(struct plan *p, struct why *why)
{
	enum err err;

	for (size_t i = 0; i < RAS; i++) {
		if (p->ras[i].old != NULL &&
		    ((err = check_free(p->ras[i].cert, why)) != ERR_OK || (err = check_free(p->ras[i].key, why)) != ERR_OK))
			return err;
	}
	if ((err = make_ca(p, why)) == ERR_OK)
		err = make_ras(p, why);
	if (err == ERR_OK || p->next_ca == NULL)
		return err;
	remove_made(p->ca_cert, p->ca_key);
	if (p->chain != NULL)
		unlink(p->chain);
	for (size_t i = 0; i < RAS; i++) {
		if (p->ras[i].new != NULL)
			remove_made(p->ras[i].cert, p->ras[i].key);
	}
	return err;
}

/* --- what is printed ----------------------------------------------------------------------------------------------- */

static void setting(struct buf *out, const char *key, const char *value)
{
	if (value != NULL)	/* a URI holds ';' */
		buf_printf(out, key_is_token(value) ? "%s = \"%s\"\n" : "%s = %s\n", key, value);
}

/* The files as other folders see them. */
static void file_setting(struct buf *out, const char *key, const char *file)
{
	char *whole = file == NULL || key_is_token(file) ? NULL : realpath(file, NULL);

	setting(out, key, whole != NULL ? whole : file);
	free(whole);
}

static void write_settings(const struct plan *p, struct buf *out)
{
	char date[DATE_SIZE];

	buf_add_str(out, "[next_ca]\n");
	file_setting(out, "certificate", p->ca_cert);
	file_setting(out, "key", p->ca_key);
	file_setting(out, "pin_file", p->args->pin_file);
	file_setting(out, "chain", p->chain);
	date_print(p->announce, date);
	setting(out, "announce", date);
	date_print(p->switch_at, date);
	setting(out, "switch", date);
	for (const struct next_ra *ra = p->ras; ra < p->ras + RAS; ra++) {
		if (ra->new == NULL)
			continue;
		buf_printf(out, "\n[%s]\n", ra->section);
		file_setting(out, "certificate", ra->cert);
		file_setting(out, "key", ra->key);
		file_setting(out, "pin_file", ra->pin_file);
	}
}

static void print_plan(const struct plan *p)
{
	struct json_object *o = json_object_new_object(), *part = json_object_new_object();
	struct ca_job job;
	struct buf settings = {0};

	put_text(o, "profile", p->profile->name);
	put_time(o, "announce", p->announce);
	put_time(o, "switch", p->switch_at);
	put_time(o, "present_ca_ends", p->ca->not_after);
	ca_job(p, &job);
	ca_describe_made(part, &job, p->next_ca);
	json_object_object_add(o, "next_ca", part);
	for (const struct next_ra *ra = p->ras; ra < p->ras + RAS; ra++) {
		if (ra->new == NULL)
			continue;
		ra_job(p, ra, NULL, &job);
		ca_describe_made(part = json_object_new_object(), &job, ra->new);
		json_object_object_add(o, ra->section, part);
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
	struct plan p = {.args = args, .profile = profile, .now = time(NULL),
	    .ras = {
		{.present = profile->ra.certificate, .section = "next_ra", .stem = "ra", .key_where = args->ra_key, .pin_file = args->ra_pin_file},
		{.present = profile->ra_sign.certificate, .section = "next_ra_sign", .stem = "ra-sign", .key_where = args->sign_key,
		    .pin_file = args->sign_pin_file},
	    }};
	struct ca_args place = {.out = args->out};
	struct why why = {0};
	enum err err;

	if ((err = read_present(&p, &why)) != ERR_OK || (err = choose_dates(&p, &why)) != ERR_OK)
		goto out;
	choose_files(&p);
	if ((err = ca_places_make(&place, &why)) != ERR_OK || (err = make_all(&p, &why)) != ERR_OK)
		goto out;
	print_plan(&p);
	if (p.next_ca->not_after <= p.ca->not_after)
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
