/* Changes to an INI file that people keep by hand: what they wrote stays where it is, comments included. */
#ifndef CONF_EDIT_H
#define CONF_EDIT_H

#include "base/buf.h"

/*
 * Sets a key of a section in `text`, which the reader accepts: in the line that has it, else in the place of an example of it
 * ("#key = ..."), else as the section's last line, else in a new section at the end. value NULL: takes the key's line out.
 */
void edit_set(struct buf *text, const char *section, const char *key, const char *value);

/* Takes out all settings of a section, and its heading when nothing stands below it but blanks. */
void edit_clear(struct buf *text, const char *section);

/* "key = value", in quotes where the reader would otherwise take a part of the value for a comment or for quotes, or drop blanks. */
void edit_line(struct buf *out, const char *key, const char *value);

#endif
