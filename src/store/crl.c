#include "store/crl.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "store/internal.h"

static enum err unknown(PGresult *res, struct why *why)
{
	PQclear(res);
	return fail(why, ERR_NOT_FOUND, "the database does not know this CA yet");
}

enum err store_crl_check(struct store *s, struct bytes authority, long known, struct store_crl *out, struct why *why)
{
	struct call call = {.sql = SQL_CRL_CHECK};
	uint8_t id[32];
	PGresult *res;
	enum err err;

	store_public_id(authority, id);
	call_uuid(&call, id);
	if (known == STORE_CRL_NO_OCTETS)
		call_no_int(&call);
	else
		call_long(&call, known);
	if ((err = store_call(s, &call, &res, why)) != ERR_OK)
		return err;
	if (PQntuples(res) == 0)
		return unknown(res, why);
	*out = (struct store_crl){
	    .number = row_long(res, 0, 0),
	    .this_update = row_time(res, 0, 1),
	    .next_update = row_time(res, 0, 2),
	    .waits = row_bool(res, 0, 3),
	    .now = row_time(res, 0, 4),
	};
	if (!PQgetisnull(res, 0, 5))	/* even an empty buffer owns memory once something was added */
		buf_add_bytes(&out->der, row_bytes(res, 0, 5));
	PQclear(res);
	return ERR_OK;
}

enum err store_crl_take(struct store *s, struct bytes authority, long number, int seconds, bool *taken, struct why *why)
{
	struct call call = {.sql = SQL_CRL_TAKE};
	uint8_t id[32];
	PGresult *res;
	enum err err;

	store_public_id(authority, id);
	call_uuid(&call, id);
	call_long(&call, number);
	call_int(&call, seconds);
	if ((err = store_call(s, &call, &res, why)) != ERR_OK)
		return err;
	*taken = row_bool(res, 0, 0);
	PQclear(res);
	return ERR_OK;
}

static struct store_crl_entry read_entry(const PGresult *r, int row)
{
	struct bytes serial = row_bytes(r, row, 3);
	struct store_crl_entry e = {
	    .revoked = row_time(r, row, 4),
	    .reason = row_int(r, row, 5),
	    .invalid_since = row_time(r, row, 6),
	    .fresh = row_bool(r, row, 7),
	};

	memcpy(e.serial, serial.p, serial.n < STORE_SERIAL_SIZE ? serial.n : STORE_SERIAL_SIZE);
	return e;
}

enum err store_crl_entries(struct store *s, struct bytes authority, struct store_crl_list *out, struct why *why)
{
	struct call call = {.sql = SQL_CRL_ENTRIES};
	uint8_t id[32];
	PGresult *res;
	enum err err;

	store_public_id(authority, id);
	call_uuid(&call, id);
	if ((err = store_call(s, &call, &res, why)) != ERR_OK)
		return err;
	if (PQntuples(res) == 0)
		return unknown(res, why);
	*out = (struct store_crl_list){.number = row_long(res, 0, 0), .after = row_long(res, 0, 1), .now = row_time(res, 0, 2)};
	if (!PQgetisnull(res, 0, 3)) {	/* otherwise the one row says that there is nothing */
		out->n = (size_t)PQntuples(res);
		out->entries = mem_alloc(out->n * sizeof(*out->entries));
	}
	for (size_t i = 0; i < out->n; i++)
		out->entries[i] = read_entry(res, (int)i);
	PQclear(res);
	return ERR_OK;
}

void store_crl_list_free(struct store_crl_list *list)
{
	free(list->entries);
	*list = (struct store_crl_list){0};
}

enum err store_crl_publish(struct store *s, struct bytes authority, const struct store_crl_signed *crl, bool *won, struct why *why)
{
	struct call call = {.sql = SQL_CRL_PUBLISH};
	uint8_t id[32], audit[STORE_SERIAL_SIZE];
	struct buf fresh = {0};
	PGresult *res;
	enum err err = store_serial(time(NULL), audit, why);

	if (err != ERR_OK)
		return err;
	for (size_t i = 0; i < crl->list->n; i++) {
		if (crl->list->entries[i].fresh)
			buf_add(&fresh, crl->list->entries[i].serial, STORE_SERIAL_SIZE);
	}
	store_public_id(authority, id);
	call_uuid(&call, id);
	call_long(&call, crl->list->number);
	call_long(&call, crl->list->after);
	call_time(&call, crl->this_update);
	call_time(&call, crl->next_update);
	call_int(&call, (int)crl->list->n);
	call_bytes(&call, buf_bytes(&fresh));
	call_bytes(&call, crl->der);
	call_text(&call, crl->actor);
	call_uuid(&call, audit);
	err = store_call(s, &call, &res, why);
	buf_free(&fresh);
	if (err != ERR_OK)
		return err;
	*won = row_bool(res, 0, 0);
	PQclear(res);
	return ERR_OK;
}
