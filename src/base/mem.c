#include "base/mem.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

void mem_exhausted(void)
{
	static const char text[] = "out of memory\n";

	if (write(STDERR_FILENO, text, sizeof(text) - 1) < 0)	/* not by stdio, which would want memory */
		abort();
	abort();
}

static void *check(void *p)
{
	if (p == NULL)
		mem_exhausted();
	return p;
}

void *mem_alloc(size_t n)
{
	return check(calloc(1, n ? n : 1));
}

void *mem_resize(void *p, size_t n)
{
	return check(realloc(p, n ? n : 1));
}

char *mem_strdup(const char *s)
{
	return s == NULL ? NULL : check(strdup(s));
}

char *mem_strndup(const char *s, size_t n)
{
	return check(strndup(s, n));
}

char *mem_printf(const char *fmt, ...)
{
	va_list ap;
	char *s = NULL;

	va_start(ap, fmt);
	if (vasprintf(&s, fmt, ap) < 0)
		s = NULL;
	va_end(ap);
	return check(s);
}

void mem_wipe(void *p, size_t n)
{
	if (p != NULL)
		explicit_bzero(p, n);
}

void mem_no_core(void)
{
	(void)setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});	/* where that is forbidden, whoever forbade it has set it */
}

void mem_wipe_free(char *s)
{
	if (s == NULL)
		return;
	mem_wipe(s, strlen(s));
	free(s);
}
