#include "ca/tend.h"

#include <gnutls/crypto.h>

#include "ca/crl.h"
#include "ca/rollover.h"

#define CRL_S 5
#define CRL_MAX_S 300	/* while the database is away */
#define MAINTAIN_S 3600
#define MAINTAIN_ROWS 5000

/* From three quarters to five quarters of it, so that workers part company. */
static time_t jittered(time_t s)
{
	uint8_t r = 128;

	gnutls_rnd(GNUTLS_RND_NONCE, &r, 1);
	return s * 3 / 4 + s * r / 512 + 1;
}

static time_t back_off(unsigned failures)
{
	time_t s = CRL_S;

	while (failures-- > 0 && s < CRL_MAX_S)
		s *= 2;
	return s < CRL_MAX_S ? s : CRL_MAX_S;
}

/* Profiles that share a CA: the first of them stands for all. */
static bool is_first(const struct site *site, size_t i)
{
	for (size_t k = 0; k < i; k++) {
		if (site->profiles[k]->crl == site->profiles[i]->crl && ca_crl_enabled(site->profiles[k]))
			return false;
	}
	return ca_crl_enabled(site->profiles[i]);
}

static enum err tend_crl(const struct profile *p, const struct site *site, struct tend_done *out, struct why *why)
{
	long made = 0;
	enum err err = ca_crl_tend(p, site->store, &made, why);

	if (err != ERR_OK)
		fail_in(why, "the CRL of profile '%s'", p->conf->name);
	if (made > 0) {
		out->crl_number = made;
		out->profile = p->conf->name;
	}
	return err;
}

/* The next CA's too, from the day it is in the profile: its certificates may be checked from the first one on. */
static enum err tend_crls(const struct site *site, struct tend_done *out, struct why *why)
{
	enum err err = ERR_OK;

	for (size_t i = 0; site->profiles[i] != NULL && err == ERR_OK; i++) {
		const struct profile *next = rollover_next(site->profiles[i]);

		if (is_first(site, i))
			err = tend_crl(site->profiles[i], site, out, why);
		if (err == ERR_OK && next != NULL && ca_crl_enabled(next))
			err = tend_crl(next, site, out, why);
	}
	return err;
}

enum err tend_site(const struct site *site, time_t now, struct tend *when, struct tend_done *out, struct why *why)
{
	enum err err = ERR_OK;

	*out = (struct tend_done){0};
	if (when->maintain == 0) {	/* not at once: some web servers start processes that do not live long */
		when->crl = now + jittered(CRL_S);
		when->maintain = now + jittered(MAINTAIN_S);
	}
	if (now >= when->crl) {
		err = tend_crls(site, out, why);
		when->failures = err == ERR_OK ? 0 : when->failures + 1;
		when->crl = now + jittered(back_off(when->failures));
	}
	if (err == ERR_OK && now >= when->maintain) {
		err = store_maintain(site->store, MAINTAIN_ROWS, &out->removed, why);
		when->maintain = now + (err == ERR_OK && out->removed >= MAINTAIN_ROWS ? CRL_S : jittered(MAINTAIN_S));
	}
	return err;
}
