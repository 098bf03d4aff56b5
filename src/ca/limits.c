#include "ca/limits.h"

#include <arpa/inet.h>
#include <string.h>

#include "base/codec.h"
#include "ca/approve.h"
#include "ca/overload.h"
#include "ca/renew.h"
#include "ca/work.h"

static const char *source_of(const struct work *w)
{
	return w->limits.source;
}

static const char *profile_of(const struct work *w)
{
	return w->env->profile->conf->name;
}

static const char *device_of(const struct work *w)
{
	return buf_str(&w->device);
}

static const char *key_of(const struct work *w)
{
	return w->limits.key;
}

#define AT(member) offsetof(struct limits_conf, member)
/* What is known before the message is read comes first. */
static const struct {
	const char *kind;
	enum store_rate_when when;
	size_t at;
	const char *(*of)(const struct work *w);	/* "": there is none, nothing to count */
} rows[LIMITS_MAX] = {
    {"source", RATE_ALWAYS, AT(per_source), source_of},
    {"profile", RATE_ALWAYS, AT(per_profile), profile_of},
    {"device", RATE_ACCEPTED, AT(per_device), device_of},
    {"key", RATE_ACCEPTED, AT(per_key), key_of},
    {"source of wrong challenges", RATE_REFUSED, AT(wrong_challenges), source_of},
};

/* What a client gets at by guessing, or by sending again what somebody else sent: refused, it counts. */
static const enum err guesses[] = {ERR_CHALLENGE, ERR_SIGNED_FORM, ERR_SIGNED_SIG, ERR_SIGNED_VERSION, ERR_SIGNED_EARLY, ERR_SIGNED_LATE,
    ERR_SIGNED_AUDIENCE, ERR_SIGNED_CLAIM, ERR_REPLAY};

static bool is_guess(const struct work *w, enum err err)
{
	for (size_t i = 0; i < sizeof(guesses) / sizeof(guesses[0]); i++) {
		if (guesses[i] == err)
			return work_password(w).n > 0;
	}
	return false;
}

static const struct conf_rate *rate_of(const struct work *w, size_t row)
{
	return (const struct conf_rate *)((const char *)&w->env->profile->conf->limits + rows[row].at);
}

void limits_source(const char *peer, char out[LIMITS_SOURCE_SIZE])
{
	uint8_t octets[16];
	char text[INET6_ADDRSTRLEN];

	out[0] = '\0';
	if (inet_pton(AF_INET, peer, octets) == 1) {
		inet_ntop(AF_INET, octets, out, LIMITS_SOURCE_SIZE);
	} else if (inet_pton(AF_INET6, peer, octets) == 1) {
		if (memcmp(octets, "\0\0\0\0\0\0\0\0\0\0\xff\xff", 12) == 0) {	/* IPv4 at a socket for both: RFC 4291, 2.5.5.2 */
			inet_ntop(AF_INET, octets + 12, out, LIMITS_SOURCE_SIZE);
			return;
		}
		memset(octets + 8, 0, 8);	/* one site has at least so many addresses: RFC 6177 */
		inet_ntop(AF_INET6, octets, text, sizeof(text));
		snprintf(out, LIMITS_SOURCE_SIZE, "%s/64", text);
	}
}

static bool counts(const struct work *w, size_t row)
{
	return rate_of(w, row)->most > 0 && rows[row].of(w)[0] != '\0';
}

static enum err recall(struct work *w, enum store_rate_when when)
{
	int64_t now = overload_now();

	for (size_t i = 0; i < LIMITS_MAX; i++) {
		int left = rows[i].when == when && counts(w, i) ?
		    overload_left(w->env->overload, profile_of(w), rows[i].kind, rows[i].of(w), now) : 0;

		if (left == 0)
			continue;
		w->out->retry_after = left;
		return fail(&w->out->why, ERR_THROTTLED, "%s '%s' is over its limit, for %d s more", rows[i].kind, rows[i].of(w), left);
	}
	return ERR_OK;
}

