/* Configuration and database, as a verb opens them: what is wrong is said on stderr, all of it. */
#ifndef ADMIN_LOAD_H
#define ADMIN_LOAD_H

#include "conf/conf.h"
#include "store/store.h"

/* The configuration that --conf, $SCEPTER_CONF or the default names; NULL, and said, when it cannot be used. */
struct conf *load_conf(const char *given);

/* The profile called `name`; NULL, and said with the nearest name, when there is none. */
const struct profile_conf *load_profile(const struct conf *conf, const char *name);

/* The database that the configuration names, or `conninfo` if not NULL; not connected yet. NULL, and said, without a usable pepper. */
struct store *load_store(const struct conf *conf, const char *conninfo);

/* The same, reading the configuration for it. */
struct store *load_store_of(const char *conf_given, const char *conninfo);

/* One line for each: "error: where: text". */
void load_print_problems(const struct problems *problems);

/* Who does this, for the audit trail: the user's name, also under sudo. The caller frees. */
char *load_actor(void);

#endif
