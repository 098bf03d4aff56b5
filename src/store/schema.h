/* The schema and its roles: made, migrated, checked. */
#ifndef STORE_SCHEMA_H
#define STORE_SCHEMA_H

#include "store/store.h"

struct store_status {
	int version;			/* 0: no schema yet */
	int newest;			/* what this program carries */
	int server_version;		/* PostgreSQL's, e.g. 150018 */
	long n_certs, n_challenges;	/* estimates are fine for large tables */
};

/* Creates roles (scep_owner, scep_responder, scep_admin; NOLOGIN groups) and schema in the database that conninfo names; made to be
 * repeated. Then migrates, and remembers a digest of the pepper (if there is one) for store_check. Needs a superuser, or CREATEROLE and a
 * database of one's own. */
enum err store_init(struct store *s, struct why *why);
/* Makes a login role a member of a group, and makes it when it is missing. Made to be repeated. Needs what store_init needs. */
enum store_role { STORE_RESPONDER, STORE_ADMIN };
enum err store_grant(struct store *s, const char *role, enum store_role group, struct why *why);
/* Applies what is missing, under a lock; *from and *to are versions. */
enum err store_migrate(struct store *s, int *from, int *to, struct why *why);
enum err store_status(struct store *s, struct store_status *out, struct why *why);
/* For start-up: reachable, the schema is what this program needs, the role may enrol, the pepper is the right one. Errors: DB and CONFIG,
 * with a sentence that names the remedy. */
enum err store_check(struct store *s, struct why *why);
enum err store_check_admin(struct store *s, struct why *why);	/* the same, for a role that may make challenges */

#endif
