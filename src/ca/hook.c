#include "ca/hook.h"

#include <stdlib.h>

#include <gnutls/crypto.h>

#include "auth/command.h"
#include "auth/hook_json.h"
#include "base/codec.h"
#include "base/mem.h"
#include "ca/profile_check.h"

#define ID_OCTETS 16

static bool claims(const struct hook_conf *conf, struct bytes challenge)
{
	return conf->role == HOOK_CHALLENGE && (challenge.n > 0 || conf->without_challenge);
}

bool webhook_claims(const struct work *w, struct bytes challenge)
{
	return w->env->profile->webhook != NULL && claims(&w->env->profile->conf->webhook.hook, challenge);
}

bool command_claims(const struct work *w, struct bytes challenge)
{
	return w->env->profile->conf->command.path != NULL && claims(&w->env->profile->conf->command.hook, challenge);
}

/* A renewal that its certificate alone authorises is none of the challenge's judge. */
static bool applies(const struct work *w, const struct hook_conf *conf, enum authority own)
{
	if (conf->role == HOOK_CHALLENGE)
		return w->authority == own;
	return !w->renews || conf->renewals;
}

bool webhook_applies(const struct work *w)
{
	return w->env->profile->webhook != NULL && applies(w, &w->env->profile->conf->webhook.hook, AUTHORITY_WEBHOOK);
}

bool command_applies(const struct work *w)
{
	return w->env->profile->conf->command.path != NULL && applies(w, &w->env->profile->conf->command.hook, AUTHORITY_COMMAND);
}

/* --- the question ------------------------------------------------------------------------------------------------- */

static enum err make_id(struct buf *out, struct why *why)
{
	uint8_t random[ID_OCTETS];

	if (gnutls_rnd(GNUTLS_RND_NONCE, random, sizeof(random)) < 0)
		return fail(why, ERR_INTERNAL, "the system's random number generator does not answer");
	hex_encode(out, bytes_of(random, sizeof(random)));
	return ERR_OK;
}

static void write_event(const struct work *w, enum conf_hook_role role, const char *id, struct buf *out)
{
	struct hook_event event = {
	    .id = id,
	    .judges = role == HOOK_CHALLENGE,
	    .profile = w->env->profile->conf->name,
	    .transaction = buf_str(&w->out->txid),
	    .source = w->env->peer,
	    .message = scep_type_name(w->msg->type),
	    .light = w->out->light,
	    .time = w->env->now,
	    .subject = buf_str(&w->out->subject),
	    .device = buf_str(&w->device),
	    .csr = w->csr,
	    .key = pubkey_kind(w->csr_key),
	    .renews = w->renews ? w->msg->signer : NULL,
	    .accepted_by = role == HOOK_CHALLENGE || w->authority == AUTHORITY_NONE ? NULL : authority_name(w->authority),
	    .tls_client = w->env->client_cert,
	    .values = &w->values,
	};

	hook_event_write(&event, out);
}

/* --- the answer --------------------------------------------------------------------------------------------------- */

/* One of the two: what it is called, and how it is reached. */
struct kind {
	const char *name;	/* for sentences */
	const char *source;	/* of its values */
	enum err (*ask)(const struct work *w, const char *id, struct bytes question, struct buf *answer, struct why *why);
};

/* Who wants an operator, and why: operators read it in the list. */
static void wait_for_operators(struct work *w, const struct kind *kind, const struct hook_answer *answer)
{
	w->waits = true;
	buf_printf(&w->asked_for, "%s%s wants approval%s%s", w->asked_for.n > 0 ? ", " : "", kind->name, answer->reason[0] != '\0' ? ": " : "",
	    answer->reason);
}

static enum err obey(struct work *w, const struct kind *kind, enum conf_hook_role role, const struct hook_answer *answer, struct why *why)
{
	switch (answer->decision) {
	case HOOK_ALLOW:
		return ERR_OK;
	case HOOK_PENDING:
		wait_for_operators(w, kind, answer);
		return ERR_OK;
	default:
		return fail(why, role == HOOK_CHALLENGE ? ERR_CHALLENGE : ERR_COMPLIANCE, "%s says no%s%s", kind->name,
		    answer->reason[0] != '\0' ? ": " : ", without a reason", answer->reason);
	}
}

static enum err consents(struct work *w, const struct kind *kind, enum conf_hook_role role, struct why *why)
{
	struct buf id = {0}, question = {0}, text = {0};
	struct hook_answer answer;
	enum err err;

	if ((err = make_id(&id, why)) != ERR_OK)
		return err;
	write_event(w, role, buf_str(&id), &question);
	err = kind->ask(w, buf_str(&id), buf_bytes(&question), &text, why);
	if (err != ERR_OK) {
		fail_in(why, "the %s failed, so nothing was issued", kind->name);
		goto out;
	}
	err = hook_answer_read(buf_bytes(&text), kind->source, &w->values, &answer, why);
	if (err != ERR_OK)
		fail_in(why, "the %s failed, so nothing was issued: its answer is not as doc/HOOKS.md has it", kind->name);
	else
		err = obey(w, kind, role, &answer, why);
out:
	buf_free(&id);
	buf_wipe(&question);	/* may hold the challenge */
	buf_free(&text);
	return err;
}

static enum err ask_webhook(const struct work *w, const char *id, struct bytes question, struct buf *answer, struct why *why)
{
	return webhook_post(w->env->web, w->env->profile->webhook, id, question, answer, why);
}

static enum err ask_command(const struct work *w, const char *id, struct bytes question, struct buf *answer, struct why *why)
{
	const struct command_conf *conf = &w->env->profile->conf->command;

	(void)id;
	return command_run(conf->path, (long)conf->hook.timeout_ms, question, answer, why);
}

enum err webhook_consents(struct work *w, struct why *why)
{
	static const struct kind kind = {"web hook", "hook", ask_webhook};

	return consents(w, &kind, w->env->profile->conf->webhook.hook.role, why);
}

enum err command_consents(struct work *w, struct why *why)
{
	static const struct kind kind = {"command", "command", ask_command};

	return consents(w, &kind, w->env->profile->conf->command.hook.role, why);
}

/* --- loading ------------------------------------------------------------------------------------------------------ */

static void problem_at(const struct profile_conf *conf, const char *section, const char *key, const struct why *why, struct problems *problems)
{
	struct buf where = {0};

	buf_printf(&where, "%s [%s]", conf->file, section);
	check_file(buf_str(&where), key, why, problems);
	buf_free(&where);
}

/* HMAC or TLS: by neither a service can know who asks it. */
static void warn_unsigned(const struct profile_conf *conf, struct problems *problems)
{
	char *where = mem_printf("%s [webhook] secret_file", conf->file);

	problem_add(problems, PROBLEM_WARNING, where, "without it, and without client_certificate, the service cannot tell the responder's questions "
	    "from anybody else's");
	free(where);
}

void hook_load(const struct profile_conf *conf, struct webhook **out, struct problems *problems)
{
	struct why why = {0};
	const char *key;

	if (conf->webhook.url != NULL && webhook_load(&conf->webhook, out, &key, &why) != ERR_OK)
		problem_at(conf, "webhook", key, &why, problems);
	if (conf->webhook.url != NULL && conf->webhook.secret_file == NULL && conf->webhook.client_certificate == NULL)
		warn_unsigned(conf, problems);
	if (conf->command.path != NULL && command_check(conf->command.path, &why) != ERR_OK)
		problem_at(conf, "command", "path", &why, problems);
}
