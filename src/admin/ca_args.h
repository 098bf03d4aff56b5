/* The options that `ca init` and `ca issue-ra` share. */
#ifndef ADMIN_CA_ARGS_H
#define ADMIN_CA_ARGS_H

#include <stdbool.h>

#include "admin/opts.h"
#include "base/err.h"

struct ca_args {
	const char *subject, *key_type;
	long days;
	const char *out, *cert, *key, *pin_file;
	bool force, json;
};

#define OPT_CA_ARGS(type) \
	{"subject", 's', OPT_TEXT, offsetof(type, make.subject), "DN", "subject of the certificate, e.g. 'CN=Demo CA,O=Example'"}, \
	{"days", 'd', OPT_COUNT, offsetof(type, make.days), "N", "days of validity; never beyond the issuer's end"}, \
	{"out", 'o', OPT_TEXT, offsetof(type, make.out), "DIR", "folder for the files; made when missing"}, \
	{"cert", 0, OPT_TEXT, offsetof(type, make.cert), "FILE", "certificate file to write, instead of one in DIR"}, \
	{"key", 0, OPT_TEXT, offsetof(type, make.key), "FILE|URI", \
	    "key file to write, instead of one in DIR, or the pkcs11: URI of a key that exists"}, \
	{"pin-file", 0, OPT_TEXT, offsetof(type, make.pin_file), "FILE", "file (0600) with the PIN of the key's token"}, \
	{"force", 'f', OPT_FLAG, offsetof(type, make.force), NULL, "replace files that exist"}, \
	OPT_JSON_AT(type, make.json)

/* Where certificate and key go; owned strings. */
struct ca_places {
	char *cert, *key;
};

/* From --out, --cert and --key; `stem` ("ca", "ra") names the files in the folder. False, and said, when a place is missing. */
bool ca_places_find(const struct ca_args *args, const char *stem, struct ca_places *out);
/* Makes the folder of --out. Error: FILE. */
enum err ca_places_make(const struct ca_args *args, struct why *why);
void ca_places_free(struct ca_places *p);

#endif
