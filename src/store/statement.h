/* Every SQL statement of the program, in one table (statement.c). The schema's own text is in sql/. */
#ifndef STORE_STATEMENT_H
#define STORE_STATEMENT_H

enum statement {
	SQL_ADMIT,
	SQL_ISSUE,
	SQL_POLL,
	SQL_PEND,
	SQL_REQUEST_LIST,
	SQL_REQUEST_DECIDE,
	SQL_ISSUER_ADD,
	SQL_AUDIT_ADD,
	SQL_MAINTAIN,
	SQL_CHALLENGE_ADD,
	SQL_CHALLENGE_REVOKE,
	SQL_CHALLENGE_LIST,
	SQL_CERT_LIST,
	SQL_CERT_GET,
	SQL_CERT_REVOKE,
	SQL_CERT_COUNT,
	SQL_LOOKUP,
	SQL_CRL_CHECK,
	SQL_CRL_TAKE,
	SQL_CRL_ENTRIES,
	SQL_CRL_PUBLISH,
	SQL_STATS,
	SQL_ABOUT,
	SQL_VERSION,
	SQL_MIGRATION,
	SQL_MIGRATION_DONE,
	SQL_PEPPER_SET,
	SQL_PEPPER_GET,
	SQL_BEGIN,
	SQL_BE_OWNER,
	SQL_GRANT_NAMES,
	SQL_GRANT,
	SQL_LOCK_MIGRATION,
	SQL_COMMIT,
	SQL_ROLLBACK
};

struct statement_row {
	int n_params;
	const char *text;
};

const struct statement_row *statement_row(enum statement sql);

#endif
