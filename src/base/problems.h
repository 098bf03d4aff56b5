/* Everything that is wrong, not only the first thing: what --check, `scepter check` and a reload collect and print. */
#ifndef BASE_PROBLEMS_H
#define BASE_PROBLEMS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

enum problem_level { PROBLEM_WARNING, PROBLEM_ERROR };

struct problem {
	enum problem_level level;
	char *where;	/* "profiles.d/default.ini [ca] key", or a file; never NULL */
	char *text;	/* what is wrong and what would be right, one sentence */
};

struct problems {	/* {0} is a valid empty list */
	struct problem *list;
	size_t n;
	size_t n_errors;
};

void problem_add(struct problems *p, enum problem_level level, const char *where, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
/* An error in a setting: `place` is "[section] key" of `file`. */
void problem_in(struct problems *p, const char *file, const char *place, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
void problem_why(struct problems *p, const char *where, const struct why *why);	/* an error with why's sentence */
void problems_free(struct problems *p);

/* The word of `words` (NULL-terminated) nearest to `word` by edit distance, or NULL when none is near enough to suggest. */
const char *nearest_word(const char *word, const char *const words[]);

#endif
