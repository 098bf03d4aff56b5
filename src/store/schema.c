/* Roles, schema, migrations and the check at start-up. */
#include <gnutls/crypto.h>
#include <stdlib.h>
#include <string.h>

#include "store/internal.h"
#include "store/schema.h"
#include "store/sql_files.h"
#include "store/wait.h"

#define MIGRATION_TIMEOUT_MS (600 * 1000)	/* large tables, and waiting for whoever migrates at the same time */

struct about {				/* of SQL_ABOUT and SQL_VERSION */
	int server_version;
	char *role, *database;
	bool has_schema, has_versions;
	int version, min_reader;
	bool may_respond, may_administer;	/* the role is a member of scep_responder, of scep_admin */
};

static void about_free(struct about *a)
{
	free(a->role);
	free(a->database);
}

static int newest_version(void)
{
	const struct sql_file *f = sql_files;

	while (f[1].name != NULL)
		f++;
	return f->version;
}

/* Reads what is there; works without a schema too. */
static enum err read_about(struct store *s, struct about *out, struct why *why)
{
	struct call about = {.sql = SQL_ABOUT}, version = {.sql = SQL_VERSION};
	struct about a = {0};
	PGresult *res;
	enum err err = store_call(s, &about, &res, why);

	if (err != ERR_OK)
		return err;
	a.server_version = row_int(res, 0, 0);
	a.role = row_str(res, 0, 1);
	a.database = row_str(res, 0, 2);
	a.has_schema = row_bool(res, 0, 3);
	a.has_versions = row_bool(res, 0, 4);
	PQclear(res);
	if (a.has_versions) {
		err = store_call(s, &version, &res, why);
		if (err != ERR_OK) {
			about_free(&a);
			return err;
		}
		a.version = row_int(res, 0, 0);
		a.min_reader = row_int(res, 0, 1);
		a.may_respond = row_bool(res, 0, 2);
		a.may_administer = row_bool(res, 0, 3);
		PQclear(res);
	}
	*out = a;
	return ERR_OK;
}

static enum err step(struct store *s, enum statement sql, int64_t deadline, struct why *why)
{
	struct call call = {.sql = sql};

	return conn_step(s->conn, &call, deadline, NULL, why);
}

/* Ends a transaction: commits when all went well. A failure of the rollback itself changes nothing, the server does it anyway. */
static enum err finish(struct store *s, enum err err, int64_t deadline, struct why *why)
{
	if (err == ERR_OK)
		return step(s, SQL_COMMIT, deadline, why);
	step(s, SQL_ROLLBACK, deadline, NULL);
	return err;
}

/* Does what the database remembers of migration `f` agree with the program's? *applied: it is there. */
static enum err compare_applied(struct store *s, const struct sql_file *f, const uint8_t sha256[32], bool *applied, int64_t deadline,
    struct why *why)
{
	struct call call = {.sql = SQL_MIGRATION};
	PGresult *res;
	enum err err;

	call_int(&call, f->version);
	err = conn_step(s->conn, &call, deadline, &res, why);
	call_free(&call);
	if (err != ERR_OK)
		return err;
	*applied = PQntuples(res) == 1;
	if (*applied && !bytes_eq(row_bytes(res, 0, 1), bytes_of(sha256, 32)))
		err = fail(why, ERR_DB, "migration %03d_%s in the database is not this program's: the database was made by a development "
		    "version; dump the data and make a new one", f->version, PQgetvalue(res, 0, 0));
	PQclear(res);
	return err;
}

static enum err apply(struct store *s, const struct sql_file *f, const uint8_t sha256[32], int64_t deadline, struct why *why)
{
	struct call done = {.sql = SQL_MIGRATION_DONE};
	enum err err = conn_script(s->conn, f->text, deadline, why);

	if (err == ERR_OK) {
		call_int(&done, f->version);
		call_text(&done, f->name);
		call_bytes(&done, bytes_of(sha256, 32));
		call_int(&done, f->min_reader);
		err = conn_step(s->conn, &done, deadline, NULL, why);
		call_free(&done);
	}
	if (err != ERR_OK)
		fail_in(why, "migration %03d_%s", f->version, f->name);
	return err;
}

/* In a transaction that holds the lock. `has_versions`: there is a table of versions to compare with. */
static enum err migrate_all(struct store *s, bool has_versions, int64_t deadline, struct why *why)
{
	const struct sql_file *f;
	uint8_t sha256[32];
	bool applied;
	enum err err = ERR_OK;

	for (f = sql_files; f->name != NULL && err == ERR_OK; f++) {
		if (f->version == 0)
			continue;
		applied = false;
		store_public_id(bytes_str(f->text), sha256);
		if (has_versions)
			err = compare_applied(s, f, sha256, &applied, deadline, why);
		if (err == ERR_OK && !applied)
			err = apply(s, f, sha256, deadline, why);
	}
	return err;
}

/* The versions again, now that the lock is held: somebody else may have migrated while we waited. */
static enum err read_version_locked(struct store *s, bool *has_versions, int *version, int64_t deadline, struct why *why)
{
	struct call about = {.sql = SQL_ABOUT}, read = {.sql = SQL_VERSION};
	PGresult *res;
	enum err err = conn_step(s->conn, &about, deadline, &res, why);

	if (err != ERR_OK)
		return err;
	*version = 0;
	*has_versions = row_bool(res, 0, 4);
	PQclear(res);
	if (!*has_versions)
		return ERR_OK;
	err = conn_step(s->conn, &read, deadline, &res, why);
	if (err != ERR_OK)
		return err;
	*version = row_int(res, 0, 0);
	PQclear(res);
	return ERR_OK;
}

