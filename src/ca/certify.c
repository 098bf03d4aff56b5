/*
 * PKCSReq and RenewalReq (RFC 8894, 3.3.1): unseal, identify, admit, judge, then sign or queue. A resend is found by admit before its challenge is
 * judged: that was consumed the first time. Everybody who has to say yes is asked before the policy decides what comes of it.
 */
#include "ca/approve.h"
#include "ca/renew.h"
#include "ca/rollover.h"
#include "ca/signed.h"
#include "ca/weak.h"
#include "pki/der.h"
#include "pki/name.h"
#include "pki/oid.h"

static struct bytes key_bits(struct bytes spki)
{
	struct tlv seq, alg, bits = {0};

	if (!der_whole(spki, DER_SEQUENCE, &seq) || !der_next(&seq.body, &alg) || !der_next(&seq.body, &bits))
		return (struct bytes){0};
	return bits.body;
}

bool same_key(struct bytes spki, struct bytes other)
{
	return key_bits(spki).n > 0 && bytes_eq(key_bits(spki), key_bits(other));
}

bool work_key_is_ours(const struct work *w, struct bytes spki)
{
	const struct cert *own[ROLLOVER_OWN_MAX];
	size_t n = rollover_own_certs(w->env->profile, own);

	for (size_t i = 0; i < n; i++) {
		if (same_key(spki, own[i]->spki))
			return true;
	}
	return false;
}

enum err work_can_answer(const struct work *w)
{
	if (w->out->light)	/* whose answer is not encrypted */
		return ERR_OK;
	if (pubkey_kind(w->msg->signer_key).type == KEY_RSA || work_password(w).n > 0)
		return ERR_OK;
	return fail(&w->out->why, ERR_ALG,
	    "the message is signed with a key that cannot decrypt, and brings no challengePassword to encrypt the answer with; the device has to "
	    "send one, or to sign with an RSA key");
}

struct bytes work_password(const struct work *w)
{
	return w->csr != NULL && w->csr->has_challenge ? buf_bytes(&w->csr->challenge) : (struct bytes){0};
}

enum err work_note_subject(struct work *w)
{
	if (name_text(w->csr->subject, &w->out->subject, &w->out->why) == ERR_OK)
		return ERR_OK;
	return fail(&w->out->why, ERR_CSR, "the subject of the request cannot be read");
}

/*
 * Decrypts the message and reads the PKCS#10 in it, with proof of possession (P-116, P-153). The ciphertext may be a recorded one that somebody
 * changed and signed anew: until the PKCS#10's own signature is found right every refusal looks the same, or it would tell bits of what is
 * inside, the challenge for one (P-85).
 */
static enum err read_csr(struct work *w, struct why *why)
{
	const struct profile *p = w->env->profile;
	struct scep_recipient to = {.cert = p->ra_cert, .key = p->ra_key};
	struct buf plain = {0};
	enum err err;

	if ((err = scep_unseal(w->msg, &to, 1, &p->algs, &plain, why)) != ERR_OK)
		goto out;
	w->told = ERR_UNSEAL;
	weak_note_message(w);
	if ((err = csr_parse(buf_bytes(&plain), &w->csr, why)) != ERR_OK)
		goto out;
	if ((err = work_note_subject(w)) != ERR_OK)
		goto out;
	if ((err = csr_verify(w->csr, &p->limits, &p->algs, &w->csr_key, why)) != ERR_OK)
		goto out;
	weak_note_csr(w);
	w->told = ERR_OK;
out:
	buf_wipe(&plain);
	return err;
}

/*
 * What of a subject names the device: one attribute, or all of it where that is missing. Where there are several the certificate would carry all of
 * them, whichever a challenge is bound to.
 */
static void name_device(struct work *w, struct bytes subject)
{
	struct buf text = {0};

	buf_cut(&w->device, 0);
	switch (w->env->profile->conf->device_id) {
	case DEVICE_ID_CN:
		name_attr_only(subject, OID_CN, &w->device);
		break;
	case DEVICE_ID_SERIAL_NUMBER:
		name_attr_only(subject, OID_SERIAL_NUMBER, &w->device);
		break;
	case DEVICE_ID_TRANSACTION:
		buf_add_bytes(&w->device, buf_bytes(&w->out->txid));
		break;
	case DEVICE_ID_SUBJECT:
		break;
	}
	if (w->device.n == 0 && name_text(subject, &text, NULL) == ERR_OK)
		buf_add_bytes(&w->device, buf_bytes(&text));
	buf_free(&text);
	w->request.device = buf_str(&w->device);
}

