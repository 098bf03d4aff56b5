/* JSON from outside, read strictly (RFC 8259): by json-c, and nothing is accepted that two readers could take for different things. */
#ifndef AUTH_JSON_H
#define AUTH_JSON_H

#include <json-c/json.h>

#include "base/buf.h"
#include "base/err.h"

#define JSON_TEXT_MAX ((size_t)64 << 10)	/* octets */
#define JSON_DEPTH_MAX 8

/*
 * Reads one object and nothing after it: UTF-8, quoted as the RFC has it, no member twice at any depth, no NaN, no control characters, no NUL.
 * Ends with json_object_put. Error: `err` with a sentence that begins with `what` and quotes nothing of the text.
 */
enum err json_read(struct bytes text, const char *what, enum err err, struct json_object **out, struct why *why);

#endif
