/* Everything that a configuration names, loaded: what the responder serves with, and what `scepter check` looks at. */
#ifndef CA_SITE_H
#define CA_SITE_H

#include <time.h>

#include "base/problems.h"
#include "ca/profile.h"
#include "conf/conf.h"
#include "store/store.h"

struct site {
	struct conf *conf;
	struct profile **profiles;	/* sorted by name, NULL-terminated; profiles[i]->conf is conf->profiles[i] */
	struct store *store;		/* has the pepper; connects when it is first asked */
	struct web *web;		/* NULL until site_open */
	struct overload *overload;	/* of this process: ca/overload.h */
};

/*
 * Reads scepter.ini, its profiles and all that they name, without touching the database. Everything wrong goes to
 * `problems`; NULL when there is an error among them. before: the site that a reload replaces (see profile_load); NULL at start.
 */
struct site *site_load(const char *conf_file, time_t now, const struct site *before, struct problems *problems);
void site_free(struct site *site);	/* NULL is allowed; closes the store */

/* The store that [database] describes; reads the pepper file. Never connects. Errors: FILE, CONFIG. */
enum err site_open_store(const struct conf *conf, const char *application, struct store **out, struct why *why);

/* After fork: sets site->web, and opens the profiles' token keys. Errors: FILE, KEY. */
enum err site_open(struct site *site, struct why *why);

/* Loads all, opens all, asks the database: everything wrong goes to `problems`. True when no error was found. */
bool site_check(const char *conf_file, time_t now, struct problems *problems);

#endif
