/*
 * libcurl, loaded when a profile has a web hook: nobody else pays for it in start-up time and memory, nor has its code beside the keys. Its types
 * and constants are its header's; its functions are called through this table.
 */
#ifndef AUTH_CURL_LIBRARY_H
#define AUTH_CURL_LIBRARY_H

#define CURL_DISABLE_TYPECHECK	/* its macros would call the functions themselves */
#include <curl/curl.h>

#include "base/err.h"

struct curl_library {
	__typeof__(curl_global_init) *global_init;
	__typeof__(curl_global_cleanup) *global_cleanup;
	__typeof__(curl_easy_init) *init;
	__typeof__(curl_easy_reset) *reset;
	__typeof__(curl_easy_setopt) *setopt;
	__typeof__(curl_easy_perform) *perform;
	__typeof__(curl_easy_getinfo) *getinfo;
	__typeof__(curl_easy_cleanup) *cleanup;
	__typeof__(curl_easy_strerror) *strerror;
	__typeof__(curl_slist_append) *slist_append;
	__typeof__(curl_slist_free_all) *slist_free;
};

/* Loads it, once; it stays. Error: CONFIG, it is not there. */
enum err curl_library_load(const struct curl_library **out, struct why *why);

#endif
