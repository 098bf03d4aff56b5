/* The claims of a signed challenge: its payload as plain data. */
#ifndef AUTH_CLAIMS_H
#define AUTH_CLAIMS_H

#include "auth/json.h"

#define CLAIM_TEXT_MAX 1024	/* octets of one text; what VALUE_TEXT_MAX can take on */
#define CLAIM_NAMES_MAX 24	/* names of one kind */

struct claim_names {
	struct bytes list[CLAIM_NAMES_MAX];	/* without blanks around them */
	size_t n;
};

/* Views into `root`. A text that is missing, null or empty has n == 0; a time that is missing or null is CLAIM_NO_TIME. */
struct claims {
	struct json_object *root;
	struct bytes iss, sub, aud, nonce, device_name;
	int64_t iat, exp;	/* seconds since 1970 */
	struct claim_names dns, rfc822, upn;
};

#define CLAIM_NO_TIME INT64_C(-1)

/*
 * Reads a payload whose signature was found right. Claims that are not known are ignored. Errors: SIGNED_FORM (not JSON, a claim of the wrong
 * type, control characters in it, too long, too many), SIGNED_VERSION.
 */
enum err claims_read(struct bytes payload, struct claims *out, struct why *why);
void claims_free(struct claims *c);

/* Without blanks at its ends. */
struct bytes claim_trim(struct bytes text);

#endif
