#include "ca/crl.h"

#include <gnutls/x509.h>
#include <stdlib.h>

#include "base/mem.h"
#include "ca/issue.h"
#include "pki/crl.h"
#include "store/crl.h"

#define CHECK_S 2	/* a process asks the database at most so often */
#define LEASE_S 30	/* for signing; who died meanwhile is waited for so long */
#define TRIES 5		/* when others keep publishing first */

struct ca_crl {
	unsigned owners;
	struct buf authority;
	struct buf der;		/* the last one seen; empty: none */
	long number;
	time_t this_update, next_update;
	time_t checked;		/* by the local clock */
};

struct ca_crl *ca_crl_new(const struct cert *ca)
{
	struct ca_crl *crl = mem_alloc(sizeof(*crl));

	crl->owners = 1;
	buf_add_bytes(&crl->authority, ca->subject);
	buf_add_bytes(&crl->authority, ca->spki);
	return crl;
}

struct ca_crl *ca_crl_share(struct ca_crl *crl)
{
	crl->owners++;
	return crl;
}

void ca_crl_free(struct ca_crl *crl)
{
	if (crl == NULL || --crl->owners > 0)
		return;
	buf_free(&crl->authority);
	buf_free(&crl->der);
	free(crl);
}

struct bytes ca_crl_authority(const struct ca_crl *crl)
{
	return buf_bytes(&crl->authority);
}

bool ca_crl_enabled(const struct profile *p)
{
	return p->conf->crl && (cert_key_usage(p->ca_cert) & GNUTLS_KEY_CRL_SIGN) != 0;
}

/* --- the database's view ------------------------------------------------------------------------------------------ */

/* The first CRL may come before the first certificate: then the CA is made known. */
static enum err ask(const struct profile *p, struct store *store, long known, struct store_crl *out, struct why *why)
{
	struct bytes authority = ca_crl_authority(p->crl);
	struct why first = {0};
	enum err err = store_crl_check(store, authority, known, out, &first);

	if (err == ERR_NOT_FOUND) {
		err = store_issuer_add(store, buf_bytes(&p->ca_cert->der), authority, why);
		return err == ERR_OK ? store_crl_check(store, authority, known, out, why) : err;
	}
	if (err != ERR_OK)
		*why = first;
	return err;
}

static bool is_valid(const struct store_crl *state)
{
	return state->number > 0 && state->now < state->next_update;
}

static bool is_due(const struct profile_conf *conf, const struct store_crl *state)
{
	time_t age = state->now - state->this_update;

	return !is_valid(state) || age >= conf->crl_refresh_s || (state->waits && age >= conf->crl_interval_s);
}

/* --- signing ------------------------------------------------------------------------------------------------------ */

static void list_entries(const struct store_crl_list *list, struct buf *out)
{
	for (size_t i = 0; i < list->n; i++) {
		const struct store_crl_entry *e = &list->entries[i];
		struct crl_entry entry = {
		    .serial = bytes_of(e->serial, STORE_SERIAL_SIZE), .revoked = e->revoked, .invalid_since = e->invalid_since, .reason = e->reason};

		crl_entry_write(out, &entry);
	}
}

static enum err sign(const struct profile *p, const struct store_crl_list *list, struct buf *der, struct why *why)
{
	struct crl_spec spec = {
	    .issuer = p->ca_cert,
	    .this_update = list->now,
	    .next_update = list->now + (time_t)p->conf->crl_validity_s,
	    .number = (uint64_t)list->number,
	    .digest = issue_digest(key_kind(p->ca_key)),
	};
	struct buf entries = {0};
	enum err err;

	list_entries(list, &entries);
	err = crl_build(&spec, buf_bytes(&entries), p->ca_key, der, why);
	buf_free(&entries);
	return err;
}

static void keep(struct ca_crl *crl, const struct store_crl *state, struct bytes der)
{
	buf_free(&crl->der);
	buf_add_bytes(&crl->der, der);
	crl->number = state->number;
	crl->this_update = state->this_update;
	crl->next_update = state->next_update;
}

/* Reads, signs, publishes; no lock is held meanwhile. *made is 0 when somebody was faster: then what was signed is dropped. */
static enum err sign_and_publish(const struct profile *p, struct store *store, long *made, struct why *why)
{
	struct bytes authority = ca_crl_authority(p->crl);
	struct store_crl_list list = {0};
	struct store_crl state = {0};
	struct store_crl_signed new = {.list = &list, .actor = p->conf->name};
	struct buf der = {0};
	bool won = false;
	enum err err;

