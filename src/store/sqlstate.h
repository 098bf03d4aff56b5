/* What an SQLSTATE means for us: one table (sqlstate.c). */
#ifndef STORE_SQLSTATE_H
#define STORE_SQLSTATE_H

#include "base/err.h"

enum sql_action {
	SQL_GIVE_UP,	/* final: trying again changes nothing */
	SQL_AGAIN,	/* rolled back for reasons of concurrency: the same call may succeed now */
	SQL_RECONNECT	/* this server cannot do it (any more): leave it, then try again */
};

struct sqlstate_row {
	const char *prefix;	/* of the five characters; the longest row that fits counts */
	enum sql_action action;
	enum err err;
	const char *remedy;	/* what the operator can do, or NULL */
};

const struct sqlstate_row *sqlstate_row(const char *sqlstate);

#endif
