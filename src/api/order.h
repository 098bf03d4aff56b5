/* The body of POST .../challenges: which challenge is wanted. */
#ifndef API_ORDER_H
#define API_ORDER_H

#include <time.h>

#include "store/challenge.h"

/*
 * Reads {"profile": "default", "subject": "CN=a", "sans": ["dns:a.example"], "device": "d", "expires_in": 3600 or "1h", "expires":
 * "2027-01-31T12:00:00Z", "uses": 1, "values": {"owner": "Alice"}}, all of which may be left out; a member that is not known is an error.
 * `out` ends with onetime_free. Errors: INPUT, SUBJECT.
 */
enum err order_read(struct bytes body, time_t now, struct store_challenge *out, struct why *why);

#endif
