/* One-time challenges, as operators see them. */
#include <gnutls/crypto.h>
#include <stdlib.h>

#include "base/mem.h"
#include "store/array.h"
#include "store/challenge.h"
#include "store/internal.h"

#define ID_ATTEMPTS 5

enum added { ADDED, EXISTS, ID_TAKEN };	/* scep.challenge_add */

enum err store_make_id(char id[STORE_ID_LENGTH + 1], struct why *why)
{
	static const char alphabet[] = "abcdefghijklmnopqrstuvwxyz234567";
	uint8_t random[STORE_ID_LENGTH];
	int i;

	if (gnutls_rnd(GNUTLS_RND_NONCE, random, sizeof(random)) < 0)
		return fail(why, ERR_INTERNAL, "no random numbers");
	for (i = 0; i < STORE_ID_LENGTH; i++)
		id[i] = alphabet[random[i] & 31];
	id[STORE_ID_LENGTH] = '\0';
	return ERR_OK;
}

static enum err add_once(struct store *s, const uint8_t digest[STORE_DIGEST_SIZE], const struct store_challenge *c, const char *id,
    enum added *added, struct why *why)
{
	struct call call = {.sql = SQL_CHALLENGE_ADD};
	uint8_t audit_id[STORE_SERIAL_SIZE];
	PGresult *res;
	enum err err = store_serial(time(NULL), audit_id, why);

	if (err != ERR_OK)
		return err;
	call_uuid(&call, digest);
	call_text(&call, id);
	call_time(&call, c->created);
	call_time(&call, c->expires);
	call_int(&call, c->uses_left);
	call_text(&call, c->profile);
	call_text(&call, c->subject);
	call_text(&call, c->device);
	call_text(&call, c->created_by != NULL ? c->created_by : "");
	call_uuid(&call, audit_id);
	call_texts(&call, (const char *const *)c->sans);
	call_texts(&call, (const char *const *)c->values);
	err = store_call(s, &call, &res, why);
	if (err != ERR_OK)
		return err;
	*added = (enum added)row_int(res, 0, 0);
	PQclear(res);
	return ERR_OK;
}

enum err store_challenge_add(struct store *s, struct bytes secret, struct store_challenge *c, struct why *why)
{
	uint8_t digest[STORE_DIGEST_SIZE];
	char id[STORE_ID_LENGTH + 1];
	enum added added = ID_TAKEN;
	enum err err = store_need_pepper(s, why);
	int i;

	if (err != ERR_OK)
		return err;
	if (c->expires == 0 || c->uses_left < 1)
		return fail(why, ERR_INTERNAL, "a challenge needs an expiry and at least one use");
	store_digest(s, "challenge", secret, digest);
	for (i = 0; i < ID_ATTEMPTS && added == ID_TAKEN; i++) {
		err = store_make_id(id, why);
		if (err == ERR_OK)
			err = add_once(s, digest, c, id, &added, why);
		if (err != ERR_OK)
			return err;
	}
	if (added != ADDED)
		return fail(why, ERR_CONFLICT, "this challenge exists already");
	c->id = mem_strdup(id);
	return ERR_OK;
}

static struct store_challenge read_challenge(const PGresult *r, int row)
{
	return (struct store_challenge){
	    .id = row_str(r, row, 0),
	    .profile = row_str(r, row, 1),
	    .subject = row_str(r, row, 2),
	    .device = row_str(r, row, 3),
	    .created_by = row_str(r, row, 4),
	    .created = row_time(r, row, 5),
	    .expires = row_time(r, row, 6),
	    .consumed = row_time(r, row, 7),
	    .uses_left = row_int(r, row, 8),
	    .revoked = row_bool(r, row, 9),
	    .sans = row_texts(r, row, 10),
	    .values = row_texts(r, row, 11),
	};
}

enum err store_challenge_list(struct store *s, const char *profile, bool all, int most, struct store_challenge **list, size_t *n,
    struct why *why)
{
	struct call call = {.sql = SQL_CHALLENGE_LIST};
	PGresult *res;
	enum err err;
	int i;

	call_text(&call, profile);
	call_bool(&call, all);
	call_int(&call, most);
	err = store_call(s, &call, &res, why);
	if (err != ERR_OK)
		return err;
	*n = (size_t)PQntuples(res);
	*list = mem_alloc(*n * sizeof(**list));
	for (i = 0; i < PQntuples(res); i++)
		(*list)[i] = read_challenge(res, i);
	PQclear(res);
	return ERR_OK;
}

void store_challenge_list_free(struct store_challenge *list, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++) {
		free(list[i].id);
		free(list[i].profile);
		free(list[i].subject);
		free(list[i].device);
		free(list[i].created_by);
		texts_free(list[i].sans);
		texts_free(list[i].values);
	}
	free(list);
}

static enum err no_challenge(const char *id, struct why *why)
{
	return fail(why, ERR_NOT_FOUND, "there is no challenge '%.40s': see 'scepter challenge list'", id);
}

enum err store_challenge_profile(struct store *s, const char *id, char **profile, struct why *why)
{
	struct call call = {.sql = SQL_CHALLENGE_PROFILE};
	PGresult *res;
	enum err err;

	call_text(&call, id);
	err = store_call(s, &call, &res, why);
	if (err != ERR_OK)
		return err;
	if (PQntuples(res) == 1)
		*profile = row_str(res, 0, 0);
	else
		err = no_challenge(id, why);
	PQclear(res);
	return err;
}

enum err store_challenge_revoke(struct store *s, const char *id, const char *actor, struct why *why)
{
	struct call call = {.sql = SQL_CHALLENGE_REVOKE};
	uint8_t audit_id[STORE_SERIAL_SIZE];
	PGresult *res;
	bool found;
	enum err err = store_serial(time(NULL), audit_id, why);

	if (err != ERR_OK)
		return err;
	call_text(&call, id);
	call_text(&call, actor);
	call_uuid(&call, audit_id);
	err = store_call(s, &call, &res, why);
	if (err != ERR_OK)
		return err;
	found = row_bool(res, 0, 0);
	PQclear(res);
	return found ? ERR_OK : no_challenge(id, why);
}