/* What is asked for besides the subject, for a challenge that is bound to names. */
static void requested_names(struct work *w)
{
	struct bytes names;

	if (w->authority == AUTHORITY_ONE_TIME && csr_extension(w->csr, OID_SUBJECT_ALT_NAME, &names))
		w->names = san_keys(names);
}

struct bytes work_claimed_serial(const struct work *w)
{
	return renew_claims(w) ? w->msg->signer->serial : (struct bytes){0};
}

/*
 * What makes this request this request: the key that signed, the certificate of ours that it signed with, and the octets that were signed
 * for (P-138 to P-140). The certificate counts because some clients renew with the same key, the same PKCS#10 and transaction id.
 */
void work_identify(struct work *w, struct bytes old_serial)
{
	requested_names(w);
	buf_add_bytes(&w->identity, old_serial);
	buf_add_bytes(&w->identity, w->msg->signer->spki);
	buf_add_bytes(&w->identity, buf_bytes(&w->csr->der));
	w->request = (struct store_request){
	    .profile = w->env->profile->conf->name,
	    .txid = w->msg->txid,
	    .digest_of = buf_bytes(&w->identity),
	    .signer_spki = w->msg->signer->spki,
	    .challenge = w->authority == AUTHORITY_ONE_TIME ? buf_bytes(&w->csr->challenge) : (struct bytes){0},
	    .subject = buf_str(&w->out->subject),
	    .old_serial = old_serial,
	    .sans = (const char *const *)w->names,
	    .once = signed_once(w),
	    .max_active = (int)w->env->profile->conf->cert.max_active,
	    .revoke_oldest = w->env->profile->conf->cert.revoke_oldest,
	};
	name_device(w, w->csr->subject);
}

const struct cert *work_renewed(const struct work *w)
{
	return !w->renews ? NULL : w->renewed != NULL ? w->renewed : w->msg->signer;
}

/*
 * A first request is signed by the key that it asks to certify: that binds the answer to it (P-58). An answer under the challenge goes to that
 * key only, in any profile: whoever recorded a request could else sign it anew with an EC key, and guess the challenge from the answer.
 */
enum err work_check_signer(const struct work *w, struct why *why)
{
	if (same_key(w->csr->spki, w->msg->signer->spki))
		return ERR_OK;
	if (w->env->profile->conf->signer_key_must_match)
		return fail(why, ERR_SIGNER_KEY,
		    "the message is signed by another key than the one to be certified; devices that do so (Windows) need "
		    "'signer_key = any' in [enrol]");
	if (!w->out->light && pubkey_kind(w->msg->signer_key).type != KEY_RSA)
		return fail(why, ERR_SIGNER_KEY,
		    "the message is signed by another key than the one to be certified, which only RSA keys may do: the answer would be encrypted "
		    "under the challenge");
	return ERR_OK;
}

/*
 * The old certificate has been found good. Where templates make the subjects, a renewal may ask for any and keeps that of its certificate: with the
 * name asked for a device would have a new allowance with every renewal.
 */
static void set_renews(struct work *w)
{
	w->renews = true;
	if (policy_makes_subjects(w->env->profile->policy))
		name_device(w, work_renewed(w)->subject);
	w->request.revoke_old = w->env->profile->conf->revoke_old;
	w->request.revoke_old_after = (int)w->env->profile->conf->revoke_old_after_s;
}

static void spend_nothing(struct work *w)
{
	w->request.challenge = (struct bytes){0};
	w->request.once = (struct store_once){.until = 0};
}

/*
 * Until the request was judged the serial number was what the signer's certificate says of itself. When that one only is a key, or a former CA's, which
 * may have the number of another one here, no certificate of ours is revoked for the new one, or makes room for it.
 */
static void replaces_none(struct work *w)
{
	w->request.old_serial = (struct bytes){0};
}

/* From here on the old certificate is what authorises; a challenge that came along is not spent (P-203). */
static void begin_renewal(struct work *w)
{
	bool ours = renew_is_ours(w, &w->answer.old);

	set_renews(w);
	if (!ours)
		replaces_none(w);
	if (!w->env->profile->conf->renewal_challenge) {
		w->authority = ours ? AUTHORITY_RENEWAL : AUTHORITY_FORMER;
		spend_nothing(w);
	}
}

void work_approved(struct work *w, bool renews)
{
	if (renews)
		set_renews(w);
	w->authority = AUTHORITY_OPERATOR;
	spend_nothing(w);	/* that was done when the request was queued */
}

