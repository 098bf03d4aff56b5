/* scepter show: any file that SCEP knows, through the responder's own parsers. */
#include "admin/show.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "admin/enroll_files.h"
#include "admin/load.h"
#include "admin/opts.h"
#include "admin/print.h"
#include "admin/verb.h"
#include "admin/verbs.h"
#include "base/codec.h"
#include "base/file.h"

#define DEFAULT_MIN_RSA 2048	/* what [enrol] min_rsa_bits and max_rsa_bits default to */
#define DEFAULT_MAX_RSA 8192
#define SHOW_MAX 64		/* PEM blocks of one file */

struct args {
	const char *conf, *profile, *cert, *key, *pin_file, *challenge_file, *file;
	bool show_secrets, json;
};

static const struct opt table[] = {
    OPT_CONF(struct args),
    {"profile", 'p', OPT_TEXT, offsetof(struct args, profile), "NAME", "open envelopes and judge requests as this profile does"},
    {"cert", 0, OPT_TEXT, offsetof(struct args, cert), "FILE", "certificate of the one that an envelope is for"},
    {"key", 0, OPT_TEXT, offsetof(struct args, key), "FILE|URI", "its key"},
    {"pin-file", 0, OPT_TEXT, offsetof(struct args, pin_file), "FILE", "file with the PIN of the key's token"},
    {"challenge-file", 0, OPT_TEXT, offsetof(struct args, challenge_file), "FILE",
	"the challenge in FILE's first line opens answers to keys that cannot decrypt (EC, Ed25519)"},
    {"show-secrets", 0, OPT_FLAG, offsetof(struct args, show_secrets), NULL, "print challenge passwords in clear"},
    OPT_JSON(struct args),
    {"FILE", 0, OPT_ARG, offsetof(struct args, file), NULL, NULL},
    {NULL, 0, OPT_FLAG, 0, NULL, NULL},
};

static const struct opts opts = {
    .doc = "Prints a SCEP message, certification request, certificate, CRL or certs-only file (DER, BER, PEM or base64; - is standard input): what it"
	   " is, what is wrong with it, and what the responder would answer. Requests are judged by the profile's rules, or by default ones."
	   " The exit status is 1 when something is wrong with it.",
    .table = table,
};

/* --- who may open it ---------------------------------------------------------------------------------------------- */

/* All that is opened for one run. */
struct known {
	struct conf *conf;
	struct profile *profile;
	struct cert *cert;
	struct key *key;
};

static void known_free(struct known *k)
{
	profile_free(k->profile);
	conf_free(k->conf);
	cert_free(k->cert);
	key_free(k->key);
}

static int use_profile(const struct args *args, struct known *known, struct show *show)
{
	const struct profile_conf *conf;
	struct problems problems = {0};
	struct why why = {0};
	struct profile *p;

	known->conf = load_conf(args->conf);
	conf = known->conf == NULL ? NULL : load_profile(known->conf, args->profile);
	if (conf == NULL)
		return EXIT_CONFIG;
	p = known->profile = profile_load(conf, time(NULL), NULL, &problems);
	if (p == NULL)
		load_print_problems(&problems);
	problems_free(&problems);
	if (p == NULL)
		return EXIT_CONFIG;
	if (profile_open_keys(p, &why) != ERR_OK)
		return verb_failed(&why);
	show->profile = p;
	show->algs = p->algs;
	show->limits = p->limits;
	show->n_to = rollover_recipients(p, time(NULL), show->to);
	return EXIT_OK;
}

static int use_key(const struct args *args, struct known *known, struct show *show)
{
	struct why why = {0};

	if (cert_read(args->cert, &known->cert, &why) != ERR_OK || key_open(args->key, args->pin_file, &known->key, &why) != ERR_OK)
		return verb_failed(&why);
	if (!bytes_eq(key_spki(known->key), known->cert->spki)) {
		fail(&why, ERR_KEY, "%s is not the key of %s: give the two that belong together", args->key, args->cert);
		return verb_failed(&why);
	}
	show->to[show->n_to++] = (struct scep_recipient){.cert = known->cert, .key = known->key};
	return EXIT_OK;
}

