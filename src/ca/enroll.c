/*
 * The story of one PKIOperation (RFC 8894, section 3): open, verify, do what its type asks, answer. Two round trips to the database make an
 * enrolment: admit before the CA key is touched, issue after it.
 */
#include "ca/enroll.h"

#include <stdlib.h>

#include "base/codec.h"
#include "ca/dialect.h"
#include "ca/light.h"
#include "ca/respond.h"
#include "ca/rollover.h"
#include "ca/work.h"
#include "pki/name.h"

static const struct {
	enum scep_type type;
	enum err (*run)(struct work *w);
} types[] = {
    {SCEP_PKCSREQ, work_certify},
    {SCEP_RENEWALREQ, work_certify},
    {SCEP_CERTPOLL, work_poll},
    {SCEP_GETCERT, work_get_cert},
    {SCEP_GETCRL, work_get_crl},
};

static void work_free(struct work *w)
{
	buf_wipe(&w->identity);	/* holds the CSR, which holds the challenge */
	buf_free(&w->device);
	buf_free(&w->requester);
	san_keys_free(w->names);
	buf_free(&w->asked_for);
	template_free(&w->template);
	values_free(&w->values);
	signed_free(&w->token);
	cert_free(w->renewed);
	free(w->fail_text);
	store_answer_free(&w->answer);
	pubkey_free(w->csr_key);
	csr_free(w->csr);
	scep_msg_free(w->msg);
}

static enum err answer(struct work *w)
{
	const struct profile *p = w->env->profile;
	enum err err = scep_verify(w->msg, &p->limits, &p->algs, &w->out->why);

	if (err != ERR_OK || (err = dialect_check(p->conf, w->msg, &w->out->why)) != ERR_OK)
		return err;
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		if ((int)types[i].type == w->msg->type)
			return types[i].run(w);
	}
	return fail(&w->out->why, ERR_TYPE, "message type %d (%s) is not served", w->msg->type, scep_type_name(w->msg->type));
}

/* The refusal's row in the audit trail, unless there are too many of them: then THROTTLED. */
static enum err note_refusal(struct work *w, enum err err)
{
	const struct outcome *out = w->out;
	struct buf detail = {0};
	struct store_event event = {
	    .kind = "refuse",
	    .profile = w->env->profile->conf->name,
	    .reason = err_row(err)->label,
	    .actor = w->env->peer,
	    .txid = buf_str(&out->txid),
	};
	enum err failed;

	buf_printf(&detail, "%s%s%s", out->refused_by != NULL ? out->refused_by : "", out->refused_by != NULL ? ": " : "", out->why.text);
	event.detail = buf_str(&detail);
	failed = limits_refuse(w, err, &event);
	buf_free(&detail);
	return failed;
}

/* A refusal that the client may read: a signed FAILURE. */
static enum err refuse(struct work *w, enum err err)
{
	struct outcome *out = w->out;
	enum err failed = note_refusal(w, err);

	if (failed != ERR_OK)
		return failed;
	failed = respond_failure(w->env, w->msg, w->told != ERR_OK ? w->told : err, w->fail_text, out);
	return failed == ERR_OK ? err : failed;
}

/* chosen: `env` with the profile that the message is for, while CA or RA change. */
static enum err handle(struct work *w, const struct enroll_env *env, struct enroll_env *chosen, struct profile *view, struct bytes body)
{
	struct outcome *out = w->out;
	enum err err;

	if ((err = limits_recall(w)) != ERR_OK)
		return err;
	if (!out->light) {
		if ((err = scep_open(body, &w->msg, &out->why)) != ERR_OK)
			return err;
		chosen->profile = rollover_for(env->profile, w->msg, env->now, view);
		out->type = w->msg->type;
		escape_text(&out->txid, w->msg->txid, SCEP_TXID_MAX);
	}
	err = out->light ? light_certify(w, body) : answer(w);
	return err_row(err)->fail_info != FI_NONE ? refuse(w, err) : err;
}

void enroll(const struct enroll_env *env, struct bytes body, struct outcome *out)
{
	struct enroll_env chosen = *env;
	struct work w = {.env = &chosen, .out = out};
	struct profile view;

	chosen.profile = rollover_at(env->profile, env->now);
	*out = (struct outcome){.light = env->light};
	out->err = handle(&w, env, &chosen, &view, body);
	work_free(&w);
}

void enroll_turned_away(const struct enroll_env *env, struct outcome *out)
{
	struct work w = {.env = env, .out = out};
	enum err throttled = limits_recall(&w);

	if (throttled == ERR_OK)
		throttled = note_refusal(&w, out->err);
	if (throttled != ERR_OK)
		out->err = throttled;
	work_free(&w);
}

void outcome_free(struct outcome *o)
{
	buf_free(&o->body);
	buf_free(&o->text);
	buf_free(&o->txid);
	buf_free(&o->subject);
	buf_free(&o->weak);
	buf_free(&o->left_out);
}
