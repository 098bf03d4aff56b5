/* The responder's calls: admit, issue, poll, maintain. */
#include <gnutls/crypto.h>
#include <stdlib.h>
#include <string.h>

#include "base/codec.h"
#include "store/array.h"
#include "store/crl.h"
#include "store/internal.h"
#include "store/rate.h"

#define TXID_TEXT_MAX 255

/*
 * The request's digest covers the signer's key, so that another key can never meet this one's row, whatever the caller digests. Holders are counted
 * in each profile: its issuers call them as they like, and its window forgets what another's still counts.
 */
void store_digest_request(const struct store *s, const struct store_request *r, struct request_ids *ids)
{
	const struct bytes request[] = {r->signer_spki, r->digest_of};
	const struct bytes holder[] = {bytes_str(r->profile), r->once.holder};

	store_digest(s, "txid", r->txid, ids->txid);
	store_digest_parts(s, "request", request, 2, ids->request);
	store_digest(s, "signer", r->signer_spki, ids->signer);
	store_digest(s, "challenge", r->challenge, ids->challenge);
	store_digest(s, "device", bytes_str(r->device), ids->device);
	store_digest(s, "nonce", r->once.nonce, ids->nonce);
	store_digest_parts(s, "holder", holder, 2, ids->holder);
}

static const char *or_empty(const char *s)
{
	return s != NULL ? s : "";
}

void store_add_request(struct call *call, const struct store_request *r, const struct request_ids *ids)
{
	call_text(call, r->profile);
	call_uuid(call, ids->txid);
	call_uuid(call, ids->request);
	call_uuid(call, r->challenge.n > 0 ? ids->challenge : NULL);
	call_text(call, or_empty(r->subject));
	call_text(call, r->device);
	call_texts(call, r->sans);
	call_uuid(call, r->once.nonce.n > 0 ? ids->nonce : NULL);
	call_uuid(call, r->once.holder.n > 0 ? ids->holder : NULL);
	call_int(call, r->once.most);
	call_int(call, r->once.window_s);
}

void store_add_until(struct call *call, const struct store_request *r)
{
	call_time(call, r->once.until);
}

void store_take_answer(const PGresult *r, int der_column, int reason_column, struct store_answer *out)
{
	*out = (struct store_answer){.verdict = (enum store_verdict)row_int(r, 0, 0)};
	if (out->verdict == STORE_ISSUED)
		buf_add_bytes(&out->cert, row_bytes(r, 0, der_column));
	if (out->verdict == STORE_REJECTED && reason_column >= 0)
		out->reason = row_str(r, 0, reason_column);
}

static const struct {
	enum err err;
	enum store_verdict verdict;
} refusals[] = {
    {ERR_CHALLENGE, STORE_CHALLENGE},
    {ERR_RENEWAL, STORE_OLD_REVOKED},
    {ERR_TXN_PENDING, STORE_OTHER_PENDING},
    {ERR_QUEUE_FULL, STORE_QUEUE_FULL},
    {ERR_REPLAY, STORE_REPLAY},
    {ERR_SIGNED_RATE, STORE_HOLDER_LIMIT},
    {ERR_MAX_ACTIVE, STORE_MAX_ACTIVE},
};

bool store_verdict_of(enum err err, struct store_answer *out)
{
	for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
		if (refusals[i].err == err) {
			*out = (struct store_answer){.verdict = refusals[i].verdict};
			return true;
		}
	}
	return false;
}

/* The sentence that comes with a verdict of admit. */
static void tell_refusal(const PGresult *r, enum store_verdict verdict, struct why *why)
{
	for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
		if (refusals[i].verdict == verdict && !PQgetisnull(r, 0, 2))
			fail(why, refusals[i].err, "%s", PQgetvalue(r, 0, 2));
	}
}

static void take_old(const PGresult *r, struct store_old *out)
{
	if (PQgetisnull(r, 0, 3))
		return;
	buf_add_bytes(&out->cert, row_bytes(r, 0, 3));
	out->profile = row_str(r, 0, 4);
	out->revoked = row_bool(r, 0, 5);
}