	if ((err = store_crl_entries(store, authority, &list, why)) != ERR_OK || (err = sign(p, &list, &der, why)) != ERR_OK)
		goto out;
	state = (struct store_crl){
	    .number = list.number, .this_update = list.now, .next_update = list.now + (time_t)p->conf->crl_validity_s};
	new.this_update = state.this_update;
	new.next_update = state.next_update;
	new.der = buf_bytes(&der);
	if ((err = store_crl_publish(store, authority, &new, &won, why)) != ERR_OK)
		goto out;
	if (won)
		keep(p->crl, &state, buf_bytes(&der));
	*made = won ? state.number : 0;
out:
	store_crl_list_free(&list);
	buf_free(&der);
	return err;
}

/* While there is a valid one, only who gets the lease signs the next; without one, everybody tries. */
static enum err sign_if_due(const struct profile *p, struct store *store, const struct store_crl *state, long *made, struct why *why)
{
	bool taken = true;
	enum err err = ERR_OK;

	*made = 0;
	if (!is_due(p->conf, state))
		return ERR_OK;
	if (is_valid(state))
		err = store_crl_take(store, ca_crl_authority(p->crl), state->number, LEASE_S, &taken, why);
	if (err != ERR_OK || !taken)
		return err;
	return sign_and_publish(p, store, made, why);
}

enum err ca_crl_tend(const struct profile *p, struct store *store, long *made, struct why *why)
{
	struct store_crl state;
	enum err err = ask(p, store, STORE_CRL_NO_OCTETS, &state, why);

	return err == ERR_OK ? sign_if_due(p, store, &state, made, why) : err;
}

enum err ca_crl_make(const struct profile *p, struct store *store, long *made, struct why *why)
{
	struct store_crl state;
	enum err err = ask(p, store, STORE_CRL_NO_OCTETS, &state, why);

	*made = 0;
	for (int i = 0; err == ERR_OK && *made == 0 && i < TRIES; i++)
		err = sign_and_publish(p, store, made, why);
	if (err == ERR_OK && *made == 0)
		err = fail(why, ERR_DB, "others published a CRL first, %d times", TRIES);
	return err;
}

/* --- serving ------------------------------------------------------------------------------------------------------ */

static enum err fetch(const struct profile *p, struct store *store, struct store_crl *state, struct why *why)
{
	enum err err = ask(p, store, p->crl->number, state, why);

	if (err != ERR_OK)
		return err;
	if (state->number < p->crl->number)	/* restored from a backup: what was given out is followed by a new one, not by an older one */
		state->waits = true;
	else if (state->der.n > 0)
		keep(p->crl, state, buf_bytes(&state->der));
	buf_free(&state->der);
	return ERR_OK;
}

static enum err refresh(const struct profile *p, struct store *store, struct why *why)
{
	struct store_crl state;
	long made;
	enum err err;

	if ((err = fetch(p, store, &state, why)) != ERR_OK || (err = sign_if_due(p, store, &state, &made, why)) != ERR_OK)
		return err;
	if (made == 0 && !is_valid(&state))	/* somebody else made the first one */
		return fetch(p, store, &state, why);
	return ERR_OK;
}

enum err ca_crl_serve(const struct profile *p, struct store *store, time_t now, struct crl_view *out, struct why *why)
{
	struct ca_crl *crl = p->crl;
	enum err err = ERR_OK;

	if (!ca_crl_enabled(p))
		return fail(why, ERR_NOT_FOUND, "this profile's CA has no CRL here ('enabled' in [crl], cRLSign in its certificate)");
	if (crl->der.n == 0 || now >= crl->next_update || now < crl->checked || now - crl->checked >= CHECK_S) {
		err = refresh(p, store, why);
		crl->checked = now;
	}
	if (crl->der.n == 0 || now >= crl->next_update)
		return err != ERR_OK ? err : fail(why, ERR_DB, "there is no CRL that is valid now: is this host's clock right?");
	*out = (struct crl_view){buf_bytes(&crl->der), crl->number, crl->this_update, crl->next_update};
	return ERR_OK;
}
