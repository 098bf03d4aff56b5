/* What scep-admin.fcgi serves with: the configuration, without any key, and the database as a member of scep_admin. */
#ifndef API_SITE_H
#define API_SITE_H

#include <time.h>

#include "base/problems.h"
#include "conf/conf.h"
#include "store/store.h"

struct admin_site {
	struct conf *conf;
	struct store *store;	/* NULL until admin_site_open */
};

/* NULL when there is an error among the problems. */
struct admin_site *admin_site_load(const char *conf_file, struct problems *problems);
void admin_site_free(struct admin_site *site);	/* NULL is allowed */

/* Reads the pepper; never connects. Errors: FILE, CONFIG. */
enum err admin_site_open(struct admin_site *site, struct why *why);

/* Loads, opens, asks the database. True when no error was found. */
bool admin_site_check(const char *conf_file, struct problems *problems);

#endif
