/*
 * GetCert and GetCRL (RFC 8894, 3.3.4, 3.3.5; P-145 to P-149). Their transaction ids repeat from client to client: they are echoed and no key
 * to anything (P-204).
 */
#include "ca/crl.h"
#include "ca/respond.h"
#include "ca/rollover.h"
#include "ca/weak.h"
#include "ca/work.h"
#include "pki/name.h"
#include "store/revoke.h"

/* What is asked for; views into plain. */
struct asked {
	struct buf plain;
	struct bytes issuer, serial;
};

static enum err read_asked(struct work *w, struct asked *out)
{
	const struct profile *p = w->env->profile;
	struct scep_recipient to = {.cert = p->ra_cert, .key = p->ra_key};
	struct why *why = &w->out->why;
	enum err err;

	if ((err = work_can_answer(w)) != ERR_OK || (err = scep_unseal(w->msg, &to, 1, &p->algs, &out->plain, why)) != ERR_OK)
		return err;
	weak_note_message(w);
	return scep_issuer_and_serial(buf_bytes(&out->plain), &out->issuer, &out->serial, why);
}

/*
 * An envelope that does not open, or holds something else, is answered like a certificate that is not there: the ciphertext may be a recorded one
 * that somebody changed and signed anew, and each difference would tell bits of what is inside (P-85).
 */
static enum err ask(struct work *w, struct asked *out)
{
	enum err err = read_asked(w, out);

	if (err == ERR_UNSEAL)
		w->told = ERR_CERT_ID;
	return err;
}

/* Also what a CA before or after this one issued in the profile. */
static enum err look_up(struct work *w, struct bytes serial, struct store_found *found)
{
	struct store_lookup_of of = {
	    .authority = ca_crl_authority(w->env->profile->crl),
	    .profile = w->env->profile->conf->name,
	    .serial = serial,
	    .signer_serial = w->msg->signer->serial,
	};

	return store_lookup(w->env->store, &of, found, &w->out->why);
}

/* A valid certificate of this CA signed the request. */
static bool signed_by_ours(const struct work *w, const struct store_found *found)
{
	const struct cert *signer = w->msg->signer;

	return found->signer.n > 0 && bytes_eq(buf_bytes(&found->signer), buf_bytes(&signer->der)) && !found->signer_revoked &&
	       signer->times_ok && w->env->now <= signer->not_after;
}

static bool may_have(const struct work *w, const struct store_found *found, const struct cert *cert)
{
	switch (w->env->profile->conf->getcert) {
	case GETCERT_ANY:
		return true;
	case GETCERT_ISSUED:
		return same_key(cert->spki, w->msg->signer->spki) || signed_by_ours(w, found);
	case GETCERT_OWN:
		return same_key(cert->spki, w->msg->signer->spki);
	case GETCERT_OFF:
		break;
	}
	return false;
}

/* One answer for what is not there and for what this signer must not see, so that nobody learns which it is. */
static enum err hand_out(struct work *w, const struct asked *asked, const struct store_found *found)
{
	struct why *why = &w->out->why;
	struct cert *cert = NULL;
	enum err err;

	if (found->cert.n == 0)
		return fail(why, ERR_CERT_ID, "there is no such certificate");
	if ((err = cert_parse(buf_bytes(&found->cert), &cert, why)) != ERR_OK)
		return fail(why, ERR_INTERNAL, "the stored certificate cannot be read");
	if (!name_eq(asked->issuer, cert->issuer)) {
		err = fail(why, ERR_CERT_ID, "the certificate with this serial number is another issuer's");
	} else if (!may_have(w, found, cert)) {
		err = fail(why, ERR_CERT_ID, "the certificate is there, but not for who signed the request ('getcert' in [lookup])");
	} else {
		work_note_serial(w->out, cert->serial);
		err = respond_success(w->env, w->msg, buf_bytes(&cert->der), (struct bytes){0}, w->out);
	}
	cert_free(cert);
	return err;
}

enum err work_get_cert(struct work *w)
{
	const struct profile *p = w->env->profile;
	struct store_found found = {0};
	struct asked asked = {0};
	enum err err;

	if (p->conf->getcert == GETCERT_OFF)
		return fail(&w->out->why, ERR_TYPE, "GetCert is switched off ('getcert' in [lookup])");
	if ((err = ask(w, &asked)) == ERR_OK)
		err = look_up(w, asked.serial, &found);
	if (err == ERR_OK)
		err = hand_out(w, &asked, &found);
	store_found_free(&found);
	buf_free(&asked.plain);
	return err;
}

/*
 * Whose CRL is asked for (P-147): during a roll-over that of either CA, whichever RA the device knows. Where both have one name, the serial number
 * tells them apart; of a certificate that is not known it is the CA that is addressed. *out NULL: none of them.
 */
static enum err issuer_asked(struct work *w, const struct asked *asked, const struct profile **out)
{
	const struct profile *p = w->env->profile, *other = rollover_other(p);
	bool by_p = name_eq(asked->issuer, p->ca_cert->subject);
	bool by_other = other != NULL && ca_crl_enabled(other) && name_eq(asked->issuer, other->ca_cert->subject);
	struct store_found found = {0};
	struct cert *cert = NULL;
	enum err err = ERR_OK;

	*out = by_p ? p : by_other ? other : NULL;
	if (!by_p || !by_other || (err = look_up(w, asked->serial, &found)) != ERR_OK)
		return err;
	if (cert_parse(buf_bytes(&found.cert), &cert, NULL) == ERR_OK && cert_verify_by(cert, other->ca_cert, NULL) == ERR_OK)
		*out = other;
	cert_free(cert);
	store_found_free(&found);
	return ERR_OK;
}

enum err work_get_crl(struct work *w)
{
	const struct profile *p = w->env->profile;
	struct asked asked = {0};
	struct crl_view crl;
	enum err err;

	if (!p->conf->getcrl || !ca_crl_enabled(p))
		return fail(&w->out->why, ERR_TYPE, "GetCRL is switched off ('getcrl' in [lookup], 'enabled' in [crl])");
	if ((err = ask(w, &asked)) == ERR_OK)
		err = issuer_asked(w, &asked, &p);
	if (err == ERR_OK && p == NULL)
		err = fail(&w->out->why, ERR_CERT_ID, "the CRL of another issuer is asked for");
	if (err == ERR_OK)
		err = ca_crl_serve(p, w->env->store, w->env->now, &crl, &w->out->why);
	if (err == ERR_OK) {
		w->out->trouble = w->out->why;
		err = respond_crl(w->env, w->msg, crl.der, w->out);
	}
	buf_free(&asked.plain);
	return err;
}
