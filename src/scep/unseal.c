/* Opening the envelope (RFC 8894, section 3.2.2), and what a CertPoll, a GetCert or a GetCRL has inside. */
#include "pki/der.h"
#include "scep/msg.h"

/*
 * The first of the message's recipients that names one of ours (P-49): during a roll-over a client may address the old or the new
 * certificate (P-48).
 */
static const struct cms_recipient *choose(const struct cms_enveloped *e, const struct scep_recipient *to, size_t n_to,
    const struct scep_recipient **ours)
{
	const struct cms_recipient *best = NULL;

	for (size_t i = 0; i < n_to; i++) {
		const struct cms_recipient *r = cms_recipient_find(e, to[i].cert);

		if (r != NULL && (best == NULL || r < best)) {
			best = r;
			*ours = &to[i];
		}
	}
	return best;
}

static enum err no_recipient(const struct cms_enveloped *e, struct why *why)
{
	for (size_t i = 0; i < e->n_recipients; i++)
		if (e->recipients[i].kind == RECIPIENT_PWRI)
			return fail(why, ERR_RECIPIENT, "the message is encrypted under a password (PWRI), which needs an RSA "
			    "recipient here");
	return fail(why, ERR_RECIPIENT, "none of the message's %zu recipients is one of our certificates: the device holds an "
	    "old or a wrong CA certificate", e->n_recipients);
}

/* The envelope of a message, whatever of it cannot be read: one error. */
static enum err read_envelope(const struct scep_msg *msg, struct cms_enveloped **out, struct why *why)
{
	enum err err;

	if (!msg->cms->has_content || msg->cms->content.n == 0)
		return fail(why, ERR_UNSEAL, "a %s must carry an envelope, this one has no content", scep_type_name(msg->type));
	err = cms_enveloped_parse(msg->cms->content, out, why);
	if (err == ERR_SYNTAX || err == ERR_ATTRIBUTE) {
		fail_in(why, "the content is not an EnvelopedData");
		if (why != NULL)
			why->err = ERR_UNSEAL;
		return ERR_UNSEAL;
	}
	return err;
}

/* What was opened is kept: the answer follows its algorithms. */
static enum err keep(struct scep_msg *msg, struct cms_enveloped *e, enum err err)
{
	if (err != ERR_OK) {
		cms_enveloped_free(e);
		return err;
	}
	cms_enveloped_free(msg->envelope);
	msg->envelope = e;
	return ERR_OK;
}

bool scep_addressee(const struct scep_msg *msg, const struct scep_recipient *to, size_t n_to, size_t *at)
{
	const struct scep_recipient *ours = NULL;
	struct cms_enveloped *e = NULL;
	struct why why;
	bool found;

	if (read_envelope(msg, &e, &why) != ERR_OK)
		return false;
	found = choose(e, to, n_to, &ours) != NULL;
	if (found)
		*at = (size_t)(ours - to);
	cms_enveloped_free(e);
	return found;
}

enum err scep_unseal(struct scep_msg *msg, const struct scep_recipient *to, size_t n_to, const struct alg_set *algs,
    struct buf *plain, struct why *why)
{
	const struct scep_recipient *ours = NULL;
	const struct cms_recipient *r;
	struct cms_enveloped *e = NULL;
	enum err err;

	err = read_envelope(msg, &e, why);
	if (err != ERR_OK)
		return err;
	r = choose(e, to, n_to, &ours);
	if (r == NULL)
		err = no_recipient(e, why);
	else
		err = cms_enveloped_open(e, r, ours->key, algs, plain, why);
	return keep(msg, e, err);
}

enum err scep_unseal_password(struct scep_msg *msg, struct bytes password, const struct alg_set *algs, struct buf *plain,
    struct why *why)
{
	struct cms_enveloped *e = NULL;
	enum err err = read_envelope(msg, &e, why);

	return err == ERR_OK ? keep(msg, e, cms_enveloped_open_password(e, password, algs, plain, why)) : err;
}

enum err scep_issuer_and_subject(struct bytes plain, struct bytes *issuer, struct bytes *subject, struct why *why)
{
	struct tlv outer, i, s;

	if (!der_whole(plain, DER_SEQUENCE, &outer) || !der_expect(&outer.body, DER_SEQUENCE, &i) ||
	    !der_expect(&outer.body, DER_SEQUENCE, &s) || outer.body.n != 0)
		return fail(why, ERR_UNSEAL, "the message content is not an IssuerAndSubject");
	*issuer = i.raw;
	*subject = s.raw;
	return ERR_OK;
}

enum err scep_issuer_and_serial(struct bytes plain, struct bytes *issuer, struct bytes *serial, struct why *why)
{
	struct tlv outer, i, s;

	if (!der_whole(plain, DER_SEQUENCE, &outer) || !der_expect(&outer.body, DER_SEQUENCE, &i) ||
	    !der_expect(&outer.body, DER_INTEGER, &s) || outer.body.n != 0 || s.body.n == 0)
		return fail(why, ERR_UNSEAL, "the message content is not an IssuerAndSerialNumber");
	*issuer = i.raw;
	*serial = s.body;
	return ERR_OK;
}