enum err limits_recall(struct work *w)
{
	limits_source(w->env->peer, w->limits.source);
	return recall(w, RATE_ALWAYS);
}

/* A request that an old certificate may authorise needs no challenge. Whoever only pretends to have one is found out by store_admit. */
enum err limits_recall_challenge(struct work *w)
{
	return renew_claims(w) || w->env->profile->former != NULL ? ERR_OK : recall(w, RATE_REFUSED);
}

static void add(struct work *w, size_t row, size_t *n)
{
	if (!counts(w, row))
		return;
	w->limits.rates[(*n)++] = (struct store_rate){
	    .when = rows[row].when,
	    .kind = rows[row].kind,
	    .of = rows[row].of(w),
	    .most = (int)rate_of(w, row)->most,
	    .window_s = (int)rate_of(w, row)->window_s,
	};
}

static void note_key(struct work *w)
{
	uint8_t digest[64];
	struct buf hex = {0};

	hex_encode(&hex, bytes_of(digest, digest_of(digest_row(DIGEST_SHA256), w->csr->spki, digest)));
	memcpy(w->limits.key, buf_str(&hex), sizeof(w->limits.key));
	buf_free(&hex);
}

void limits_fill(struct work *w, enum err challenged)
{
	struct store_request *r = &w->request;
	bool has_challenge = work_password(w).n > 0;

	note_key(w);
	for (size_t i = 0; i < LIMITS_MAX; i++) {
		if (rows[i].when != RATE_REFUSED || has_challenge)
			add(w, i, &r->n_rates);
	}
	r->rates = w->limits.rates;
	r->refused = challenged != ERR_OK && !approve_asks_operators(w) && !former_issued(w->env->profile->former, w->msg->signer);
	if (r->old_serial.n > 0)
		r->signer_cert = buf_bytes(&w->msg->signer->der);
}

void limits_keep_accepted(struct work *w)
{
	size_t n = 0;

	for (size_t i = 0; i < w->request.n_rates; i++) {
		if (w->limits.rates[i].when == RATE_ACCEPTED)
			w->limits.rates[n++] = w->limits.rates[i];
	}
	w->request.n_rates = n;
}

enum err limits_exceeded(struct work *w, const struct store_answer *answer)
{
	struct outcome *out = w->out;
	const struct store_event event = {
	    .kind = "throttle",
	    .profile = profile_of(w),
	    .reason = err_row(ERR_THROTTLED)->label,
	    .actor = w->env->peer,
	    .txid = buf_str(&out->txid),
	    .detail = out->why.text,
	};

	overload_note(w->env->overload, profile_of(w), answer->limit->kind, answer->limit->of, answer->retry_after, overload_now());
	if (answer->first)
		store_audit(w->env->store, &event, &out->audit);
	out->retry_after = answer->retry_after;
	return ERR_THROTTLED;
}

enum err limits_refuse(struct work *w, enum err err, const struct store_event *event)
{
	struct store_answer answer = {0};
	struct outcome *out = w->out;
	struct why why = {0};
	size_t n = 0;

	for (size_t i = 0; i < LIMITS_MAX; i++) {
		if ((rows[i].when == RATE_ALWAYS && !w->limits.admitted) || (rows[i].when == RATE_REFUSED && is_guess(w, err)))
			add(w, i, &n);
	}
	if (n == 0) {
		store_audit(w->env->store, event, &out->audit);
		return ERR_OK;
	}
	if (store_refuse(w->env->store, event, w->limits.rates, n, &answer, &why) != ERR_OK) {
		out->audit = why;
		return ERR_OK;
	}
	if (answer.verdict != STORE_THROTTLED)
		return ERR_OK;
	fail(&out->why, ERR_THROTTLED, "%s; and the request would be refused: %s", why.text, event->detail);
	return limits_exceeded(w, &answer);
}
