/* Text that people read on one line: in a log, on a terminal, in a list before they approve something. */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include "base/buf.h"

/*
 * Octets of the UTF-8 character at the beginning when it must not stand there: it moves a cursor or ends a line (C0, DEL, C1, U+2028, U+2029), or
 * turns the text around it, so that it reads as another (U+202A to U+202E, U+2066 to U+2069). 0: it may, or there is none.
 */
size_t text_control(struct bytes text);

bool text_is_plain(struct bytes text);	/* none of these in it */

/* Each octet of such a character becomes '?'. */
void text_make_plain(char *text);

#endif
