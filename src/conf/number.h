/* Numbers with a unit: "90d", "500ms", "64k". */
#ifndef CONF_NUMBER_H
#define CONF_NUMBER_H

#include "base/buf.h"
#include "conf/table.h"

struct unit {
	const char *name;	/* NULL ends a list; "" is what a plain number means */
	int64_t factor;
};

/* The units of a kind, largest first; NULL: plain numbers only. */
const struct unit *number_units(enum conf_kind kind);

/* Decimal digits and at most one unit; no sign, no blanks, no overflow. units NULL: plain numbers only. */
bool number_parse(const char *text, const struct unit *units, int64_t *value);

/* With the largest unit that leaves no remainder. */
void number_print(int64_t value, const struct unit *units, struct buf *out);

#endif
