/* Values that are several words: bits (KIND_WORDS), object identifiers (KIND_OIDS), names and paths. */
#ifndef CONF_LIST_H
#define CONF_LIST_H

#include "base/buf.h"
#include "base/err.h"
#include "conf/table.h"

/* The row of a list of words, in any case, or NULL. */
const struct conf_word *word_find(const struct conf_word *words, struct bytes text);

enum err words_set(const struct setting *row, const char *text, unsigned *bits, struct why *why);
void words_text(const struct setting *row, unsigned bits, struct buf *out);

/* A NULL-terminated list of dotted OIDs; the old one in *list is freed. */
enum err oids_set(const struct setting *row, const char *text, char ***list, struct why *why);
void oids_text(const struct setting *row, char *const *list, struct buf *out);
void oids_free(char **list);

/* The same for KIND_NAMES, KIND_URLS, KIND_CIDRS and KIND_URL_PATHS. */
enum err names_set(const struct setting *row, const char *text, char ***list, struct why *why);
void names_text(char *const *list, struct buf *out);

#endif
