#include "store/conn.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "store/sqlstate.h"
#include "store/target.h"
#include "store/wait.h"

#define REPEATS_LOST 1
#define REPEATS_CONFLICT 4

struct conn {
	struct targets *targets;
	PGconn *pg;
	pid_t pid;		/* who opened pg */
	bool not_replicated;	/* a commit stopped waiting for its standby */
};

enum outcome {
	DONE,
	REFUSED,	/* the server answered with an error */
	LOST		/* no answer, or one that does not settle it: nobody knows whether it was committed */
};

struct conn *conn_new(const char *conninfo, const char *application)
{
	struct conn *c = mem_alloc(sizeof(*c));

	c->targets = targets_new(conninfo, application);
	return c;
}

/* A connection inherited through fork is the parent's: its socket is closed here without a word to the server, the rest leaks. */
static void disconnect(struct conn *c)
{
	if (c->pg != NULL && c->pid != getpid())
		close(PQsocket(c->pg));
	else
		PQfinish(c->pg);
	c->pg = NULL;
}

void conn_free(struct conn *c)
{
	if (c == NULL)
		return;
	disconnect(c);
	targets_free(c->targets);
	free(c);
}

/*
 * Silences libpq, which prints notices to stderr, and looks for one of them: a cancelled wait for a synchronous standby comes as success
 * with a warning, but the commit may not survive a fail-over. It is known by the server function that says it, in any language.
 */
static void on_notice(void *arg, const PGresult *notice)
{
	struct conn *c = arg;
	const char *function = PQresultErrorField(notice, PG_DIAG_SOURCE_FUNCTION);

	if (function != NULL && strcmp(function, "SyncRepWaitForLSN") == 0)
		c->not_replicated = true;
}

static enum err ensure_connected(struct conn *c, int64_t deadline, struct why *why)
{
	enum err err;

	if (c->pg != NULL && c->pid == getpid())
		return ERR_OK;
	disconnect(c);
	err = targets_connect(c->targets, deadline, &c->pg, why);
	if (err != ERR_OK)
		return err;
	c->pid = getpid();
	PQsetNoticeReceiver(c->pg, on_notice, c);
	PQsetnonblocking(c->pg, 1);
	return ERR_OK;
}

/* Sends what is queued and waits until a result can be fetched without blocking. */
static bool wait_answer(struct conn *c, int64_t deadline)
{
	int flush;

	while ((flush = PQflush(c->pg)) > 0) {
		if (!wait_socket(PQsocket(c->pg), POLLIN | POLLOUT, deadline) || !PQconsumeInput(c->pg))
			return false;
	}
	if (flush < 0)
		return false;
	while (PQisBusy(c->pg)) {
		if (!wait_socket(PQsocket(c->pg), POLLIN, deadline) || !PQconsumeInput(c->pg))
			return false;
	}
	return true;
}

/* The result of what was sent: the first one that failed, else the last one. NULL when the connection is lost or too slow. */
static PGresult *collect(struct conn *c, int64_t deadline)
{
	PGresult *kept = NULL, *r;

	for (;;) {
		if (!wait_answer(c, deadline)) {
			PQclear(kept);
			return NULL;
		}
		r = PQgetResult(c->pg);
		if (r == NULL)
			return kept;
		if (kept != NULL && PQresultStatus(kept) == PGRES_FATAL_ERROR) {
			PQclear(r);
		} else {
			PQclear(kept);
			kept = r;
		}
	}
}

static bool send_call(struct conn *c, const struct call *call)
{
	const struct statement_row *statement = statement_row(call->sql);
	const char *values[CALL_PARAMS];
	int lengths[CALL_PARAMS], formats[CALL_PARAMS];

	if (call->n != statement->n_params)
		abort();
	call_pointers(call, values, lengths, formats);
	return PQsendQueryParams(c->pg, statement->text, call->n, NULL, values, lengths, formats, 1) == 1;
}

/*
 * One execution on the open connection, of a call or a script. `sqlstate` is set with REFUSED. SQLSTATE alone does not tell whether a
 * connection is gone (the FATAL of a shutdown has none): PQstatus does.
 */