void store_answer_free(struct store_answer *a)
{
	buf_free(&a->cert);
	buf_wipe(&a->secret);
	free(a->reason);
	free(a->subject);
	texts_free(a->values);
	buf_free(&a->old.cert);
	free(a->old.profile);
	*a = (struct store_answer){0};
}

/* A serial number of ours has exactly this size; any other certificate cannot be in the database. */
static void add_old(struct call *call, const struct store_request *r)
{
	call_uuid(call, r->old_serial.n == STORE_SERIAL_SIZE ? r->old_serial.p : NULL);
}

/* What store_pend was given, when it is in that column. */
static enum err take_secret(const struct store *s, const PGresult *r, int column, struct store_answer *out, struct why *why)
{
	enum err err = ERR_OK;

	if (!PQgetisnull(r, 0, column))
		err = store_unseal(s, row_bytes(r, 0, column), &out->secret, why);
	if (err != ERR_OK)
		store_answer_free(out);
	return err;
}

static void add_limits(struct store *s, struct call *call, const struct store_request *r)
{
	size_t n_when[3];

	rate_count(r->rates, r->n_rates, n_when);
	call_int(call, (int)n_when[RATE_ALWAYS]);
	call_int(call, (int)n_when[RATE_ACCEPTED]);
	rate_add(s, call, r->profile, r->rates, r->n_rates);
	call_bool(call, r->refused);
	call_bytes(call, r->signer_cert);
}

enum err store_admit(struct store *s, const struct store_request *r, struct store_answer *out, struct why *why)
{
	struct call call = {.sql = r->n_rates > 0 ? SQL_ADMIT_LIMITED : SQL_ADMIT};
	struct request_ids ids;
	PGresult *res;
	enum err err = store_need_pepper(s, why);

	if (err != ERR_OK)
		return err;
	store_digest_request(s, r, &ids);
	store_add_request(&call, r, &ids);
	add_old(&call, r);
	if (r->n_rates > 0)
		add_limits(s, &call, r);
	err = store_call(s, &call, &res, why);
	if (err != ERR_OK)
		return err;
	store_take_answer(res, 1, 2, out);
	take_old(res, &out->old);
	out->values = row_texts(res, 0, 7);
	tell_refusal(res, out->verdict, why);
	if (r->n_rates > 0)
		rate_take_answer(res, 8, r->rates, r->n_rates, out, why);
	err = take_secret(s, res, 6, out, why);
	PQclear(res);
	return err;
}

static void add_cert(struct call *call, const struct store_cert *c, const uint8_t issuer[32], const uint8_t spki[32])
{
	call_uuid(call, c->serial);
	call_uuid(call, issuer);
	call_time(call, c->not_before);
	call_time(call, c->not_after);
	call_bytes(call, bytes_of(spki, 32));
	call_text(call, c->subject);
	call_text(call, or_empty(c->sans));
	call_text(call, or_empty(c->requester));
	call_bytes(call, c->der);
}

/* SHA-256 */
void store_public_id(struct bytes of, uint8_t id[32])
{
	if (gnutls_hash_fast(GNUTLS_DIG_SHA256, of.p, of.n, id) < 0)
		abort();
}

enum err store_issuer_add(struct store *s, struct bytes issuer, struct bytes authority, struct why *why)
{
	struct call call = {.sql = SQL_ISSUER_ADD};
	uint8_t id[32], authority_id[32];
	PGresult *res;
	enum err err;

	store_public_id(issuer, id);
	store_public_id(authority.n > 0 ? authority : issuer, authority_id);
	call_uuid(&call, id);
	call_uuid(&call, authority_id);
	call_bytes(&call, issuer);
	err = store_call(s, &call, &res, why);
	if (err == ERR_OK)
		PQclear(res);
	return err;
}

