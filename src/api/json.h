/* Members of JSON objects, read and written; auth/json.h reads whole texts. */
#ifndef API_JSON_H
#define API_JSON_H

#include <stdbool.h>
#include <time.h>

#include <json-c/json_object.h>

#include "base/buf.h"

/* The text of a string, as long as `value` lives; NULL when it is none, or holds a NUL. */
const char *json_text(struct json_object *value);

/* Adds members. Text is made printable (control characters become '?'); NULL gives null. */
void put_text(struct json_object *o, const char *key, const char *text);
void put_bytes(struct json_object *o, const char *key, struct bytes text);	/* of unknown origin: escaped */
void put_sentence(struct json_object *o, const char *key, const char *text);	/* of ours, with quotes: what it quotes may be cut in a character */
void put_int(struct json_object *o, const char *key, long n);
void put_bool(struct json_object *o, const char *key, bool v);
void put_time(struct json_object *o, const char *key, time_t t);	/* ISO 8601, UTC; 0 gives null */
void put_hex(struct json_object *o, const char *key, struct bytes octets);	/* lower case, no separators */
void put_fingerprint(struct json_object *o, const char *key, struct bytes octets);	/* upper case, colons */
void put_texts(struct json_object *o, const char *key, char *const *list);	/* NULL-terminated; NULL gives null */

#endif
