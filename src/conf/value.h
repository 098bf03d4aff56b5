/* One setting's value: from text to its field and back. */
#ifndef CONF_VALUE_H
#define CONF_VALUE_H

#include "base/buf.h"
#include "base/err.h"
#include "conf/table.h"

/*
 * Reads `text` into the row's field of `conf` (a struct conf or profile_conf, whatever the row belongs to); relative paths are
 * taken from the folder of `file`. CONFIG with a sentence that quotes the value and says what would be right; the field is
 * untouched then. What the field owned before is freed.
 */
enum err value_set(const struct setting *row, const char *file, const char *text, void *conf, struct why *why);

/* Appends the field as text that value_set reads back, without quotes. False when it is unset. */
bool value_text(const struct setting *row, const void *conf, struct buf *out);

/* Appends what the row accepts: "a whole number from 1 to 9", "one of cn, subject". */
void value_expected(const struct setting *row, struct buf *out);

/* The name of a header as it can reach a program behind a web server: letters, digits and '-', not too long. */
bool is_header(const char *text);

/* "/scep": begins with a slash, does not end with one, and holds nothing that a URL would escape. */
bool is_url_path(const char *text);

/* CONFIG, "'text' is not ..." with what the row accepts. */
enum err value_bad(const struct setting *row, const char *text, struct why *why);

/* Whether a password may stand in it: "password=x" or "postgresql://user:x@host". */
bool conninfo_has_password(const char *conninfo);

/* For every row: sets the defaults; frees what the fields own. */
void values_set_standard(const struct setting_table *table, const char *file, void *conf);
void conf_values_free(const struct setting_table *table, void *conf);

#endif
