#include "ca/renew.h"

#include "ca/rollover.h"

bool renew_claims(const struct work *w)
{
	const struct cert *signer = w->msg->signer, *own[ROLLOVER_OWN_MAX];
	size_t n = rollover_own_certs(w->env->profile, own);
	bool by_ours = false;

	for (size_t i = 0; i < n; i++) {
		if (bytes_eq(signer->spki, own[i]->spki))
			return false;
		by_ours |= bytes_eq(signer->issuer, own[i]->subject);
	}
	return by_ours && signer->serial.n == STORE_SERIAL_SIZE;
}

bool renew_is_ours(const struct work *w, const struct store_old *old)
{
	return renew_claims(w) && bytes_eq(buf_bytes(&old->cert), buf_bytes(&w->msg->signer->der));
}

static enum err check_times(const struct profile_conf *conf, const struct cert *cert, time_t now, struct why *why)
{
	if (!cert->times_ok)
		return fail(why, ERR_RENEWAL, "the validity of the certificate to be renewed cannot be read");
	if (now > cert->not_after + (time_t)conf->renewal_grace_s)
		return fail(why, ERR_RENEWAL, "the certificate expired %lld s ago, [renewal] grace is %lld s",
		    (long long)(now - cert->not_after), (long long)conf->renewal_grace_s);
	if (conf->renewal_window_s != 0 && now < cert->not_after - (time_t)conf->renewal_window_s)
		return fail(why, ERR_RENEWAL, "the certificate has %lld s left, [renewal] window opens %lld s before its end",
		    (long long)(cert->not_after - now), (long long)conf->renewal_window_s);
	return ERR_OK;
}

static enum err check_key(const struct work *w, struct why *why)
{
	enum conf_same_key allowed = w->env->profile->conf->renewal_same_key;

	if (!same_key(w->csr->spki, w->msg->signer->spki) || allowed == SAME_KEY_ALWAYS ||
	    (allowed == SAME_KEY_PKCSREQ && w->msg->type == SCEP_PKCSREQ))
		return ERR_OK;
	return fail(why, ERR_SAME_KEY, "the request is for the same key; the device has to make a new one, or set 'same_key' in [renewal]");
}

/* One of ours, known and good, or one of a former CA. */
static enum err check_origin(const struct work *w, const struct store_old *old, struct why *why)
{
	const struct profile *p = w->env->profile;

	if (!renew_is_ours(w, old)) {
		if (p->former == NULL)
			return fail(why, ERR_RENEWAL, "the message is not signed with a certificate that this server issued");
		if (work_key_is_ours(w, w->msg->signer->spki))
			return fail(why, ERR_RENEWAL, "the message is signed with a key of this server itself");
		return former_check(p->former, w->msg->signer, w->env->now, why);
	}
	if (!bytes_eq_str(bytes_str(old->profile), p->conf->name))
		return fail(why, ERR_RENEWAL, "the certificate that signed was issued in profile '%s'", old->profile);
	if (old->revoked)
		return fail(why, ERR_RENEWAL, "the certificate that signed is revoked");
	return ERR_OK;
}

enum err renew_judge(struct work *w, const struct store_old *old, struct why *why)
{
	const struct profile_conf *conf = w->env->profile->conf;
	const struct cert *signer = w->msg->signer;
	enum err err;

	if (!conf->renewal)
		return fail(why, ERR_RENEWAL, "renewal is not enabled in this profile");
	if ((err = check_origin(w, old, why)) != ERR_OK)
		return err;
	if ((err = check_times(conf, signer, w->env->now, why)) != ERR_OK)
		return err;
	if ((err = check_key(w, why)) != ERR_OK)
		return err;
	return policy_within(w->env->profile->policy, w->csr, signer, why);
}
