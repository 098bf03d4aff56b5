#include "auth/curl_library.h"

#include <dlfcn.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

/* The one of our TLS library first, which shares it with us; the other one does as well. */
static const char *const names[] = {"libcurl-gnutls.so.4", "libcurl.so.4"};

static struct curl_library library;

static const struct {
	const char *symbol;
	void **at;
} symbols[] = {
    {"curl_global_init", (void **)&library.global_init},
    {"curl_global_cleanup", (void **)&library.global_cleanup},
    {"curl_easy_init", (void **)&library.init},
    {"curl_easy_reset", (void **)&library.reset},
    {"curl_easy_setopt", (void **)&library.setopt},
    {"curl_easy_perform", (void **)&library.perform},
    {"curl_easy_getinfo", (void **)&library.getinfo},
    {"curl_easy_cleanup", (void **)&library.cleanup},
    {"curl_easy_strerror", (void **)&library.strerror},
    {"curl_slist_append", (void **)&library.slist_append},
    {"curl_slist_free_all", (void **)&library.slist_free},
};

static bool take_symbols(void *handle)
{
	for (size_t i = 0; i < sizeof(symbols) / sizeof(symbols[0]); i++) {
		void *symbol = dlsym(handle, symbols[i].symbol);

		if (symbol == NULL)
			return false;
		memcpy(symbols[i].at, &symbol, sizeof(symbol));	/* POSIX has it that way, C has not */
	}
	return true;
}

enum err curl_library_load(const struct curl_library **out, struct why *why)
{
	static bool loaded;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]) && !loaded; i++) {
		void *handle = dlopen(names[i], RTLD_NOW | RTLD_LOCAL);

		loaded = handle != NULL && take_symbols(handle);
	}
	if (!loaded)
		return fail(why, ERR_CONFIG, "a web hook needs libcurl, which is not on this machine: apt-get install libcurl3-gnutls");
	*out = &library;
	return ERR_OK;
}