/* --- the file ----------------------------------------------------------------------------------------------------- */

static void add_item(struct show *show, struct json_object *list, struct bytes der)
{
	struct json_object *o = json_object_new_object();

	show_item(show, der, o);
	json_object_array_add(list, o);
}

/* Private keys are not for showing, in no form. */
static void add_pem(struct show *show, struct json_object *list, struct bytes text)
{
	static const char *const shown[] = {"CERTIFICATE", "X509 CERTIFICATE", "CERTIFICATE REQUEST", "NEW CERTIFICATE REQUEST",
	    "PKCS7", "PKCS #7 SIGNED DATA", "CMS", "X509 CRL", NULL};
	static const char *const secret[] = {"PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY", "ENCRYPTED PRIVATE KEY", NULL};
	struct bytes rest = text;
	struct buf der = {0};
	size_t n = 0;

	while (n++ < SHOW_MAX && pem_next(&rest, shown, &der, NULL)) {
		add_item(show, list, buf_bytes(&der));
		buf_free(&der);
	}
	rest = text;
	if (pem_next(&rest, secret, &der, NULL))
		verb_note("The file holds a private key, which is not shown.");
	buf_wipe(&der);
}

static void add_all(struct show *show, struct json_object *list, struct bytes content)
{
	struct buf der = {0};

	if (content.n > 0 && content.p[0] != 0x30 && memmem(content.p, content.n, "-----BEGIN ", 11) != NULL)
		add_pem(show, list, content);
	if (json_object_array_length(list) == 0 && content.n > 0 && content.p[0] != 0x30 && base64_decode_scep(&der, content))
		add_item(show, list, buf_bytes(&der));
	if (json_object_array_length(list) == 0)
		add_item(show, list, content);
	buf_free(&der);
}

static void print_all(struct json_object *list, bool json)
{
	size_t i, n = json_object_array_length(list);

	if (json) {
		print_json(list);
		return;
	}
	for (i = 0; i < n; i++) {
		if (i > 0)
			putchar('\n');
		print_object(json_object_get(json_object_array_get_idx(list, i)), false);
	}
	json_object_put(list);
}

static int show_file(const struct args *args, struct show *show)
{
	struct json_object *list;
	struct buf content = {0};
	struct why why = {0};

	if (file_read(args->file, &content, &why) != ERR_OK)
		return verb_failed(&why);
	list = json_object_new_array();
	add_all(show, list, buf_bytes(&content));
	buf_wipe(&content);
	print_all(list, args->json);
	return show->n_problems == 0 ? EXIT_OK : EXIT_FAILED;
}

int show_run(int argc, char **argv)
{
	struct show show = {.limits = {.min_rsa = DEFAULT_MIN_RSA, .max_rsa = DEFAULT_MAX_RSA}, .algs = alg_set_make(0, 0)};
	struct known known = {0};
	struct args args = {0};
	struct buf challenge = {0};
	struct why why = {0};
	int code = EXIT_OK;

	opts_parse(&opts, argc, argv, &args);
	if ((args.cert == NULL) != (args.key == NULL))
		return verb_misused("--cert and --key go together");
	show.secrets = args.show_secrets;
	if (args.profile != NULL)
		code = use_profile(&args, &known, &show);
	if (code == EXIT_OK && args.cert != NULL)
		code = use_key(&args, &known, &show);
	if (code == EXIT_OK && enroll_challenge(NULL, args.challenge_file, &challenge, &why) != ERR_OK)
		code = verb_failed(&why);
	show.password = buf_bytes(&challenge);
	if (code == EXIT_OK)
		code = show_file(&args, &show);
	buf_wipe(&challenge);
	known_free(&known);
	return code;
}
