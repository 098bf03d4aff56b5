/* scepter cert revoke: for good, and on the next CRL. */
#include <stdlib.h>

#include "admin/load.h"
#include "admin/opts.h"
#include "admin/print.h"
#include "admin/verb.h"
#include "admin/verbs.h"
#include "pki/crl.h"
#include "store/cert.h"
#include "store/revoke.h"

struct args {
	const char *conf, *conninfo, *serial, *reason, *invalid_since;
	bool json;
};

static const struct opt table[] = {
    OPT_CONF(struct args),
    OPT_CONNINFO(struct args),
    {"reason", 'r', OPT_TEXT, offsetof(struct args, reason), "REASON",
	"unspecified (default), keyCompromise, cACompromise, affiliationChanged, superseded, cessationOfOperation, privilegeWithdrawn or"
	" aACompromise"},
    {"invalid-since", 'i', OPT_TEXT, offsetof(struct args, invalid_since), "TIME",
	"when the key is known or thought to have been compromised: 2026-01-31 or 2026-01-31T12:00:00Z"},
    OPT_JSON(struct args),
    {"SERIAL", 0, OPT_ARG, offsetof(struct args, serial), NULL, NULL},
    {NULL, 0, OPT_FLAG, 0, NULL, NULL},
};

static const struct opts opts = {
    .doc = "Revokes a certificate from now on and for good; the responder puts it on the next CRL, within seconds. SERIAL is hexadecimal, as in"
	   " `cert list'; colons do not matter.",
    .table = table,
};

/* A date, or date and time in UTC, that has passed. */
static bool past_time(const char *text, time_t *out)
{
	static const char *const forms[] = {"%Y-%m-%d", "%Y-%m-%dT%H:%M:%SZ"};

	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		struct tm tm = {0};
		const char *end = strptime(text, forms[i], &tm);

		if (end != NULL && *end == '\0') {
			*out = timegm(&tm);
			return *out > 0 && *out <= time(NULL);
		}
	}
	return false;
}

static int report(const struct args *args, const struct store_revoked *done)
{
	struct json_object *o = json_object_new_object();

	put_text(o, "serial", args->serial);
	put_text(o, "result", done->before ? "was revoked already" : "revoked");
	put_time(o, "revoked", done->at);
	put_text(o, "reason", crl_reason_name(done->reason));
	print_object(o, args->json);
	return done->before ? EXIT_FAILED : EXIT_OK;
}

int cert_revoke_run(int argc, char **argv)
{
	struct args args = {.reason = "unspecified"};
	struct store_revocation r = {0};
	struct store_revoked done;
	uint8_t serial[STORE_SERIAL_SIZE];
	struct store *store;
	struct why why = {0};
	char *actor;
	enum err err;

	opts_parse(&opts, argc, argv, &args);
	if (!store_parse_serial(args.serial, serial))
		return verb_misused("'%s' is not a serial number: `scepter cert list' shows them", args.serial);
	r.reason = crl_reason_by_name(args.reason);
	if (r.reason < 0)
		return verb_misused("'%s' is not a reason; one of %s is", args.reason, crl_reason_names());
	if (args.invalid_since != NULL && !past_time(args.invalid_since, &r.invalid_since))
		return verb_misused("'%s' is not a time that has passed, such as 2026-01-31 or 2026-01-31T12:00:00Z", args.invalid_since);
	store = load_store_of(args.conf, args.conninfo);
	if (store == NULL)
		return EXIT_CONFIG;
	actor = load_actor();
	r.serial = args.serial;
	r.reason_name = crl_reason_name(r.reason);
	r.actor = actor;
	err = store_revoke(store, &r, &done, &why);
	store_close(store);
	free(actor);
	return err == ERR_OK ? report(&args, &done) : verb_failed(&why);
}
