/* Memory that cannot fail (every input is capped, so running out ends the process), and wiping. */
#ifndef BASE_MEM_H
#define BASE_MEM_H

#include <stddef.h>

/* Like their libc twins, but never return NULL: on exhaustion they print one line to stderr and abort. */
void *mem_alloc(size_t n);			/* zeroed */
void *mem_resize(void *p, size_t n);
char *mem_strdup(const char *s);		/* NULL gives NULL */
char *mem_strndup(const char *s, size_t n);
char *mem_printf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

void mem_exhausted(void) __attribute__((noreturn));	/* what they do then, for libraries that tell */

/* Overwrites n bytes; not optimised away. NULL is allowed. */
void mem_wipe(void *p, size_t n);

/* No core file of this process, nor of what it starts: keys and challenges would lie in it. */
void mem_no_core(void);

/* Wipes and frees a string; NULL is allowed. */
void mem_wipe_free(char *s);

#endif
