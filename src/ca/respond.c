#include "ca/respond.h"

#include <gnutls/crypto.h>

static enum err respond(const struct enroll_env *env, const struct scep_msg *msg, const struct scep_reply *reply, struct outcome *out)
{
	const struct profile *p = env->profile;
	struct scep_signer by = {.cert = p->sign_cert, .key = p->sign_key};
	uint8_t nonce[SCEP_NONCE_SIZE];

	if (gnutls_rnd(GNUTLS_RND_NONCE, nonce, sizeof(nonce)) != 0)
		return fail(&out->why, ERR_INTERNAL, "the random number generator does not work");
	out->status = reply->status;
	if (out->light) {	/* no CertRep: certificates, or nothing that HTTP does not say */
		if (reply->status == SCEP_SUCCESS)
			cms_certs_only_write(&out->body, reply->certs, reply->n_certs);
		buf_add_str(&out->text, reply->fail_text != NULL ? reply->fail_text : "");
		return ERR_OK;
	}
	return scep_certrep_write(msg, reply, &by, &p->algs, env->now, nonce, &out->body, &out->why);
}

/* P-198: most clients need an empty eContent where there is none to send; cryptlib refuses it and shows itself by an attribute. */
static bool empty_content(const struct profile *p, const struct scep_msg *msg)
{
	if (p->conf->empty_content == EMPTY_CONTENT_AUTO)
		return !msg->random_nonce;
	return p->conf->empty_content == EMPTY_CONTENT_EMPTY;
}

enum err respond_success(const struct enroll_env *env, const struct scep_msg *msg, struct bytes der, struct bytes password,
    struct outcome *out)
{
	const struct profile *p = env->profile;
	struct bytes certs[2 + CMS_MAX_CERTS];
	struct scep_reply reply = {.status = SCEP_SUCCESS, .fail_info = FI_NONE, .certs = certs, .password = password};
	size_t n = 0;

	certs[n++] = der;
	if (p->conf->include_chain) {
		certs[n++] = buf_bytes(&p->ca_cert->der);
		for (size_t i = 0; i < p->n_chain && i < CMS_MAX_CERTS; i++)
			certs[n++] = buf_bytes(&p->chain[i]->der);
	}
	reply.n_certs = n;
	return respond(env, msg, &reply, out);
}

enum err respond_crl(const struct enroll_env *env, const struct scep_msg *msg, struct bytes crl, struct outcome *out)
{
	return respond(env, msg, &(struct scep_reply){.status = SCEP_SUCCESS, .fail_info = FI_NONE, .crl = crl}, out);
}

enum err respond_pending(const struct enroll_env *env, const struct scep_msg *msg, struct outcome *out)
{
	struct scep_reply reply = {
	    .status = SCEP_PENDING, .fail_info = FI_NONE, .empty_content = empty_content(env->profile, msg)};

	return respond(env, msg, &reply, out);
}

enum err respond_failure(const struct enroll_env *env, const struct scep_msg *msg, enum err err, const char *text, struct outcome *out)
{
	struct scep_reply reply = {
	    .status = SCEP_FAILURE,
	    .fail_info = err_row(err)->fail_info,
	    .fail_text = text != NULL ? text : err_row(err)->text,
	    .empty_content = empty_content(env->profile, msg),
	};

	return respond(env, msg, &reply, out);
}
