#include "base/problems.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"

static void add(struct problems *p, enum problem_level level, const char *where, const char *text)
{
	/* grown at every power of two, so that a long list costs linear time */
	if ((p->n & (p->n - 1)) == 0)
		p->list = mem_resize(p->list, (p->n == 0 ? 1 : 2 * p->n) * sizeof(*p->list));
	p->list[p->n++] = (struct problem){level, mem_strdup(where), mem_strdup(text)};
	if (level == PROBLEM_ERROR)
		p->n_errors++;
}

void problem_add(struct problems *p, enum problem_level level, const char *where, const char *fmt, ...)
{
	char text[600];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	text_make_plain(text);	/* it may quote a file's bytes, and goes to a terminal */
	add(p, level, where, text);
}

void problem_in(struct problems *p, const char *file, const char *place, const char *fmt, ...)
{
	char *where = mem_printf("%s %s", file, place), text[600];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	problem_add(p, PROBLEM_ERROR, where, "%s", text);
	free(where);
}

void problem_why(struct problems *p, const char *where, const struct why *why)
{
	add(p, PROBLEM_ERROR, where, why->text);
}

void problems_free(struct problems *p)
{
	size_t i;

	if (p == NULL)
		return;
	for (i = 0; i < p->n; i++) {
		free(p->list[i].where);
		free(p->list[i].text);
	}
	free(p->list);
	*p = (struct problems){0};
}

#define WORD_MAX 48	/* no setting's name is longer; a longer word gets no suggestion */

static int fold(char c)
{
	return c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c == '-' ? '_' : (unsigned char)c;
}

static size_t min(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* Edit distance with neighbours swapped counting as one (optimal string alignment); case does not count. */
static size_t distance(const char *a, size_t na, const char *b, size_t nb)
{
	size_t d[3][WORD_MAX + 1], i, j;

	for (j = 0; j <= nb; j++)
		d[0][j] = j;
	for (i = 1; i <= na; i++) {
		size_t *row = d[i % 3], *above = d[(i + 2) % 3], *above2 = d[(i + 1) % 3];

		row[0] = i;
		for (j = 1; j <= nb; j++) {
			bool same = fold(a[i - 1]) == fold(b[j - 1]);

			row[j] = min(min(above[j], row[j - 1]) + 1, above[j - 1] + !same);
			if (i > 1 && j > 1 && fold(a[i - 1]) == fold(b[j - 2]) && fold(a[i - 2]) == fold(b[j - 1]))
				row[j] = min(row[j], above2[j - 2] + 1);
		}
	}
	return d[na % 3][nb];
}

const char *nearest_word(const char *word, const char *const words[])
{
	size_t i, n = strlen(word), len, d, best = 0;
	const char *found = NULL;

	if (n > WORD_MAX)
		return NULL;
	for (i = 0; words[i] != NULL; i++) {
		len = strlen(words[i]);
		if (len > WORD_MAX)
			continue;
		d = distance(word, n, words[i], len);
		if (d > (len + 1) / 3)	/* more than a third wrong is another word, not a slip */
			continue;
		if (found == NULL || d < best) {
			best = d;
			found = words[i];
		}
	}
	return found;
}
