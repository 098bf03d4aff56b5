#include "store/revoke.h"

#include "store/cert.h"
#include "store/internal.h"

enum revoke_result { REVOKED, REVOKED_BEFORE, NO_CERTIFICATE };

enum err store_revoke(struct store *s, const struct store_revocation *r, struct store_revoked *out, struct why *why)
{
	struct call call = {.sql = SQL_CERT_REVOKE};
	uint8_t serial[STORE_SERIAL_SIZE], audit[STORE_SERIAL_SIZE];
	enum revoke_result result;
	PGresult *res;
	enum err err;

	if (!store_parse_serial(r->serial, serial))
		return fail(why, ERR_NOT_FOUND, "'%s' is not a serial number in hexadecimal", r->serial);
	if ((err = store_serial(time(NULL), audit, why)) != ERR_OK)
		return err;
	call_uuid(&call, serial);
	call_int(&call, r->reason);
	call_text(&call, r->reason_name);
	call_time(&call, r->invalid_since);
	call_text(&call, r->actor);
	call_uuid(&call, audit);
	if ((err = store_call(s, &call, &res, why)) != ERR_OK)
		return err;
	result = (enum revoke_result)row_int(res, 0, 0);
	if (result == NO_CERTIFICATE)
		err = fail(why, ERR_NOT_FOUND, "there is no certificate with serial %s: see 'scepter cert list'", r->serial);
	else
		*out = (struct store_revoked){.before = result == REVOKED_BEFORE, .at = row_time(res, 0, 1), .reason = row_int(res, 0, 2)};
	PQclear(res);
	return err;
}

/* As a client sends it or a certificate has it: the INTEGER's octets. NULL: it cannot be one of ours. */
static const uint8_t *our_serial(struct bytes serial)
{
	return serial.n == STORE_SERIAL_SIZE ? serial.p : NULL;
}

enum err store_lookup(struct store *s, const struct store_lookup_of *of, struct store_found *out, struct why *why)
{
	struct call call = {.sql = SQL_LOOKUP};
	uint8_t id[32];
	PGresult *res;
	enum err err;

	store_public_id(of->authority, id);
	call_uuid(&call, id);
	call_text(&call, of->profile);
	call_uuid(&call, our_serial(of->serial));
	call_uuid(&call, our_serial(of->signer_serial));
	if ((err = store_call(s, &call, &res, why)) != ERR_OK)
		return err;
	*out = (struct store_found){.signer_revoked = row_bool(res, 0, 2)};
	buf_add_bytes(&out->cert, row_bytes(res, 0, 0));
	buf_add_bytes(&out->signer, row_bytes(res, 0, 1));
	PQclear(res);
	return ERR_OK;
}

void store_found_free(struct store_found *found)
{
	buf_free(&found->cert);
	buf_free(&found->signer);
	*found = (struct store_found){0};
}
