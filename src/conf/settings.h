/* From one INI file to the fields of one struct, by its table. */
#ifndef CONF_SETTINGS_H
#define CONF_SETTINGS_H

#include "base/problems.h"
#include "conf/table.h"

/*
 * Fills `conf` (of the table's struct, zeroed) with the defaults and then with what the file says. Everything wrong goes to
 * `problems`, each with file, line, section and key. False when the file could not be read; the fields hold the defaults then.
 */
bool settings_read(const struct setting_table *table, const char *file, void *conf, struct problems *problems);

#endif
