/*
 * Running out of memory ends the process, in the libraries, too. They tell it as something else, or not at all: libtasn1 as a message that cannot be
 * parsed, which is the client's fault then, and GnuTLS has signed half a DigestInfo. All they allocate with is here; freeing stays as it is.
 */
#include <features.h>
#include <stdlib.h>

#include "base/mem.h"

#ifdef __has_feature
#define IS_CLANG_ASAN __has_feature(address_sanitizer)
#else
#define IS_CLANG_ASAN 0
#endif

#if defined(__GLIBC__) && !defined(__SANITIZE_ADDRESS__) && !IS_CLANG_ASAN && !defined(SYSTEM_HEAP)	/* which have one of their own, as has valgrind */

/* What malloc and so on are other names of. */
extern void *__libc_malloc(size_t n);
extern void *__libc_calloc(size_t k, size_t n);
extern void *__libc_realloc(void *p, size_t n);

void *malloc(size_t n)
{
	void *p = __libc_malloc(n);

	if (p == NULL)
		mem_exhausted();
	return p;
}

void *calloc(size_t k, size_t n)
{
	void *p = __libc_calloc(k, n);

	if (p == NULL)
		mem_exhausted();
	return p;
}

void *realloc(void *p, size_t n)
{
	void *moved = __libc_realloc(p, n);

	if (moved == NULL && n > 0)	/* else it was freed */
		mem_exhausted();
	return moved;
}

#endif
