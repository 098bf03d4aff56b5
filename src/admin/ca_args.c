#include "admin/ca_args.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "admin/verb.h"
#include "base/mem.h"

bool ca_places_find(const struct ca_args *args, const char *stem, struct ca_places *out)
{
	if (args->out == NULL && (args->cert == NULL || args->key == NULL)) {
		verb_misused("where to? give --out DIR, or both --cert and --key");
		return false;
	}
	out->cert = args->cert != NULL ? mem_strdup(args->cert) : mem_printf("%s/%s.pem", args->out, stem);
	out->key = args->key != NULL ? mem_strdup(args->key) : mem_printf("%s/%s.key", args->out, stem);
	return true;
}

enum err ca_places_make(const struct ca_args *args, struct why *why)
{
	if (args->out == NULL || mkdir(args->out, 0755) == 0 || errno == EEXIST)
		return ERR_OK;
	return fail(why, ERR_FILE, "the folder %s could not be made: %s", args->out, strerror(errno));
}

void ca_places_free(struct ca_places *p)
{
	free(p->cert);
	free(p->key);
	*p = (struct ca_places){0};
}