enum err store_migrate(struct store *s, int *from, int *to, struct why *why)
{
	int64_t deadline = clock_ms() + MIGRATION_TIMEOUT_MS;
	struct about about;
	bool has_versions = false;
	int version = 0;
	enum err err = read_about(s, &about, why);

	if (err != ERR_OK)
		return err;
	if (!about.has_schema)
		err = fail(why, ERR_DB, "database %s has no schema for scepter yet: run 'scepter db init'", about.database);
	about_free(&about);
	if (err != ERR_OK)
		return err;
	err = step(s, SQL_BEGIN, deadline, why);
	if (err == ERR_OK)
		err = step(s, SQL_BE_OWNER, deadline, why);
	if (err == ERR_OK)
		err = step(s, SQL_LOCK_MIGRATION, deadline, why);
	if (err == ERR_OK)
		err = read_version_locked(s, &has_versions, &version, deadline, why);
	if (err == ERR_OK)
		err = migrate_all(s, has_versions, deadline, why);
	err = finish(s, err, deadline, why);
	if (err != ERR_OK)
		return err;
	*from = version;
	*to = version > newest_version() ? version : newest_version();
	return ERR_OK;
}

static void pepper_check(const struct store *s, struct call *call, uint8_t digest[STORE_DIGEST_SIZE])
{
	store_digest(s, "pepper", BYTES_LIT("check"), digest);
	call_uuid(call, digest);
}

/* Remembers which pepper this database is used with, so that store_check can tell a wrong one. */
static enum err set_pepper(struct store *s, int64_t deadline, struct why *why)
{
	struct call call = {.sql = SQL_PEPPER_SET};
	uint8_t digest[STORE_DIGEST_SIZE];
	enum err err;

	pepper_check(s, &call, digest);
	err = step(s, SQL_BEGIN, deadline, why);
	if (err == ERR_OK)
		err = step(s, SQL_BE_OWNER, deadline, why);
	if (err == ERR_OK)
		err = conn_step(s->conn, &call, deadline, NULL, why);
	call_free(&call);
	return finish(s, err, deadline, why);
}

enum err store_init(struct store *s, struct why *why)
{
	int64_t deadline = clock_ms() + MIGRATION_TIMEOUT_MS;
	int from, to;
	enum err err = conn_script(s->conn, sql_files[0].text, deadline, why);

	if (err == ERR_OK)
		err = store_migrate(s, &from, &to, why);
	if (err == ERR_OK && s->pepper.n >= STORE_PEPPER_MIN)
		err = set_pepper(s, deadline, why);
	return err;
}

enum err store_status(struct store *s, struct store_status *out, struct why *why)
{
	struct call stats = {.sql = SQL_STATS};
	struct store_status status = {0};
	struct about about;
	PGresult *res;
	enum err err = read_about(s, &about, why);

	if (err != ERR_OK)
		return err;
	status.version = about.version;
	status.newest = newest_version();
	status.server_version = about.server_version;
	about_free(&about);
	if (status.version >= status.newest) {
		err = store_call(s, &stats, &res, why);
		if (err != ERR_OK)
			return err;
		status.n_certs = row_long(res, 0, 0);
		status.n_challenges = row_long(res, 0, 1);
		PQclear(res);
	}
	*out = status;
	return ERR_OK;
}

static enum err check_about(const struct about *a, enum store_role role, struct why *why)
{
	if (!a->has_schema)
		return fail(why, ERR_DB, "database %s has no schema for scepter yet: run 'scepter db init'", a->database);
	if (a->version < newest_version())
		return fail(why, ERR_DB, "schema is version %d, this program needs %d: run 'scepter db migrate'", a->version, newest_version());
	if (a->min_reader > newest_version())
		return fail(why, ERR_DB, "schema is version %d and serves programs from version %d on, this one has %d: install a newer scepter",
		    a->version, a->min_reader, newest_version());
	if (role == STORE_RESPONDER && !a->may_respond)
		return fail(why, ERR_DB, "role %s may not enrol: GRANT scep_responder TO %s", a->role, a->role);
	if (role == STORE_ADMIN && !a->may_administer)
		return fail(why, ERR_DB, "role %s may not make challenges: GRANT scep_admin TO %s", a->role, a->role);
	return ERR_OK;
}

static enum err check_pepper(struct store *s, struct why *why)
{
	struct call call = {.sql = SQL_PEPPER_GET};
	uint8_t digest[STORE_DIGEST_SIZE];
	PGresult *res;
	enum err err = store_need_pepper(s, why);

	if (err != ERR_OK)
		return err;
	pepper_check(s, &call, digest);
	err = store_call(s, &call, &res, why);
	if (err != ERR_OK)
		return err;
	if (PQntuples(res) == 1 && !row_bool(res, 0, 0))
		err = fail(why, ERR_DB, "the pepper is not the one this database is used with, so no challenge would be found: restore pepper_file "
		    "of scepter.ini [database], or run 'scepter db init' to begin with the new one (open challenges become void)");
	PQclear(res);
	return err;
}

static enum err check_as(struct store *s, enum store_role role, struct why *why)
{
	struct about about;
	enum err err = read_about(s, &about, why);

	if (err != ERR_OK)
		return err;
	err = check_about(&about, role, why);
	about_free(&about);
	return err == ERR_OK ? check_pepper(s, why) : err;
}

enum err store_check(struct store *s, struct why *why)
{
	return check_as(s, STORE_RESPONDER, why);
}

enum err store_check_admin(struct store *s, struct why *why)
{
	return check_as(s, STORE_ADMIN, why);
}