/*
 * What authorises the request: the certificate that signed it, or its challenge. challenged: why the challenge does not, ERR_OK when it
 * does. A PKCSReq signed with an old certificate that cannot renew may still enrol its own subject anew by a challenge; for another subject
 * that certificate is no better than a stranger's, or any device could spend a request of somebody else that it has recorded.
 */
static enum err judge(struct work *w, const struct store_old *old, const struct why *challenged)
{
	struct why *why = &w->out->why;
	bool signed_by_ours = renew_is_ours(w, old), by_former = !signed_by_ours && former_issued(w->env->profile->former, w->msg->signer);
	enum err err;

	if (w->msg->type == SCEP_RENEWALREQ || signed_by_ours || by_former) {
		err = renew_judge(w, old, why);
		if (err == ERR_OK && (challenged->err == ERR_OK || !w->env->profile->conf->renewal_challenge)) {
			begin_renewal(w);
			return ERR_OK;
		}
		if (err != ERR_OK && (w->msg->type == SCEP_RENEWALREQ || challenged->err != ERR_OK))
			return err;
	}
	if (challenged->err != ERR_OK && !approve_asks_operators(w)) {
		w->out->refused_by = w->authority == AUTHORITY_NONE ? "challenge" : authority_name(w->authority);
		return fail(why, challenged->err, "%s", challenged->text);
	}
	if ((!signed_by_ours || !name_eq(w->csr->subject, w->msg->signer->subject)) && (err = work_check_signer(w, why)) != ERR_OK)
		return err;
	replaces_none(w);
	return ERR_OK;
}

/* What the challenge that authorises it carries, for the templates. */
static enum err take_values(struct work *w, const struct store_answer *answer)
{
	if (w->authority == AUTHORITY_SIGNED)
		return signed_take_values(w);
	if (w->authority != AUTHORITY_ONE_TIME || answer->values == NULL)
		return ERR_OK;
	for (char **v = answer->values; v[0] != NULL && v[1] != NULL; v += 2) {
		if (!values_add(&w->values, "challenge", v[0], bytes_str(v[1])))
			return fail(&w->out->why, ERR_CHALLENGE, "the challenge's value '%.64s' cannot be used: make a new challenge", v[0]);
	}
	return ERR_OK;
}

/* The request is known: what for is told by the verdict, or found out. */
static enum err go_on(struct work *w, const struct store_answer *answer, const struct why *challenged)
{
	enum err err;

	switch (answer->verdict) {
	case STORE_GO_ON:
	case STORE_CHALLENGE:
	case STORE_REPLAY:
	case STORE_HOLDER_LIMIT:
		if ((err = judge(w, &answer->old, challenged)) != ERR_OK || (err = take_values(w, answer)) != ERR_OK ||
		    (err = work_consent(w)) != ERR_OK)
			return err;
		return approve_waits(w) ? approve_queue(w) : work_sign(w);
	case STORE_APPROVED:
		err = approve_resend(w, buf_bytes(&answer->secret));
		return err == ERR_OK ? work_sign(w) : err;
	default:
		return work_settle(w, answer);
	}
}

enum err work_certify(struct work *w)
{
	enum err err;

	if ((err = limits_recall_challenge(w)) != ERR_OK || (err = read_csr(w, &w->out->why)) != ERR_OK ||
	    (err = work_can_answer(w)) != ERR_OK)
		return err;
	return work_authorize(w);
}

/* The database refused the challenge, but is not the last to judge it: then it has not yet counted what it counts of accepted requests. */
static enum err admit_for_another(struct work *w, struct why *refused)
{
	refused->err = ERR_OK;
	limits_keep_accepted(w);
	if (w->request.n_rates == 0 || (renew_is_ours(w, &w->answer.old) && !w->answer.old.revoked))
		return ERR_OK;
	store_answer_free(&w->answer);
	return store_admit(w->env->store, &w->request, &w->answer, refused);
}

enum err work_authorize(struct work *w)
{
	struct why *why = &w->out->why, challenged = {0}, refused = {0};
	enum err err;

	w->authority = authorize(w, &challenged);
	work_identify(w, work_claimed_serial(w));
	limits_fill(w, challenged.err);
	err = store_admit(w->env->store, &w->request, &w->answer, &refused);
	w->limits.admitted = err == ERR_OK;
	if (err == ERR_OK && w->answer.verdict == STORE_CHALLENGE && authorize_instead(w, &challenged))
		err = admit_for_another(w, &refused);
	if (err != ERR_OK || w->answer.verdict == STORE_THROTTLED)
		*why = refused;
	if (err == ERR_OK)
		err = go_on(w, &w->answer, refused.err != ERR_OK ? &refused : &challenged);
	return err;
}