static enum outcome execute(struct conn *c, const struct call *call, const char *script, int64_t deadline, PGresult **out,
    char sqlstate[6], struct why *why)
{
	PGresult *r = NULL;
	const char *state;
	bool sent;

	c->not_replicated = false;
	sent = call != NULL ? send_call(c, call) : PQsendQuery(c->pg, script) == 1;
	if (sent)
		r = collect(c, deadline);
	if (r == NULL || PQstatus(c->pg) == CONNECTION_BAD) {
		fail(why, ERR_DB, clock_ms() >= deadline ? "the database did not answer in time" : "the database connection was lost");
		PQclear(r);
		disconnect(c);
		return LOST;
	}
	if (PQresultStatus(r) == PGRES_FATAL_ERROR) {
		state = PQresultErrorField(r, PG_DIAG_SQLSTATE);
		snprintf(sqlstate, 6, "%s", state != NULL ? state : "");
		fail(why, ERR_DB, "%s", PQresultErrorField(r, PG_DIAG_MESSAGE_PRIMARY) != NULL ?
		    PQresultErrorField(r, PG_DIAG_MESSAGE_PRIMARY) : "unknown database error");
		PQclear(r);
		return REFUSED;
	}
	if (c->not_replicated) {
		fail(why, ERR_DB, "the standby did not confirm the commit");
		PQclear(r);
		return LOST;
	}
	*out = r;
	return DONE;
}

/* The error of a refusal, its sentence completed by SQLSTATE and remedy. */
static enum err refusal(const struct sqlstate_row *row, const char *sqlstate, struct why *why)
{
	char text[sizeof(why->text)];

	if (why == NULL)
		return row->err;
	snprintf(text, sizeof(text), "%s", why->text);
	if (row->err != ERR_DB)
		return fail(why, row->err, "%s", text);
	if (row->remedy == NULL)
		return fail(why, ERR_DB, "database: %s (SQLSTATE %s)", text, sqlstate);
	return fail(why, ERR_DB, "database: %s (SQLSTATE %s): %s", text, sqlstate, row->remedy);
}

static enum err call_until(struct conn *c, const struct call *call, int64_t deadline, PGresult **out, struct why *why)
{
	const struct sqlstate_row *row;
	char sqlstate[6] = "";
	int lost = 0, conflicts = 0;
	enum err err;

	for (;;) {
		err = ensure_connected(c, deadline, why);
		if (err != ERR_OK)
			return err;
		switch (execute(c, call, NULL, deadline, out, sqlstate, why)) {
		case DONE:
			return ERR_OK;
		case LOST:
			if (++lost > REPEATS_LOST || clock_ms() >= deadline)
				return ERR_DB;
			break;
		case REFUSED:
			row = sqlstate_row(sqlstate);
			if (row->action == SQL_RECONNECT)
				disconnect(c);
			if (row->action == SQL_GIVE_UP || ++conflicts > REPEATS_CONFLICT || !wait_back_off(conflicts, deadline))
				return refusal(row, sqlstate, why);
			break;
		}
	}
}

enum err conn_call(struct conn *c, const struct call *call, int64_t timeout_ms, PGresult **out, struct why *why)
{
	struct why last = {0};	/* what went wrong before a repetition succeeded does not matter */
	enum err err = call_until(c, call, clock_ms() + timeout_ms, out, &last);

	if (err != ERR_OK && why != NULL)
		*why = last;
	return err;
}

static enum err step(struct conn *c, const struct call *call, const char *script, int64_t deadline, PGresult **out, struct why *why)
{
	char sqlstate[6] = "";
	PGresult *r = NULL;
	enum err err = ensure_connected(c, deadline, why);

	if (err != ERR_OK)
		return err;
	switch (execute(c, call, script, deadline, &r, sqlstate, why)) {
	case DONE:
		if (out != NULL)
			*out = r;
		else
			PQclear(r);
		return ERR_OK;
	case REFUSED:
		return refusal(sqlstate_row(sqlstate), sqlstate, why);
	case LOST:
		break;
	}
	return ERR_DB;
}

enum err conn_step(struct conn *c, const struct call *call, int64_t deadline, PGresult **out, struct why *why)
{
	return step(c, call, NULL, deadline, out, why);
}

enum err conn_script(struct conn *c, const char *text, int64_t deadline, struct why *why)
{
	return step(c, NULL, text, deadline, NULL, why);
}
