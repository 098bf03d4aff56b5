/* scepter ca issue-ra: the certificate with which the responder opens envelopes and signs answers. */
#include <stdlib.h>
#include <string.h>

#include <gnutls/x509.h>

#include "admin/ca_args.h"
#include "admin/ca_make.h"
#include "admin/load.h"
#include "admin/profile_file.h"
#include "admin/verb.h"
#include "admin/verbs.h"

struct args {
	struct ca_args make;
	const char *conf, *profile;
	const char *ca_cert, *ca_key, *ca_pin_file, *usage;
	const char *like;	/* the files are for its owner */
};

static const struct opt table[] = {
    OPT_CA_ARGS(struct args),
    OPT_CONF(struct args),
    {"profile", 'p', OPT_TEXT, offsetof(struct args, profile), "NAME",
	"take the CA from this profile's [ca] section, and write to the places of its [ra] or [ra_sign] section"},
    {"for", 'F', OPT_TEXT, offsetof(struct args, usage), "USE",
	"both (default): one RA that decrypts and signs; encrypt, sign: one of a pair, for [ra] and [ra_sign]"},
    {"key-type", 't', OPT_TEXT, offsetof(struct args, make.key_type), "TYPE", "rsa:2048 (default), rsa:3072 or rsa:4096; one that only signs may be ec:p256, ec:p384, ec:p521 or ed25519, too"},
    {"ca-cert", 0, OPT_TEXT, offsetof(struct args, ca_cert), "FILE", "the issuing CA's certificate"},
    {"ca-key", 0, OPT_TEXT, offsetof(struct args, ca_key), "FILE|URI", "its key"},
    {"ca-pin-file", 0, OPT_TEXT, offsetof(struct args, ca_pin_file), "FILE", "file with the PIN of its token"},
    {NULL, 0, OPT_FLAG, 0, NULL, NULL},
};

static const struct opts opts = {
    .doc = "Makes an RA: an RSA key and a certificate for digitalSignature and keyEncipherment, issued by the CA of a profile, or by"
	   " --ca-cert and --ca-key. Prints what it made. The files in DIR are ra.pem and ra.key (mode 0600), with --for sign ra-sign.pem and"
	   " ra-sign.key.",
    .table = table,
};

/* One RA certificate for both, or one for each (P-38). */
static const struct usage {
	const char *name, *stem, *subject;
	unsigned key_usage;
} usages[] = {
    {"both", "ra", "CN=SCEP RA", GNUTLS_KEY_DIGITAL_SIGNATURE | GNUTLS_KEY_KEY_ENCIPHERMENT},
    {"encrypt", "ra", "CN=SCEP RA Encryption", GNUTLS_KEY_KEY_ENCIPHERMENT},
    {"sign", "ra-sign", "CN=SCEP RA Signing", GNUTLS_KEY_DIGITAL_SIGNATURE},
};

/* NULL: there is none of that name. */
static const struct usage *find_usage(const char *name)
{
	for (size_t i = 0; i < sizeof(usages) / sizeof(usages[0]); i++) {
		if (strcmp(usages[i].name, name) == 0)
			return &usages[i];
	}
	return NULL;
}

static bool decrypts(const struct usage *usage)
{
	return (usage->key_usage & GNUTLS_KEY_KEY_ENCIPHERMENT) != 0;
}

/* What the options leave open comes from the profile. */
static void fill_from_profile(struct args *args, const struct usage *usage, const struct profile_conf *profile)
{
	const struct key_conf *ra = decrypts(usage) ? &profile->ra : &profile->ra_sign;

	if (args->ca_cert == NULL) {
		args->ca_cert = profile->ca.certificate;
		args->ca_key = profile->ca.key;
		args->ca_pin_file = profile->ca.pin_file;
		args->like = profile_file_owned(&profile->ca);
	}
	if (args->make.out != NULL)
		return;
	if (args->make.cert == NULL)
		args->make.cert = ra->certificate;
	if (args->make.key == NULL) {
		args->make.key = ra->key;
		args->make.pin_file = ra->pin_file;
	}
}

static enum err make(const struct args *args, const struct usage *usage, const struct ca_places *places, const struct ca_signer *ca, struct why *why)
{
	struct ca_job job = {
	    .subject = args->make.subject != NULL ? args->make.subject : usage->subject,
	    .key_type = args->make.key_type,
	    .days = args->make.days,
	    .replace = args->make.force,
	    .cert_file = places->cert,
	    .key_where = places->key,
	    .pin_file = args->make.pin_file,
	    .like = args->like,
	    .by = ca,
	    .path_len = -1,
	    .key_usage = usage->key_usage,
	    .rsa_only = decrypts(usage),
	};
	struct cert *cert = NULL;
	enum err err;

	if ((err = ca_places_make(&args->make, why)) != ERR_OK)
		return err;
	if ((err = ca_make(&job, time(NULL), &cert, why)) != ERR_OK)
		return err;
	ca_print_made(&job, cert, args->make.json);
	cert_free(cert);
	return ERR_OK;
}

static int issue(const struct args *args, const struct usage *usage)
{
	struct ca_signer ca = {0};
	struct ca_places places = {0};
	struct why why = {0};
	enum err err;

	if (args->ca_cert == NULL || args->ca_key == NULL)
		return verb_misused("which CA? give --profile NAME, or both --ca-cert and --ca-key");
	if (!ca_places_find(&args->make, usage->stem, &places))
		return EXIT_USAGE;
	err = ca_signer_open(args->ca_cert, args->ca_key, args->ca_pin_file, &ca, &why);
	if (err == ERR_OK)
		err = make(args, usage, &places, &ca, &why);
	ca_signer_free(&ca);
	ca_places_free(&places);
	return err == ERR_OK ? EXIT_OK : verb_failed(&why);
}

int ca_issue_ra_run(int argc, char **argv)
{
	struct args args = {.make = {.key_type = "rsa:2048", .days = 1095}, .usage = "both"};
	const struct usage *usage;
	const struct profile_conf *profile;
	struct conf *conf = NULL;
	int code = EXIT_CONFIG;

	opts_parse(&opts, argc, argv, &args);
	usage = find_usage(args.usage);
	if (usage == NULL)
		return verb_misused("--for: both, encrypt or sign, not '%s'", args.usage);
	if ((args.ca_cert == NULL) != (args.ca_key == NULL))
		return verb_misused("--ca-cert and --ca-key go together");
	if (args.profile != NULL) {
		conf = load_conf(args.conf);
		profile = conf == NULL ? NULL : load_profile(conf, args.profile);
		if (profile == NULL)
			goto out;
		fill_from_profile(&args, usage, profile);
	}
	code = issue(&args, usage);
out:
	conf_free(conf);
	return code;
}
