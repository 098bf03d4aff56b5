#include "auth/signed.h"

#include "auth/binding.h"
#include "pki/alg.h"
#include "pki/name.h"
#include "pki/oid.h"

/* One check on its way: what it needs and what it found. */
struct check {
	const struct signed_conf *conf;
	const struct csr *csr;
	int64_t now;
	struct jws jws;
	uint8_t anchor[ANCHOR_ID_SIZE];
	struct claims claims;
};

/* The audience is compared, present or not, where the profile has one. */
static enum err check_present(const struct check *k, struct why *why)
{
	const struct claims *c = &k->claims;
	unsigned missing = (c->nonce.n == 0 ? CLAIM_NONCE : 0) | (c->iat == CLAIM_NO_TIME ? CLAIM_IAT : 0) |
	    (c->exp == CLAIM_NO_TIME ? CLAIM_EXP : 0) | (c->aud.n == 0 && k->conf->audience == NULL ? CLAIM_AUD : 0);
	static const struct {
		unsigned bit;
		const char *name;
	} names[] = {{CLAIM_NONCE, "nonce"}, {CLAIM_IAT, "iat"}, {CLAIM_EXP, "exp"}, {CLAIM_AUD, "aud"}};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if ((missing & ~k->conf->optional_claims & names[i].bit) != 0)
			return fail(why, ERR_SIGNED_FORM, "the token has no claim '%s'; 'optional_claims' in [signed_challenge] may waive it",
			    names[i].name);
	}
	if ((missing & CLAIM_IAT) != 0 && (missing & CLAIM_EXP) != 0)
		return fail(why, ERR_SIGNED_FORM, "the token has neither 'iat' nor 'exp': it would be good for ever");
	return ERR_OK;
}

static enum err check_times(const struct check *k, struct why *why)
{
	const struct claims *c = &k->claims;

	if (c->iat != CLAIM_NO_TIME && k->now + k->conf->skew_s < c->iat)
		return fail(why, ERR_SIGNED_EARLY, "the token was issued %lld s in the future ('iat'), the clocks may differ by %lld s",
		    (long long)(c->iat - k->now), (long long)k->conf->skew_s);
	if (c->exp != CLAIM_NO_TIME && k->now - k->conf->skew_s >= c->exp)
		return fail(why, ERR_SIGNED_LATE, "the token expired %lld s ago ('exp')", (long long)(k->now - c->exp));
	return ERR_OK;
}

static enum err check_audience(const struct check *k, struct why *why)
{
	const char *audience = k->conf->audience;
	struct bytes aud = k->claims.aud;

	if (audience == NULL || bytes_eq_str(aud, audience) || (aud.n == 0 && (k->conf->optional_claims & CLAIM_AUD) != 0))
		return ERR_OK;
	if (aud.n == 0)
		return fail(why, ERR_SIGNED_AUDIENCE, "the token has no claim 'aud', this profile's audience is '%.100s'", audience);
	return fail(why, ERR_SIGNED_AUDIENCE, "the token is for '%.*s', this profile's audience is '%.100s'", aud.n < 100 ? (int)aud.n : 100,
	    (const char *)aud.p, audience);
}

/* A token without iat has no age that could be known: then it is what it has left that is capped. */
static enum err check_age(const struct check *k, struct why *why)
{
	const struct claims *c = &k->claims;
	int64_t most = k->conf->validity_s;

	if (c->iat != CLAIM_NO_TIME && k->now - c->iat > most)
		return fail(why, ERR_SIGNED_LATE, "the token was issued %lld s ago ('iat'), 'validity' in [signed_challenge] is %lld s",
		    (long long)(k->now - c->iat), (long long)most);
	if (c->iat == CLAIM_NO_TIME && c->exp - k->now > most)
		return fail(why, ERR_SIGNED_LATE, "the token has no claim 'iat' and %lld s left, 'validity' in [signed_challenge] is %lld s",
		    (long long)(c->exp - k->now), (long long)most);
	return ERR_OK;
}

static enum err judge(struct check *k, const struct anchors *anchors, struct bytes token, struct why *why)
{
	static enum err (*const checks[])(const struct check *k, struct why *why) = {check_present, check_times, check_audience, check_age};
	enum err err;

