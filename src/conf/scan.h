/* The lines of an INI file, checked one by one before iniparser sees them. */
#ifndef CONF_SCAN_H
#define CONF_SCAN_H

#include "base/buf.h"
#include "conf/ini.h"

/*
 * Lists every section and key of `text` with its line, without values. Lines that are wrong, or that iniparser would misread, go
 * to `problems` and are blank in `clean`, which otherwise has the same lines: iniparser accepts all of it.
 */
void scan_lines(const char *file, struct bytes text, struct ini *ini, struct buf *clean, struct problems *problems);

#endif
