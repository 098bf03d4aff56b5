/*
 * One INI file as a list of settings with their lines. iniparser reads the values; what it would pass over in silence (a second
 * value for a key, a value cut at ';', a line joined to a comment) is found beforehand and becomes a problem.
 */
#ifndef CONF_INI_H
#define CONF_INI_H

#include <stdbool.h>
#include <stddef.h>

#include "base/problems.h"

#define INI_MAX_OCTETS ((size_t)64 << 10)
#define INI_MAX_LINE 1000	/* iniparser's own limit is 1024 with everything */
#define INI_MAX_ENTRIES 500

struct ini_entry {
	char *section;		/* lower case, like key: iniparser makes them so */
	char *key;		/* NULL: the section's own line */
	char *value;		/* NULL: there is a problem with it already */
	unsigned line;
};

struct ini {		/* {0} is a valid empty one */
	struct ini_entry *list;
	size_t n;
};

/* Reads all that can be read; everything wrong goes to `problems`. False when the file cannot be read at all. */
bool ini_read(const char *file, struct ini *ini, struct problems *problems);
void ini_free(struct ini *ini);

#endif
