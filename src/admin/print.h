/*
 * Results on standard output. A verb builds what it found as JSON; --json prints that, and the text for humans is made from
 * the same object, so that the two cannot tell different things.
 */
#ifndef ADMIN_PRINT_H
#define ADMIN_PRINT_H

#include <stdbool.h>
#include <time.h>

#include <json-c/json_object.h>

#include "api/json.h"

/*
 * Prints an object and frees it. As text: one aligned "Label:  value" line for each member (label: the key with blanks for
 * underscores), nested objects indented; members that are null, and the member "pem", which follows as it is.
 */
void print_object(struct json_object *o, bool json);

/* Prints an object or array as JSON and frees it. */
void print_json(struct json_object *o);

/* Prints an array of flat objects and frees it. As text: a table of the members named in `columns` (NULL-terminated). */
void print_table(struct json_object *array, const char *const columns[], bool json);

/* The process's standard output has reached its file: call before exit. False (and said on stderr) when it has not. */
bool print_finish(void);

#endif
