/* A one-time challenge as the command line and scep-admin.fcgi print it. */
#ifndef API_CHALLENGE_JSON_H
#define API_CHALLENGE_JSON_H

#include <time.h>

#include "api/json.h"
#include "store/challenge.h"

/* Everything but the secret, which nobody has; the caller frees. */
struct json_object *challenge_json(const struct store_challenge *c, time_t now);

#endif