	if ((err = jws_read(token, &k->jws, why)) != ERR_OK || (err = anchors_verify(anchors, &k->jws, (time_t)k->now, k->anchor, why)) != ERR_OK ||
	    (err = claims_read(buf_bytes(&k->jws.payload), &k->claims, why)) != ERR_OK)
		return err;
	for (size_t i = 0; err == ERR_OK && i < sizeof(checks) / sizeof(checks[0]); i++)
		err = checks[i](k, why);
	return err == ERR_OK ? binding_check(&k->claims, k->csr, k->conf->unbound_san_allowed, why) : err;
}

/* No text of a token holds a NUL: it keeps two of them apart. */
static void add_pair(struct buf *out, struct bytes a, struct bytes b)
{
	buf_add_bytes(out, a);
	buf_add_byte(out, 0);
	buf_add_bytes(out, b);
}

/*
 * It is its signer's: whom another profile trusts must not be able to use up nonces of this one's issuer, whatever the tokens say of iss. Without a
 * nonce the token stands for itself. Not with its signature, which for ES256 anybody can change into another right one, and which may be written in
 * two ways.
 */
static void note_nonce(const struct check *k, struct buf *out)
{
	uint8_t digest[64];
	size_t n;

	buf_add(out, k->anchor, sizeof(k->anchor));
	if (k->claims.nonce.n > 0) {
		buf_add_str(out, "nonce");
		add_pair(out, k->claims.iss, k->claims.nonce);
		return;
	}
	n = digest_of(digest_row(DIGEST_SHA256), k->jws.signed_part, digest);
	buf_add_str(out, "token");
	buf_add(out, digest, n);
}

/* A token without subject is counted by the name that the device gets. */
static void note_holder(const struct check *k, struct buf *out)
{
	struct buf cn = {0};

	if (k->claims.sub.n == 0)
		name_attr(k->csr->subject, OID_CN, &cn);
	add_pair(out, k->claims.sub.n > 0 ? k->claims.sub : buf_bytes(&cn), k->claims.iss);
	buf_free(&cn);
}

/* As long as any profile could accept it again. */
static time_t keep_until(const struct claims *c)
{
	int64_t until = c->exp;

	if (c->iat != CLAIM_NO_TIME && (c->exp == CLAIM_NO_TIME || c->exp > c->iat + SIGNED_VALIDITY_MAX_S))
		until = c->iat + SIGNED_VALIDITY_MAX_S;
	return (time_t)(until + SIGNED_SKEW_MAX_S);
}

static bool note_names(struct values *v, const char *name, const struct claim_names *names)
{
	bool ok = true;

	for (size_t i = 0; ok && i < names->n; i++)
		ok = values_add(v, "intune", name, names->list[i]);
	return ok;
}

static bool note_text(struct values *v, const char *name, struct bytes text)
{
	return text.n == 0 || values_add(v, "intune", name, text);
}

static bool note_values(const struct claims *c, struct values *v)
{
	return note_text(v, "device_name", c->device_name) && note_text(v, "sub", c->sub) && note_text(v, "iss", c->iss) &&
	    note_names(v, "upn", &c->upn) && note_names(v, "dns", &c->dns) && note_names(v, "email", &c->rfc822);
}

enum err signed_check(const struct signed_rules *rules, struct bytes token, const struct csr *csr, struct signed_token *out, struct why *why)
{
	struct check k = {.conf = rules->conf, .csr = csr, .now = (int64_t)rules->now};
	struct signed_token t = {.until = 0};
	enum err err = judge(&k, rules->anchors, token, why);

	if (err == ERR_OK && !note_values(&k.claims, &t.values))
		err = fail(why, ERR_SIGNED_FORM, "the token's claims do not fit into the values for the profile's templates");
	if (err == ERR_OK) {
		note_nonce(&k, &t.nonce);
		note_holder(&k, &t.holder);
		t.until = keep_until(&k.claims);
		*out = t;
	} else {
		signed_free(&t);
	}
	claims_free(&k.claims);
	jws_free(&k.jws);
	return err;
}

void signed_free(struct signed_token *t)
{
	buf_free(&t->nonce);
	buf_free(&t->holder);
	values_free(&t->values);
	*t = (struct signed_token){.until = 0};
}
