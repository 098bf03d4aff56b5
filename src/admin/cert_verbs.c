/* scepter cert list|show: what was issued. */
#include <stdlib.h>

#include "admin/describe.h"
#include "admin/load.h"
#include "admin/opts.h"
#include "admin/print.h"
#include "admin/verb.h"
#include "admin/verbs.h"
#include "base/codec.h"
#include "store/cert.h"

struct args {
	const char *conf, *conninfo, *profile, *subject, *device, *serial;
	time_t expires_before;
	long limit;
	bool json;
};

static const struct opt list_table[] = {
    OPT_CONF(struct args),
    OPT_CONNINFO(struct args),
    {"profile", 'p', OPT_TEXT, offsetof(struct args, profile), "NAME", "only this profile's"},
    {"subject", 's', OPT_TEXT, offsetof(struct args, subject), "TEXT",
	"only those with TEXT in their subject; with % and _ in it, a LIKE pattern for the whole subject"},
    {"device", 'd', OPT_TEXT, offsetof(struct args, device), "ID", "only this device's"},
    {"expires-before", 'e', OPT_TIME, offsetof(struct args, expires_before), "TIME",
	"only those that end before: 2027-01-31, 2027-01-31T12:00:00Z, or 30d for 30 days from now"},
    {"limit", 'l', OPT_COUNT, offsetof(struct args, limit), "N", "at most so many (default 100)"},
    OPT_JSON(struct args),
    {NULL, 0, OPT_FLAG, 0, NULL, NULL},
};

static const struct opts list_opts = {
    .doc = "Lists the certificates that were issued, newest first.",
    .table = list_table,
};

/* The database's hexadecimal text in the form that people compare. */
static void put_stored_fingerprint(struct json_object *o, const char *hex)
{
	struct buf octets = {0};

	if (hex == NULL || !hex_decode(&octets, hex))
		put_text(o, "sha256_fingerprint", hex);
	else
		put_fingerprint(o, "sha256_fingerprint", buf_bytes(&octets));
	buf_free(&octets);
}

static struct json_object *describe(const struct store_cert_row *row)
{
	struct json_object *o = json_object_new_object();
	time_t now = time(NULL);
	const char *state = "valid";

	if (row->revoked)
		state = "revoked";
	else if (row->not_after <= now)
		state = "expired";
	put_text(o, "serial", row->serial);
	put_text(o, "state", state);
	put_time(o, "revoked", row->revoked_at);	/* it may be to come */
	put_text(o, "revocation_reason", row->revoked_at != 0 ? crl_reason_name(row->reason) : NULL);
	put_text(o, "profile", row->profile);
	put_text(o, "subject", row->subject);
	put_text(o, "subject_alt_name", row->sans != NULL && *row->sans != '\0' ? row->sans : NULL);
	put_text(o, "device", row->device);
	put_time(o, "issued", row->issued);
	put_time(o, "not_before", row->not_before);
	put_time(o, "not_after", row->not_after);
	put_text(o, "transaction_id", row->txid);
	put_text(o, "requester", row->requester);
	put_stored_fingerprint(o, row->fingerprint);
	return o;
}

int cert_list_run(int argc, char **argv)
{
	static const char *const columns[] = {"serial", "state", "profile", "issued", "not_after", "device", "subject", NULL};
	struct args args = {.limit = 100};
	struct store_cert_filter filter;
	struct store_cert_row *list = NULL;
	struct json_object *array;
	struct store *store;
	struct why why = {0};
	size_t n = 0, i;
	enum err err;

	opts_parse(&list_opts, argc, argv, &args);
	store = load_store_of(args.conf, args.conninfo);
	if (store == NULL)
		return EXIT_CONFIG;
	filter = (struct store_cert_filter){.profile = args.profile, .subject_like = args.subject, .device = args.device,
	    .expires_before = args.expires_before, .limit = (int)args.limit};
	err = store_cert_list(store, &filter, &list, &n, &why);
	store_close(store);
	if (err != ERR_OK)
		return verb_failed(&why);
	array = json_object_new_array();
	for (i = 0; i < n; i++)
		json_object_array_add(array, describe(&list[i]));
	store_cert_list_free(list, n);
	print_table(array, columns, args.json);
	return EXIT_OK;
}

/* --- show --------------------------------------------------------------------------------------------------------- */

static const struct opt show_table[] = {
    OPT_CONF(struct args),
    OPT_CONNINFO(struct args),
    OPT_JSON(struct args),
    {"SERIAL", 0, OPT_ARG, offsetof(struct args, serial), NULL, NULL},
    {NULL, 0, OPT_FLAG, 0, NULL, NULL},
};

static const struct opts show_opts = {
    .doc = "Shows one certificate that was issued: what the database knows, what the certificate says, and its PEM. SERIAL is"
	   " hexadecimal, as in `cert list'; colons do not matter.",
    .table = show_table,
};

static void add_certificate(struct json_object *o, const struct store_cert_row *row)
{
	struct json_object *inner = json_object_new_object();
	struct cert *cert = NULL;
	struct buf pem = {0};
	struct why why = {0};

	if (cert_parse(buf_bytes(&row->der), &cert, &why) == ERR_OK) {
		describe_cert(inner, cert);
		describe_cert_uses(inner, cert);
		describe_fingerprints(inner, buf_bytes(&cert->der));
	} else {
		put_text(inner, "problem", why.text);
	}
	json_object_object_add(o, "certificate", inner);
	pem_write(&pem, "CERTIFICATE", buf_bytes(&row->der));
	json_object_object_add(o, "pem", json_object_new_string(buf_str(&pem)));
	buf_free(&pem);
	cert_free(cert);
}

int cert_show_run(int argc, char **argv)
{
	struct args args = {0};
	struct store_cert_row *row = NULL;
	struct json_object *o;
	uint8_t serial[STORE_SERIAL_SIZE];
	struct store *store;
	struct why why = {0};
	enum err err;

	opts_parse(&show_opts, argc, argv, &args);
	if (!store_parse_serial(args.serial, serial))
		return verb_misused("'%s' is not a serial number: `scepter cert list' shows them", args.serial);
	store = load_store_of(args.conf, args.conninfo);
	if (store == NULL)
		return EXIT_CONFIG;
	err = store_cert_show(store, args.serial, &row, &why);
	store_close(store);
	if (err != ERR_OK)
		return verb_failed(&why);
	o = describe(row);
	add_certificate(o, row);
	store_cert_list_free(row, 1);
	print_object(o, args.json);
	return EXIT_OK;
}
