#include "store/internal.h"
#include "store/schema.h"
#include "store/wait.h"

#define GRANT_TIMEOUT_MS 30000

static enum err step(struct store *s, enum statement sql, int64_t deadline, struct why *why)
{
	struct call call = {.sql = sql};

	return conn_step(s->conn, &call, deadline, NULL, why);
}

/* The names go to the transaction's settings, where the block that quotes them finds them: GRANT takes no parameters. */
static enum err set_names(struct store *s, const char *role, const char *group, int64_t deadline, struct why *why)
{
	struct call call = {.sql = SQL_GRANT_NAMES};
	enum err err;

	call_text(&call, role);
	call_text(&call, group);
	err = conn_step(s->conn, &call, deadline, NULL, why);
	call_free(&call);
	return err;
}

enum err store_grant(struct store *s, const char *role, enum store_role group, struct why *why)
{
	static const char *const groups[] = {"scep_responder", "scep_admin"};
	int64_t deadline = clock_ms() + GRANT_TIMEOUT_MS;
	enum err err = step(s, SQL_BEGIN, deadline, why);

	if (err == ERR_OK)
		err = set_names(s, role, groups[group], deadline, why);
	if (err == ERR_OK)
		err = step(s, SQL_GRANT, deadline, why);
	if (err == ERR_OK)
		return step(s, SQL_COMMIT, deadline, why);
	step(s, SQL_ROLLBACK, deadline, NULL);
	return err;
}
