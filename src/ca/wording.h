/*
 * A text of a template, compiled when the profile is loaded: "dev-${csr.serialNumber:-unknown}". Values are put into it as they are, and what is
 * made of the text is encoded as one value: nothing in them can end it.
 */
#ifndef CA_WORDING_H
#define CA_WORDING_H

#include "auth/values.h"
#include "ca/csr_value.h"

#define WORDING_MAX_VALUES 65	/* of one name; more are not looked at: these are one more than a certificate may have names */

struct piece {
	char *text;		/* a literal; of a reference its default, NULL: it has none */
	char *name;		/* of a reference: "csr.cn"; NULL: a literal */
	struct csr_name csr;	/* of "csr.NAME" */
};

struct wording {		/* {0} is the empty text */
	struct piece *list;
	size_t n;
};

/* Where values come from. */
struct wording_from {
	const struct csr *csr;
	const struct values *values;	/* NULL: nothing but the request is known */
};

void wording_add(struct wording *w, uint8_t c);		/* to the literal at the end */
/*
 * Takes "$$", "${SOURCE.NAME}" or "${SOURCE.NAME:-default}" off `in`, which begins with '$', and adds it. The default goes to the next '}'. Error:
 * CONFIG (anything else; a SOURCE that there is not; a csr.NAME that there is not).
 */
enum err wording_take(struct wording *w, struct bytes *in, struct why *why);
void wording_free(struct wording *w);

/* Which values a text is made of: of `name` the nth, of every other name the first. {0}: of every name the first. */
struct wording_turn {
	const char *name;
	size_t nth;
};

/* How many texts it makes, and in turn->name which name makes them so many: the first that has several values, if one has; else NULL, and 1. */
size_t wording_count(const struct wording *w, const struct wording_from *from, struct wording_turn *turn);

/*
 * Appends one text. An empty value is none. Error: SUBJECT (a name without a value and without a default; a value that is longer than
 * VALUE_TEXT_MAX or holds control characters).
 */
enum err wording_write(const struct wording *w, const struct wording_from *from, const struct wording_turn *turn, struct buf *out, struct why *why);

#endif
