/* The audit trail: what is written beside enrolments and operators' calls, and refusals, which are counted as they are written. */
#include "store/audit.h"

#include "store/rate.h"

/* The first seven parameters of audit_add and refuse. */
static enum err add_event(struct call *call, const struct store_event *e, uint8_t id[STORE_SERIAL_SIZE], struct why *why)
{
	enum err err = store_serial(time(NULL), id, why);

	if (err != ERR_OK)
		return err;
	call_uuid(call, id);
	call_text(call, e->kind);
	call_text(call, e->profile);
	call_text(call, e->reason != NULL ? e->reason : "");
	call_text(call, e->actor != NULL ? e->actor : "");
	call_text(call, e->txid);
	call_text(call, e->detail != NULL ? e->detail : "");
	return ERR_OK;
}

enum err store_audit(struct store *s, const struct store_event *e, struct why *why)
{
	struct call call = {.sql = SQL_AUDIT_ADD};
	uint8_t id[STORE_SERIAL_SIZE];
	PGresult *res;
	enum err err = add_event(&call, e, id, why);

	if (err == ERR_OK)
		err = store_call(s, &call, &res, why);
	if (err == ERR_OK)
		PQclear(res);
	return err;
}

enum err store_refuse(struct store *s, const struct store_event *e, const struct store_rate *rates, size_t n, struct store_answer *out,
    struct why *why)
{
	struct call call = {.sql = SQL_REFUSE};
	uint8_t id[STORE_SERIAL_SIZE];
	PGresult *res;
	enum err err = store_need_pepper(s, why);

	if (err != ERR_OK || (err = add_event(&call, e, id, why)) != ERR_OK)
		return err;
	rate_add(s, &call, e->profile, rates, n);
	if ((err = store_call(s, &call, &res, why)) != ERR_OK)
		return err;
	*out = (struct store_answer){.verdict = STORE_GO_ON};
	rate_take_answer(res, 0, rates, n, out, why);
	PQclear(res);
	return ERR_OK;
}
