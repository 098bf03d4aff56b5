/*
 * Results on standard output. A verb builds what it found as JSON; --json prints that, and the text for humans is made from
 * the same object, so that the two cannot tell different things.
 */
#ifndef ADMIN_PRINT_H
#define ADMIN_PRINT_H

#include <stdbool.h>
#include <time.h>

#include <json-c/json_object.h>

#include "base/buf.h"

/*
 * Prints an object and frees it. As text: one aligned "Label:  value" line for each member (label: the key with blanks for
 * underscores), nested objects indented; members that are null, and the member "pem", which follows as it is.
 */
void print_object(struct json_object *o, bool json);

/* Prints an object or array as JSON and frees it. */
void print_json(struct json_object *o);

/* Prints an array of flat objects and frees it. As text: a table of the members named in `columns` (NULL-terminated). */
void print_table(struct json_object *array, const char *const columns[], bool json);

/* Members. Text is made printable (control characters become '?'); NULL gives null. */
void put_text(struct json_object *o, const char *key, const char *text);
void put_bytes(struct json_object *o, const char *key, struct bytes text);	/* of unknown origin: escaped */
void put_int(struct json_object *o, const char *key, long n);
void put_bool(struct json_object *o, const char *key, bool v);
void put_time(struct json_object *o, const char *key, time_t t);	/* ISO 8601, UTC; 0 gives null */
void put_hex(struct json_object *o, const char *key, struct bytes octets);	/* lower case, no separators */
void put_fingerprint(struct json_object *o, const char *key, struct bytes octets);	/* upper case, colons */

/* The process's standard output has reached its file: call before exit. False (and said on stderr) when it has not. */
bool print_finish(void);

#endif
