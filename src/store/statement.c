#include "store/statement.h"

static const struct statement_row rows[] = {
	[SQL_ADMIT] = {12, "SELECT * FROM scep.admit($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12)"},
	[SQL_ADMIT_LIMITED] = {19, "SELECT * FROM scep.admit_limited($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12,$13,$14,"
				   "$15,$16,$17,$18,$19)"},
	[SQL_REFUSE] = {10, "SELECT * FROM scep.refuse($1,$2,$3,$4,$5,$6,$7,$8,$9,$10)"},
	[SQL_ISSUE] = {28, "SELECT * FROM scep.issue($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12,$13,$14,$15,$16,$17,"
			  "$18,$19,$20,$21,$22,$23,$24,$25,$26,$27,$28)"},
	[SQL_POLL] = {3, "SELECT * FROM scep.poll($1,$2,$3)"},
	[SQL_PEND] = {23, "SELECT * FROM scep.pend($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12,$13,$14,$15,$16,$17,"
			 "$18,$19,$20,$21,$22,$23)"},
	[SQL_REQUEST_LIST] = {3, "SELECT * FROM scep.request_list($1,$2,$3)"},
	[SQL_REQUEST_DECIDE] = {5, "SELECT scep.request_decide($1,$2,$3,$4,$5)"},
	[SQL_ISSUER_ADD] = {3, "SELECT scep.issuer_add($1,$2,$3)"},
	[SQL_AUDIT_ADD] = {7, "SELECT scep.audit_add($1,$2,$3,$4,$5,$6,$7)"},
	[SQL_MAINTAIN] = {1, "SELECT scep.maintain($1)"},
	[SQL_CHALLENGE_ADD] = {12, "SELECT scep.challenge_add($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12)"},
	[SQL_CHALLENGE_REVOKE] = {3, "SELECT scep.challenge_revoke($1,$2,$3)"},
	[SQL_CHALLENGE_LIST] = {3, "SELECT * FROM scep.challenge_list($1,$2) LIMIT NULLIF($3::int, 0)"},
	[SQL_CHALLENGE_PROFILE] = {1, "SELECT profile FROM scep.challenge WHERE id = $1::text"},
	[SQL_CERT_LIST] = {6, "SELECT * FROM scep.cert_list($1,$2,$3,$4,$5,$6)"},
	[SQL_CERT_GET] = {1, "SELECT * FROM scep.cert_get($1)"},
	[SQL_CERT_REVOKE] = {6, "SELECT * FROM scep.cert_revoke($1,$2,$3,$4,$5,$6)"},
	[SQL_CERT_COUNT] = {0, "SELECT profile, count(*) FROM scep.cert GROUP BY profile"},
	[SQL_LOOKUP] = {4, "SELECT * FROM scep.lookup($1,$2,$3,$4)"},
	[SQL_CRL_CHECK] = {2, "SELECT * FROM scep.crl_check($1,$2)"},
	[SQL_CRL_TAKE] = {3, "SELECT scep.crl_take($1,$2,$3)"},
	[SQL_CRL_ENTRIES] = {1, "SELECT * FROM scep.crl_entries($1)"},
	[SQL_CRL_PUBLISH] = {10, "SELECT scep.crl_publish($1,$2,$3,$4,$5,$6,$7,$8,$9,$10)"},
	[SQL_STATS] = {0, "SELECT * FROM scep.stats()"},
	[SQL_ABOUT] = {0, "SELECT current_setting('server_version_num')::int, current_user::text, current_database()::text, "
			  "EXISTS (SELECT FROM pg_namespace WHERE nspname = 'scep'), "
			  "EXISTS (SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
			  "WHERE n.nspname = 'scep' AND c.relname = 'schema_version')"},
	[SQL_VERSION] = {0, "SELECT coalesce(max(version), 0)::int, coalesce(max(min_reader), 0)::int, "
			    "pg_has_role(current_user, 'scep_responder', 'USAGE'), "
			    "pg_has_role(current_user, 'scep_admin', 'USAGE') FROM scep.schema_version"},
	[SQL_MIGRATION] = {1, "SELECT name, sha256 FROM scep.schema_version WHERE version = $1::int"},
	[SQL_MIGRATION_DONE] = {4, "INSERT INTO scep.schema_version (version, name, sha256, min_reader) "
				   "VALUES ($1::int, $2::text, $3::bytea, $4::int)"},
	[SQL_PEPPER_SET] = {1, "INSERT INTO scep.setting VALUES ('pepper_check', $1::uuid::text) "
			       "ON CONFLICT (key) DO UPDATE SET value = excluded.value"},
	[SQL_PEPPER_GET] = {1, "SELECT value = $1::uuid::text FROM scep.setting WHERE key = 'pepper_check'"},
	[SQL_BEGIN] = {0, "BEGIN"},
	[SQL_GRANT_NAMES] = {2, "SELECT set_config('scep.role', $1::text, true), set_config('scep.group', $2::text, true)"},
	[SQL_GRANT] = {0, "DO $$ DECLARE v_role text := current_setting('scep.role'); BEGIN "
			  "IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = v_role) THEN EXECUTE format('CREATE ROLE %I LOGIN', v_role); END IF; "
			  "IF NOT pg_has_role(v_role, current_setting('scep.group'), 'MEMBER') THEN "
			  "EXECUTE format('GRANT %I TO %I', current_setting('scep.group'), v_role); END IF; END $$"},
	[SQL_BE_OWNER] = {0, "SET LOCAL ROLE scep_owner"},
	/* A lock of the transaction, not of the session: it works through a connection pooler too. */
	[SQL_LOCK_MIGRATION] = {0, "SELECT pg_advisory_xact_lock(1396917073)"},
	[SQL_COMMIT] = {0, "COMMIT"},
	[SQL_ROLLBACK] = {0, "ROLLBACK"},
};

const struct statement_row *statement_row(enum statement sql)
{
	return &rows[sql];
}
