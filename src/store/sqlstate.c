#include "store/sqlstate.h"

#include <string.h>

#define REMEDY_SCHEMA "the schema is missing or old: run 'scepter db migrate'"

/* Sorted so that a longer prefix stands before a shorter one of the same class. SC...: raised by the functions in sql/. */
static const struct sqlstate_row rows[] = {
	{"SC001", SQL_GIVE_UP, ERR_CHALLENGE, NULL},
	{"SC002", SQL_GIVE_UP, ERR_TXN_PENDING, NULL},
	{"SC003", SQL_GIVE_UP, ERR_DB, "set the clocks (NTP)"},
	{"SC004", SQL_GIVE_UP, ERR_RENEWAL, NULL},
	{"SC005", SQL_GIVE_UP, ERR_QUEUE_FULL, NULL},
	{"SC006", SQL_GIVE_UP, ERR_REPLAY, NULL},
	{"SC007", SQL_GIVE_UP, ERR_SIGNED_RATE, NULL},
	{"SC008", SQL_GIVE_UP, ERR_MAX_ACTIVE, NULL},
	{"23503", SQL_GIVE_UP, ERR_NOT_FOUND, NULL},
	{"23505", SQL_GIVE_UP, ERR_CONFLICT, NULL},
	{"25006", SQL_RECONNECT, ERR_DB, "this server is a standby: name the primary, or several hosts, in conninfo"},
	{"40001", SQL_AGAIN, ERR_DB, NULL},
	{"40P01", SQL_AGAIN, ERR_DB, NULL},
	{"55P03", SQL_AGAIN, ERR_DB, "a lock was held too long: look into pg_stat_activity"},
	{"57014", SQL_AGAIN, ERR_DB, "the statement was cancelled: is statement_timeout too short?"},
	{"57P", SQL_RECONNECT, ERR_DB, NULL},
	{"08", SQL_RECONNECT, ERR_DB, NULL},
	{"42501", SQL_GIVE_UP, ERR_DB,
	 "the role in conninfo lacks a right: GRANT scep_responder (responder), scep_admin (commands) or scep_owner ('scepter db migrate') "
	 "TO it; 'scepter db init' needs a superuser"},
	{"42P01", SQL_GIVE_UP, ERR_DB, REMEDY_SCHEMA},
	{"42703", SQL_GIVE_UP, ERR_DB, REMEDY_SCHEMA},
	{"42704", SQL_GIVE_UP, ERR_DB, REMEDY_SCHEMA},
	{"42883", SQL_GIVE_UP, ERR_DB, REMEDY_SCHEMA},
	{"3F000", SQL_GIVE_UP, ERR_DB, REMEDY_SCHEMA},
	{"53100", SQL_GIVE_UP, ERR_DB, "the database server's disk is full"},
	{"53300", SQL_RECONNECT, ERR_DB, "raise max_connections, or put a connection pooler between"},
	{"", SQL_GIVE_UP, ERR_DB, NULL},
};

const struct sqlstate_row *sqlstate_row(const char *sqlstate)
{
	const struct sqlstate_row *row = rows;

	while (strncmp(sqlstate, row->prefix, strlen(row->prefix)) != 0)
		row++;
	return row;
}