/* NOT_FOUND: the issuer is not in the database yet. */
static enum err issue_once(struct store *s, const struct store_request *r, const struct store_cert *c, const uint8_t issuer[32],
    PGresult **res, struct why *why)
{
	struct call call = {.sql = SQL_ISSUE};
	struct request_ids ids;
	struct buf txid = {0};
	uint8_t spki[32];
	enum err err;

	store_digest_request(s, r, &ids);
	escape_text(&txid, r->txid, TXID_TEXT_MAX);
	store_public_id(c->spki, spki);
	store_add_request(&call, r, &ids);
	store_add_until(&call, r);
	call_uuid(&call, ids.signer);
	call_uuid(&call, r->device != NULL && *r->device != '\0' ? ids.device : NULL);
	call_text(&call, txid.p != NULL ? (const char *)txid.p : "");
	add_cert(&call, c, issuer, spki);
	add_old(&call, r);
	if (r->revoke_old)
		call_int(&call, r->revoke_old_after);
	else
		call_no_int(&call);
	call_int(&call, r->max_active);
	call_bool(&call, r->revoke_oldest);
	err = store_call(s, &call, res, why);
	buf_free(&txid);
	return err;
}

/* The first certificate of a CA finds its issuer missing: then that is added, and everything done again. */
static enum err issue_with_issuer(struct store *s, const struct store_request *r, const struct store_cert *c, const uint8_t issuer[32],
    PGresult **res, struct why *why)
{
	struct why first = {0};
	enum err err = issue_once(s, r, c, issuer, res, &first);

	if (err == ERR_NOT_FOUND) {
		err = store_issuer_add(s, c->issuer, c->authority, why);
		return err == ERR_OK ? issue_once(s, r, c, issuer, res, why) : err;
	}
	if (err != ERR_OK && why != NULL)
		*why = first;
	return err;
}

enum err store_issue(struct store *s, const struct store_request *r, const struct store_cert *c, struct store_answer *out, struct why *why)
{
	uint8_t issuer[32];
	struct bytes stored;
	PGresult *res = NULL;
	enum err err = store_need_pepper(s, why);

	if (err != ERR_OK)
		return err;
	store_public_id(c->issuer, issuer);
	err = issue_with_issuer(s, r, c, issuer, &res, why);
	if (store_verdict_of(err, out))
		return ERR_OK;
	if (err == ERR_CONFLICT)	/* 96 random bits twice: this certificate must not go out */
		return fail(why, ERR_INTERNAL, "the serial number exists already: is the random number generator broken?");
	if (err != ERR_OK)
		return err;
	store_take_answer(res, 2, -1, out);
	stored = row_bytes(res, 0, 1);
	if (out->verdict == STORE_ISSUED && stored.n == STORE_SERIAL_SIZE && memcmp(stored.p, c->serial, stored.n) == 0) {
		buf_free(&out->cert);	/* ours, recorded by a call whose answer was lost */
		out->verdict = STORE_GO_ON;
	}
	PQclear(res);
	return ERR_OK;
}

enum err store_poll(struct store *s, const char *profile, struct bytes txid, struct bytes signer_spki, struct store_answer *out,
    struct why *why)
{
	struct call call = {.sql = SQL_POLL};
	uint8_t txid_h[STORE_DIGEST_SIZE], signer_h[STORE_DIGEST_SIZE];
	PGresult *res;
	enum err err = store_need_pepper(s, why);

	if (err != ERR_OK)
		return err;
	store_digest(s, "txid", txid, txid_h);
	store_digest(s, "signer", signer_spki, signer_h);
	call_text(&call, profile);
	call_uuid(&call, txid_h);
	call_uuid(&call, signer_h);
	err = store_call(s, &call, &res, why);
	if (err != ERR_OK)
		return err;
	store_take_answer(res, 1, 2, out);
	out->subject = row_str(res, 0, 3);
	err = take_secret(s, res, 4, out, why);
	PQclear(res);
	return err;
}

enum err store_maintain(struct store *s, int limit, int *removed, struct why *why)
{
	struct call call = {.sql = SQL_MAINTAIN};
	PGresult *res;
	enum err err;

	call_int(&call, limit);
	err = store_call(s, &call, &res, why);
	if (err != ERR_OK)
		return err;
	*removed = row_int(res, 0, 0);
	PQclear(res);
	return ERR_OK;
}
