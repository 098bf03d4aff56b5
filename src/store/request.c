#include "store/request.h"

#include <stdlib.h>
#include <time.h>

#include "base/codec.h"
#include "base/mem.h"
#include "store/internal.h"

#define TXID_TEXT_MAX 255

/* What the call's parameters point into. */
struct pend_params {
	struct request_ids ids;
	uint8_t audit[STORE_SERIAL_SIZE];
	char id[STORE_ID_LENGTH + 1];
	struct buf txid, sealed;
};

static enum err make_params(struct store *s, const struct store_request *r, const struct store_pend *p, struct pend_params *out,
    struct why *why)
{
	enum err err;

	if ((err = store_need_pepper(s, why)) != ERR_OK || (err = store_make_id(out->id, why)) != ERR_OK ||
	    (err = store_serial(time(NULL), out->audit, why)) != ERR_OK)
		return err;
	store_digest_request(s, r, &out->ids);
	escape_text(&out->txid, r->txid, TXID_TEXT_MAX);
	return store_seal(s, p->secret, &out->sealed, why);
}

static void add_params(struct call *call, const struct store_request *r, const struct store_pend *p, const struct pend_params *params)
{
	store_add_request(call, r, &params->ids);
	store_add_until(call, r);
	call_uuid(call, params->ids.signer);
	call_text(call, buf_str(&params->txid));
	call_text(call, params->id);
	call_int(call, p->approvals);
	call_int(call, (int)p->keep_s);
	call_int(call, p->most);
	call_text(call, p->sans);
	call_text(call, p->key);
	call_text(call, p->requester);
	call_bytes(call, buf_bytes(&params->sealed));
	call_uuid(call, params->audit);
}

enum err store_pend(struct store *s, const struct store_request *r, const struct store_pend *p, struct store_answer *out, struct why *why)
{
	struct pend_params params = {0};
	struct call call = {.sql = SQL_PEND};
	PGresult *res;
	enum err err = make_params(s, r, p, &params, why);

	if (err == ERR_OK) {
		add_params(&call, r, p, &params);
		err = store_call(s, &call, &res, why);
		if (err == ERR_OK) {
			store_take_answer(res, 1, 2, out);
			PQclear(res);
		} else if (store_verdict_of(err, out)) {
			err = ERR_OK;
		}
	}
	buf_free(&params.txid);
	buf_free(&params.sealed);
	return err;
}

static struct store_request_row read_row(const PGresult *r, int row)
{
	return (struct store_request_row){
	    .id = row_str(r, row, 0),
	    .profile = row_str(r, row, 1),
	    .state = (enum store_request_state)row_int(r, row, 2),
	    .subject = row_str(r, row, 3),
	    .sans = row_str(r, row, 4),
	    .key = row_str(r, row, 5),
	    .device = row_str(r, row, 6),
	    .txid = row_str(r, row, 7),
	    .requester = row_str(r, row, 8),
	    .reason = row_str(r, row, 9),
	    .created = row_time(r, row, 10),
	    .expires = row_time(r, row, 11),
	    .approvals = row_int(r, row, 12),
	    .approved_by = row_str(r, row, 13),
	    .serial = store_row_hex(r, row, 14),
	};
}

enum err store_request_list(struct store *s, const char *profile, const char *id, bool all, struct store_request_row **list, size_t *n,
    struct why *why)
{
	struct call call = {.sql = SQL_REQUEST_LIST};
	PGresult *res;
	enum err err;

	call_text(&call, profile);
	call_text(&call, id);
	call_bool(&call, all);
	if ((err = store_call(s, &call, &res, why)) != ERR_OK)
		return err;
	*n = (size_t)PQntuples(res);
	*list = mem_alloc(*n * sizeof(**list));
	for (size_t i = 0; i < *n; i++)
		(*list)[i] = read_row(res, (int)i);
	PQclear(res);
	return ERR_OK;
}

void store_request_list_free(struct store_request_row *list, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		char *const texts[] = {list[i].id, list[i].profile, list[i].subject, list[i].sans, list[i].key, list[i].device, list[i].txid,
		    list[i].requester, list[i].reason, list[i].approved_by, list[i].serial};

		for (size_t k = 0; k < sizeof(texts) / sizeof(texts[0]); k++)
			free(texts[k]);
	}
	free(list);
}

/* The answers of scep.request_decide. */
enum decided { DECIDED_FINAL, DECIDED_MORE, DECIDED_NONE, DECIDED_BEFORE, DECIDED_BY_YOU };

enum err store_request_decide(struct store *s, const char *id, bool approve, const char *actor, const char *reason, bool *final,
    struct why *why)
{
	struct call call = {.sql = SQL_REQUEST_DECIDE};
	uint8_t audit[STORE_SERIAL_SIZE];
	enum decided decided;
	PGresult *res;
	enum err err = store_serial(time(NULL), audit, why);

	if (err != ERR_OK)
		return err;
	call_text(&call, id);
	call_bool(&call, approve);
	call_text(&call, actor);
	call_text(&call, reason);
	call_uuid(&call, audit);
	if ((err = store_call(s, &call, &res, why)) != ERR_OK)
		return err;
	decided = (enum decided)row_int(res, 0, 0);
	PQclear(res);
	if (decided == DECIDED_NONE)
		return fail(why, ERR_NOT_FOUND, "there is no request %s: see 'scepter request list'", id);
	if (decided == DECIDED_BEFORE)
		return fail(why, ERR_CONFLICT, "request %s is decided already, or expired: see 'scepter request show %s'", id, id);
	if (decided == DECIDED_BY_YOU)
		return fail(why, ERR_CONFLICT, "%s approved request %s before; somebody else has to", actor, id);
	*final = decided == DECIDED_FINAL;
	return ERR_OK;
}
