/* Parameters and columns that are arrays: of text, uuid, int4. */
#ifndef STORE_ARRAY_H
#define STORE_ARRAY_H

#include "store/call.h"

void call_texts(struct call *c, const char *const *list);	/* cleaned as by call_text; NULL-terminated; NULL: NULL */
void call_uuids(struct call *c, const uint8_t (*list)[16], size_t n);
void call_ints(struct call *c, const int *list, size_t n);

/* The caller frees with texts_free. NULL: NULL. */
char **row_texts(const PGresult *r, int row, int column);
void texts_free(char **list);	/* NULL is allowed */

#endif
