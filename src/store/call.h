/* One call of a statement with its parameters, all sent in binary, and the reading of result columns. */
#ifndef STORE_CALL_H
#define STORE_CALL_H

#include <libpq-fe.h>
#include <time.h>

#include "base/buf.h"
#include "store/statement.h"

#define CALL_PARAMS 32
#define CALL_TEXT_MAX 8192	/* longer text is cut: what we send as text is for people to read */

struct call_param {
	const uint8_t *borrowed;	/* NULL: the value is in `own`, from `at` */
	size_t at;
	int n;				/* -1: NULL */
};

/* {.sql = SQL_X} is a valid empty call. Parameters are added in order. */
struct call {
	enum statement sql;
	int n;
	struct call_param params[CALL_PARAMS];
	struct buf own;
};

void call_uuid(struct call *c, const uint8_t *uuid);		/* 16 octets, borrowed; NULL: NULL */
void call_bytes(struct call *c, struct bytes v);		/* borrowed */
void call_own(struct call *c, struct bytes v);			/* copied */
/* A text cut to CALL_TEXT_MAX, with everything that is not clean UTF-8 replaced by '?'. NULL: NULL. */
void call_text(struct call *c, const char *text);
void call_clean(const char *text, struct buf *out);		/* what call_text makes of it, appended */
void call_int(struct call *c, int v);
void call_long(struct call *c, long v);				/* int8 */
void call_no_int(struct call *c);				/* NULL */
void call_bool(struct call *c, bool v);
void call_time(struct call *c, time_t v);			/* 0: NULL */
void call_free(struct call *c);

/* Pointers as libpq wants them, valid until the call changes. */
void call_pointers(const struct call *c, const char *values[CALL_PARAMS], int lengths[CALL_PARAMS], int formats[CALL_PARAMS]);

int row_int(const PGresult *r, int row, int column);		/* int4; NULL: 0 */
long row_long(const PGresult *r, int row, int column);		/* int8; NULL: 0 */
bool row_bool(const PGresult *r, int row, int column);		/* NULL: false */
time_t row_time(const PGresult *r, int row, int column);	/* NULL: 0 */
char *row_str(const PGresult *r, int row, int column);		/* the caller frees; NULL: NULL */
struct bytes row_bytes(const PGresult *r, int row, int column);	/* borrowed */

#endif
