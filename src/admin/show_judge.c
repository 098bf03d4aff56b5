/* What ca/certify.c does with a request, as far as that goes without the database. */
#include "admin/print.h"
#include "admin/show.h"
#include "base/mem.h"
#include "ca/approve.h"
#include "ca/dialect.h"
#include "ca/renew.h"

/* By the certificate that signed (only the database can tell whether it still may), or by the challenge. */
static enum err check_authority(struct work *w, struct why *why)
{
	const struct former *former = w->env->profile->former;
	struct why challenged = {0};

	w->authority = authorize(w, &challenged);
	w->renews = renew_claims(w);
	if (!w->renews && former_issued(former, w->msg->signer)) {
		enum err err = former_check(former, w->msg->signer, time(NULL), why);

		if (err != ERR_OK && (w->msg->type == SCEP_RENEWALREQ || challenged.err != ERR_OK))
			return err;
		w->renews = err == ERR_OK;
	}
	if (w->renews)
		return ERR_OK;
	if (w->msg->type == SCEP_RENEWALREQ)
		return fail(why, ERR_RENEWAL, "the message is not signed with a certificate that this CA issued");
	if (challenged.err != ERR_OK && !approve_asks_operators(w))
		return fail(why, challenged.err, "%s", challenged.text);
	return work_check_signer(w, why);
}

static enum err check_policy(struct work *w, struct json_object *o, struct why *why)
{
	enum err err = work_decide(w);

	if (err != ERR_OK)
		*why = w->out->why;
	if (err == ERR_SUBJECT)	/* what challenges, claims and hooks know of a device is only known when it really asks */
		fail_in(why, "as far as it is known here");
	if (err == ERR_OK && w->template.left_out.n > 0)
		put_text(o, "not_granted", buf_str(&w->template.left_out));
	return err;
}

static void put_verdict(const struct work *w, struct json_object *o)
{
	/* those whom authorize() finds; a file brings no TLS client */
	static const char *const conditions[] = {
	    [AUTHORITY_NONE] = ": there is no challenge",
	    [AUTHORITY_STATIC] = ": the challenge is a static secret of the profile",
	    [AUTHORITY_ONE_TIME] = ", if the database knows the challenge",
	    [AUTHORITY_SIGNED] = ", if the signed challenge was not used before",
	    [AUTHORITY_WEBHOOK] = ", if the web hook accepts it",
	    [AUTHORITY_COMMAND] = ", if the command accepts it",
	    [AUTHORITY_CLIENT_CERT] = "",
	};
	const char *status = approve_waits(w) ? "PENDING until operators approve it" : "SUCCESS";
	char *text = mem_printf("%s%s", status, w->renews ? ", if the certificate that signed may be renewed now" : conditions[w->authority]);

	put_text(o, "responder_would_answer", text);
	mem_wipe_free(text);
}

enum err show_judge(const struct show *show, struct scep_msg *msg, struct bytes plain, struct json_object *o, struct why *why)
{
	struct profile view;
	const struct enroll_env env = {
	    .profile = show->profile == NULL ? NULL : rollover_for(show->profile, msg, time(NULL), &view),
	    .now = time(NULL)};
	struct outcome outcome = {0};
	struct work w = {.env = &env, .out = &outcome, .msg = msg};
	enum err err;

	if ((err = csr_parse(plain, &w.csr, why)) != ERR_OK)
		goto out;
	if ((err = csr_verify(w.csr, &show->limits, &show->algs, &w.csr_key, why)) != ERR_OK)
		goto out;
	if ((err = work_can_answer(&w)) != ERR_OK) {
		*why = outcome.why;
		goto out;
	}
	if (show->profile == NULL) {
		if (msg->type == SCEP_PKCSREQ && !same_key(w.csr->spki, msg->signer->spki))
			err = fail(why, ERR_SIGNER_KEY, "the message is signed by another key than the one to be certified");
		else
			put_text(o, "responder_would_answer", "SUCCESS, if the profile's rules allow it");
		goto out;
	}
	if ((err = dialect_check(show->profile->conf, msg, why)) != ERR_OK || (err = check_authority(&w, why)) != ERR_OK ||
	    (err = check_policy(&w, o, why)) != ERR_OK)
		goto out;
	put_verdict(&w, o);
out:
	template_free(&w.template);
	signed_free(&w.token);
	pubkey_free(w.csr_key);
	csr_free(w.csr);
	return err;
}
