#include "conf/dialect.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "conf/value.h"

/*
 * Shape and manners only: algorithms and what authorises a device are never part of a dialect, except that Windows signs with another key
 * than the one to be certified. doc/CLIENTS.md says for each family why.
 */
static const struct {
	const char *dialect, *section, *key, *value;
} presets[] = {
    /* the RFC's letter: nothing that only tolerance accepts, and no PKIOperation by GET where POST is offered (RFC 8894, 4.1) */
    {"strict", "scep", "tolerate", "none"},
    {"strict", "scep", "get", "no"},
    {"strict", "scep", "empty_content", "absent"},
    {"cisco", "scep", "include_chain", "yes"},
    {"windows", "enrol", "signer_key", "any"},
    {"windows", "scep", "ca_chain", "full"},
    {"apple", "scep", "ca_chain", "leaf-only"},
    {"juniper", "scep", "post", "no"},
    {"juniper", "scep", "include_chain", "no"},
    {"legacy", "scep", "tolerate", "case no-operation content-type base64 base64-post nonce strings unsorted"},
    {"legacy", "scep", "hide_caps", "Renewal SCEPStandard"},
    {"legacy", "scep", "ca_chain", "leaf-only"},
};

static const char *chosen(const struct ini *ini)
{
	for (size_t i = 0; i < ini->n; i++) {
		const struct ini_entry *e = &ini->list[i];

		if (e->key != NULL && e->value != NULL && strcmp(e->section, "scep") == 0 && strcmp(e->key, "dialect") == 0)
			return e->value;
	}
	return NULL;
}

void dialect_set(const struct setting_table *table, const char *file, const struct ini *ini, void *conf)
{
	const char *dialect = chosen(ini);
	struct why why;

	for (size_t i = 0; dialect != NULL && i < sizeof(presets) / sizeof(presets[0]); i++) {
		const struct setting *row = setting_find(table, presets[i].section, presets[i].key);

		if (row != NULL && strcasecmp(presets[i].dialect, dialect) == 0 &&
		    value_set(row, file, presets[i].value, conf, &why) != ERR_OK)
			abort();	/* a bad preset cannot get past the tests */
	}
}
