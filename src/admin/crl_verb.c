/* scepter crl: the CRL that the responder published, or a new one. */
#include <stdlib.h>

#include "admin/describe.h"
#include "admin/load.h"
#include "admin/opts.h"
#include "admin/print.h"
#include "admin/verb.h"
#include "admin/verbs.h"
#include "base/codec.h"
#include "base/file.h"
#include "ca/crl.h"
#include "store/crl.h"

struct args {
	const char *conf, *conninfo, *profile, *out;
	bool pem, sign, json;
};

static const struct opt table[] = {
    OPT_CONF(struct args),
    OPT_CONNINFO(struct args),
    {"profile", 'p', OPT_TEXT, offsetof(struct args, profile), "NAME", "of this profile's CA (default: default)"},
    {"out", 'o', OPT_TEXT, offsetof(struct args, out), "FILE", "write it there, DER; what was there is replaced"},
    {"pem", 0, OPT_FLAG, offsetof(struct args, pem), NULL, "write PEM; without --out on standard output"},
    {"sign", 0, OPT_FLAG, offsetof(struct args, sign), NULL, "sign and publish a new one first, with the profile's key"},
    OPT_JSON(struct args),
    {NULL, 0, OPT_FLAG, 0, NULL, NULL},
};

static const struct opts opts = {
    .doc = "Shows or writes the CRL that was published last. The responder signs a new one by itself when it is needed; --sign is for"
	   " places without one, needs the CA's key, and the database role of the responder.",
    .table = table,
};

static enum err sign_now(struct profile *p, struct store *store, struct why *why)
{
	long made;
	enum err err;

	if (!ca_crl_enabled(p))
		return fail(why, ERR_CONFIG, "the profile's CA has no CRL: 'enabled' in [crl], or cRLSign in its certificate, is missing");
	if ((err = profile_open_keys(p, why)) == ERR_OK)
		err = ca_crl_make(p, store, &made, why);
	if (err == ERR_OK)
		verb_note("CRL %ld was signed and published", made);
	return err;
}

static enum err last_one(const struct profile *p, struct store *store, struct crl **out, struct why *why)
{
	struct store_crl state = {0};
	enum err err = store_crl_check(store, ca_crl_authority(p->crl), 0, &state, why);

	if (err == ERR_NOT_FOUND || (err == ERR_OK && state.number == 0))
		err = fail(why, ERR_NOT_FOUND, "there is no CRL of this CA yet: the responder signs one when it runs; or use --sign");
	if (err == ERR_OK)
		err = crl_parse(buf_bytes(&state.der), out, why);
	if (err == ERR_OK)
		err = crl_verify_by(*out, p->ca_cert, why);
	buf_free(&state.der);
	return err;
}

/* To the file, or as PEM to standard output; otherwise what it says. */
static enum err hand_out(const struct args *args, const struct crl *crl, struct why *why)
{
	struct buf pem = {0};
	enum err err = ERR_OK;

	if (args->pem)
		pem_write(&pem, "X509 CRL", buf_bytes(&crl->der));
	if (args->out != NULL) {
		err = file_write(args->out, args->pem ? buf_bytes(&pem) : buf_bytes(&crl->der), 0644, true, why);
	} else if (args->pem) {
		fputs(buf_str(&pem), stdout);
	} else {
		struct json_object *o = json_object_new_object();

		describe_crl(o, crl, true);
		print_object(o, args->json);
	}
	buf_free(&pem);
	return err;
}

static struct profile *load(const struct conf *conf, const char *name)
{
	const struct profile_conf *pc = load_profile(conf, name);
	struct problems problems = {0};
	struct profile *p = pc == NULL ? NULL : profile_load(pc, time(NULL), NULL, &problems);

	if (pc != NULL && p == NULL)
		load_print_problems(&problems);
	problems_free(&problems);
	return p;
}

int crl_run(int argc, char **argv)
{
	struct args args = {.profile = "default"};
	struct profile *p = NULL;
	struct store *store = NULL;
	struct crl *crl = NULL;
	struct conf *conf;
	struct why why = {0};
	enum err err;

	opts_parse(&opts, argc, argv, &args);
	conf = load_conf(args.conf);
	if (conf != NULL && (p = load(conf, args.profile)) != NULL)
		store = load_store(conf, args.conninfo);
	if (store == NULL) {
		profile_free(p);
		conf_free(conf);
		return EXIT_CONFIG;
	}
	err = args.sign ? sign_now(p, store, &why) : ERR_OK;
	if (err == ERR_OK && (err = last_one(p, store, &crl, &why)) == ERR_OK)
		err = hand_out(&args, crl, &why);
	crl_free(crl);
	store_close(store);
	profile_free(p);
	conf_free(conf);
	return err == ERR_OK ? EXIT_OK : verb_failed(&why);
}
