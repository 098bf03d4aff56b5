/* One connection of one process: opened at the first call, replaced when lost. */
#ifndef STORE_CONN_H
#define STORE_CONN_H

#include <libpq-fe.h>
#include <stdint.h>

#include "base/err.h"
#include "store/call.h"

struct conn;

struct conn *conn_new(const char *conninfo, const char *application);
void conn_free(struct conn *c);		/* NULL is allowed */

/*
 * Executes a call, each in its own transaction, within `timeout_ms`, connecting included. A lost connection leaves the outcome unknown:
 * then the call is made once more with the same parameters, so every statement is written to be repeated without harm. Rolled back for
 * concurrency: a few times more. The result has the statement's rows; the caller clears it. Errors: as sqlstate.c says, and CONFIG.
 */
enum err conn_call(struct conn *c, const struct call *call, int64_t timeout_ms, PGresult **out, struct why *why);

/* One step of a transaction that the caller begins and ends: never repeated. *out may be NULL if out is not wanted. */
enum err conn_step(struct conn *c, const struct call *call, int64_t deadline, PGresult **out, struct why *why);

/* The same for a text of several statements without parameters. */
enum err conn_script(struct conn *c, const char *text, int64_t deadline, struct why *why);

#endif
