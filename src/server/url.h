/* What a SCEP client's URL says (RFC 8894, 4.1), in all the spellings that clients have for it. */
#ifndef SERVER_URL_H
#define SERVER_URL_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"

/* Is the path base_path itself, or below it? */
bool url_is_below(const char *base_path, const char *path);

/*
 * The profile that a path names: base_path itself is "default", base_path/NAME is NAME, each also with /pkiclient.exe or slashes
 * after it. `name` is a view into `path`, or static. False when the path is none of ours.
 */
bool url_profile_name(const char *base_path, const char *path, struct bytes *name);

/*
 * The profile's name in the address of a CRL, "/scep/NAME/crl"; "/scep/crl" is default's. `ca`: what follows it, "/scep/NAME/crl/KEYID", which
 * names one CA of several; n == 0: nothing does. False: it is no such address.
 */
bool url_crl_name(const char *base_path, const char *path, struct bytes *name, struct bytes *ca);

/*
 * The message of a PKIOperation by GET, from the raw query string: standard base64 (P-14), and with `mangled` what has become of it on the
 * way (P-15). Error: ENCODING.
 */
enum err url_message(struct bytes query, bool mangled, struct buf *out, struct why *why);

/*
 * Does the query's `message` name one of the CA identifiers, a NULL-terminated list, or none at all? list NULL: every name will do (P-17).
 * In the list, too, %20 is a blank.
 */
bool url_names_ca(struct bytes query, char *const *list);

#endif
