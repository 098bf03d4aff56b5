/* What the word of [scep] dialect stands for: other settings of the profile, each of which a line of its own overrides. */
#ifndef CONF_DIALECT_H
#define CONF_DIALECT_H

#include "conf/ini.h"
#include "conf/table.h"

/* Sets what the file's dialect stands for, if it names one that is known. To be called between the defaults and the file's own settings. */
void dialect_set(const struct setting_table *table, const char *file, const struct ini *ini, void *conf);

#endif
