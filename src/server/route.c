#include "server/route.h"

#include <string.h>
#include <strings.h>
#include <time.h>

#include "base/codec.h"
#include "base/log.h"
#include "ca/crl.h"
#include "ca/enroll.h"
#include "ca/light.h"
#include "ca/rollover.h"
#include "ca/tls.h"
#include "server/body.h"
#include "server/mtls.h"
#include "server/retry.h"
#include "server/url.h"

#define CRL_CACHE_S 600	/* a revocation is to be seen by everybody so soon, whatever is between */
#define LIGHT_RETRY_S 60	/* when a light client is to ask again whether it was approved */

#define CRL_OP "crl"	/* what the log calls it */

/* One request on its way: what is known of it so far, for the answer and the log line. */
struct call {
	const struct site *site;
	const struct http_req *req;
	time_t now;
	const struct profile *profile;
	bool mtls;			/* at mtls_path */
	struct cert *client_cert;	/* then: good for the profile */
	const char *op;			/* as in the table below, "" before it is known */
	struct outcome outcome;		/* err, why and body, for every operation */
};

typedef void (*op_handler)(struct call *call, struct http_resp *resp);

/* --- the operations (RFC 8894, section 4) ------------------------------------------------------------------------- */

static void answer(struct http_resp *resp, const char *type, struct bytes body)
{
	resp->status = 200;
	resp->type = type;
	buf_add_bytes(&resp->body, body);
}

static void get_ca_caps(struct call *call, struct http_resp *resp)
{
	answer(resp, "text/plain", rollover_caps(call->profile, call->now));
}

static void get_ca_cert(struct call *call, struct http_resp *resp)
{
	const struct profile *p = rollover_at(call->profile, call->now);

	answer(resp, p->ca_type, buf_bytes(&p->ca_body));
}

static void get_next_ca_cert(struct call *call, struct http_resp *resp)
{
	struct bytes body = rollover_next_ca(call->profile, call->now);

	if (body.n > 0)
		answer(resp, "application/x-x509-next-ca-cert", body);
	else
		call->outcome.err = fail(&call->outcome.why, ERR_NOT_FOUND, "no next CA is announced");	/* P-47 */
}

static enum err take_get(const struct call *call, struct buf *store, struct why *why)
{
	const struct profile_conf *conf = call->profile->conf;

	if (!conf->get)
		return fail(why, ERR_METHOD, "PKIOperation by GET is switched off ('get' in [scep])");
	return url_message(call->req->query, (conf->tolerate & TOLERATE_BASE64) != 0, store, why);
}

/* The message as octets, in `store` where it came as text. A PKCS#10 comes by POST only: a URL would show its challenge in every log. */
static enum err take_message(const struct call *call, struct buf *store, struct bytes *message, bool *light, struct why *why)
{
	const struct profile_conf *conf = call->profile->conf;
	enum err err = ERR_OK;
	bool text = false;

	if (strcmp(call->req->method, "POST") != 0)
		err = take_get(call, store, why);
	else
		text = body_from_text(call->req->body, store);
	*message = store->n > 0 ? buf_bytes(store) : call->req->body;
	if (err != ERR_OK || strcmp(call->req->method, "POST") != 0)
		return err;
	*light = conf->raw_csr && light_shape(*message);
	if (*light)
		return ERR_OK;
	if ((conf->tolerate & TOLERATE_CONTENT_TYPE) == 0 && !body_is_pki_message(call->req->content_type))
		return fail(why, ERR_MEDIA, "Content-Type '%.60s' ('content-type' in [scep] tolerate)", call->req->content_type);
	if (text && (conf->tolerate & TOLERATE_BASE64_POST) == 0)
		return fail(why, ERR_SYNTAX, "the body is base64 text instead of octets ('base64-post' in [scep] tolerate)");
	return ERR_OK;
}

/* What a CertRep would say, said by HTTP: what the profile refuses is 403, what is malformed 400. */
static void answer_light(const struct outcome *o, struct http_resp *resp)
{
	const struct err_row *row = err_row(o->err);

	if (o->err == ERR_OK && o->status == SCEP_PENDING) {
		answer(resp, "text/plain", BYTES_LIT("the request waits for approval: send it again later\n"));
		resp->status = 202;
		resp->retry_after = retry_spread(LIGHT_RETRY_S);
	} else if (o->err == ERR_OK) {
		answer(resp, "application/pkcs7-mime", buf_bytes(&o->body));
	} else {
		http_resp_error(o->err, resp);
		if (row->whose == POLICY && row->fail_info != FI_NONE)
			resp->status = 403;
		if (o->text.n > 0) {
			buf_cut(&resp->body, 0);
			buf_printf(&resp->body, "%s\n", buf_str(&o->text));
		}
	}
}

/* What is public is given out everywhere; who asks for a certificate has to come with one. */
static bool is_elsewhere(const struct call *call)
{
	const struct client_cert_conf *conf = &call->profile->conf->client_cert;

	return conf->trust != NULL && conf->only && !call->mtls;
}

static struct enroll_env env_of(const struct call *call)
{
	return (struct enroll_env){
	    .profile = call->profile, .store = call->site->store, .web = call->site->web, .now = call->now, .peer = call->req->peer,
	    .overload = call->site->overload, .client_cert = call->client_cert};
}

static void pki_operation(struct call *call, struct http_resp *resp)
{
	struct enroll_env env = env_of(call);
	struct bytes message;
	struct buf store = {0};
	enum err err;

	if (is_elsewhere(call)) {
		call->outcome.err = fail(&call->outcome.why, ERR_TLS_CERT, "requests of this profile are taken below %s only, with a client certificate "
		    "('only' in [client_certificate])", call->site->conf->mtls_path);
		return;
	}
	err = take_message(call, &store, &message, &env.light, &call->outcome.why);
	if (err == ERR_OK)
		enroll(&env, message, &call->outcome);
	else
		call->outcome.err = err;
	if (call->outcome.light)
		answer_light(&call->outcome, resp);
	else if (call->outcome.body.n > 0)
		answer(resp, "application/x-pki-message", buf_bytes(&call->outcome.body));
	buf_wipe(&store);
}

/* Not SCEP: RFC 5280, 4.2.1.13 and RFC 2585, 4.2. Asked for by those who check certificates. */
static void get_crl(struct call *call, struct http_resp *resp)
{
	struct outcome *o = &call->outcome;
	struct why why = {0};
	struct crl_view crl;
	uint8_t digest[64];
	long left;

	o->err = ca_crl_serve(call->profile, call->site->store, call->now, &crl, &why);
	if (o->err != ERR_OK) {
		o->why = why;
		return;
	}
	o->trouble = why;
	left = (long)(crl.next_update - call->now);
	resp->max_age = left < CRL_CACHE_S ? left : CRL_CACHE_S;
	resp->modified = crl.this_update;
	digest_of(digest_row(DIGEST_SHA256), crl.der, digest);
	snprintf(resp->etag, sizeof(resp->etag), "\"%ld-%02x%02x%02x%02x\"", crl.number, digest[0], digest[1], digest[2], digest[3]);
	if (strstr(call->req->if_none_match, resp->etag) != NULL)
		resp->status = 304;
	else
		answer(resp, "application/pkix-crl", crl.der);
}

static const struct {
	const char *name;
	bool safe;	/* may be asked for by HEAD; the other one also comes by POST */
	op_handler run;
} ops[] = {
	{"GetCACaps", true, get_ca_caps},
	{"GetCACert", true, get_ca_cert},
	{"GetNextCACert", true, get_next_ca_cert},
	{"PKIOperation", false, pki_operation},
};

/* --- which one ---------------------------------------------------------------------------------------------------- */

/* A path that a profile has besides its own, exactly as the configuration has it. */
static const struct profile *profile_at(const struct site *site, const char *path)
{
	for (struct profile *const *p = site->profiles; *p != NULL; p++) {
		for (char **paths = (*p)->conf->paths; paths != NULL && *paths != NULL; paths++) {
			if (strcmp(*paths, path) == 0)
				return *p;
		}
	}
	return NULL;
}

static const struct profile *profile_named(const struct site *site, struct bytes name)
{
	for (struct profile *const *p = site->profiles; *p != NULL; p++) {
		if (bytes_eq_str(name, (*p)->conf->name))
			return *p;
	}
	return NULL;
}

static enum err find_below(struct call *call, const char *base)
{
	struct bytes name, crl, ca;
	bool is_scep;

	is_scep = url_profile_name(base, call->req->path, &name);
	if (is_scep)
		call->profile = profile_named(call->site, name);
	if (call->profile == NULL && url_crl_name(base, call->req->path, &crl, &ca)) {	/* after those that are called crl themselves */
		call->profile = profile_named(call->site, crl);
		if (call->profile != NULL && ca.n > 0 && (call->profile = rollover_of_ca(call->profile, ca)) == NULL)
			return fail(&call->outcome.why, ERR_PATH, "profile '%.*s' has no CA with the key identifier '%.*s'", (int)crl.n,
			    (const char *)crl.p, (int)(ca.n < 64 ? ca.n : 64), (const char *)ca.p);
		call->op = CRL_OP;
	}
	if (call->profile != NULL)
		return ERR_OK;
	if (!is_scep)
		return fail(&call->outcome.why, ERR_PATH, "'%s' is not below base_path '%s'", call->req->path, base);
	return fail(&call->outcome.why, ERR_PATH, "there is no profile '%.*s'", (int)name.n, (const char *)name.p);
}

static enum err find_profile(struct call *call)
{
	const struct conf *conf = call->site->conf;

	call->profile = profile_at(call->site, call->req->path);
	if (call->profile != NULL)
		return ERR_OK;
	call->mtls = url_is_below(conf->mtls_path, call->req->path);
	return find_below(call, call->mtls ? conf->mtls_path : conf->base_path);
}

/* Whatever is asked for at mtls_path, only who shows a good certificate gets an answer. */
static enum err let_in(struct call *call)
{
	struct outcome *o = &call->outcome;

	if (!call->mtls)
		return ERR_OK;
	return mtls_admit(call->site->conf, call->profile, call->req, call->now, &call->client_cert, &o->why);
}

/* P-16: in any case where the profile tolerates that, else exactly as the RFC writes it. */
static bool is_op(const struct call *call, struct bytes name, const char *op)
{
	bool any_case = (call->profile->conf->tolerate & TOLERATE_CASE) != 0;

	return bytes_eq_str(name, op) ||
	    (any_case && strlen(op) == name.n && strncasecmp(op, (const char *)name.p, name.n) == 0);
}

/* A POST without operation is a PKIOperation (P-12), unless the profile wants the RFC's letter. */
static enum err find_op(struct call *call, op_handler *run)
{
	bool get = strcmp(call->req->method, "GET") == 0, post = strcmp(call->req->method, "POST") == 0;
	struct why *why = &call->outcome.why;
	struct bytes name;

	if (strcmp(call->op, CRL_OP) == 0) {
		*run = get_crl;
		return post ? fail(why, ERR_METHOD, "a CRL by POST") : ERR_OK;
	}
	if (!query_param(call->req->query, "operation", &name)) {
		if (!post || (call->profile->conf->tolerate & TOLERATE_NO_OPERATION) == 0)
			return fail(why, ERR_OPERATION, "no operation parameter");
		name = bytes_str("PKIOperation");
	}
	for (size_t i = 0; i < sizeof(ops) / sizeof(ops[0]); i++) {
		if (!is_op(call, name, ops[i].name))
			continue;
		call->op = ops[i].name;
		if (ops[i].safe && post)
			return fail(why, ERR_OPERATION, "%s by POST", call->op);
		if (!ops[i].safe && !post && !get)
			return fail(why, ERR_METHOD, "%s by %s", call->op, call->req->method);
		if (ops[i].safe && !url_names_ca(call->req->query, call->profile->conf->ca_identifiers))
			return fail(why, ERR_IDENTIFIER, "the client asks for another CA than ca_identifier in [scep] has");
		*run = ops[i].run;
		return ERR_OK;
	}
	return fail(why, ERR_OPERATION, "unknown operation '%.*s'", name.n < 40 ? (int)name.n : 40, (const char *)name.p);
}

/* Who asked for a certificate has a row in the audit trail; who only looked has a line in the log. */
static void turn_away(struct call *call, op_handler run)
{
	struct enroll_env env = env_of(call);

	call->outcome.refused_by = authority_name(AUTHORITY_CLIENT_CERT);
	if (run == pki_operation)
		enroll_turned_away(&env, &call->outcome);
}

static void dispatch(struct call *call, struct http_resp *resp)
{
	static const char *const methods[] = {"GET", "HEAD", "POST"};
	struct outcome *o = &call->outcome;
	op_handler run = NULL;
	bool known = false;

	for (size_t i = 0; i < 3; i++)
		known |= strcmp(call->req->method, methods[i]) == 0;
	if (!known)
		o->err = fail(&o->why, ERR_METHOD, "method '%.20s'", call->req->method);
	else if (call->req->err != ERR_OK)
		o->err = fail(&o->why, call->req->err, "while the request was read");
	else if ((o->err = find_profile(call)) == ERR_OK && (o->err = find_op(call, &run)) == ERR_OK)
		o->err = let_in(call);
	if (run != NULL && o->err == ERR_OK)
		run(call, resp);
	if (o->err == ERR_TLS_CERT)
		turn_away(call, run);
	if (resp->status == 0)
		http_resp_error(o->err == ERR_OK ? ERR_INTERNAL : o->err, resp);
	if (o->err == ERR_THROTTLED && o->retry_after > 0)
		resp->retry_after = retry_spread(o->retry_after);
	if (o->err == ERR_METHOD && run != NULL)
		resp->allow = run == get_crl ? "GET, HEAD" : "POST";	/* the method is right, but not for this operation of this profile */
	resp->head = strcmp(call->req->method, "HEAD") == 0;
}

/* --- the log line ------------------------------------------------------------------------------------------------- */

static void field_client_cert(struct buf *line, const struct cert *cert)
{
	struct buf text = {0};

	if (cert != NULL)
		tls_describe(cert, &text);
	log_field(line, "client_cert", buf_bytes(&text));
	buf_free(&text);
}

static const char *status_name(enum scep_status status)
{
	return status == SCEP_SUCCESS ? "SUCCESS" : status == SCEP_PENDING ? "PENDING" : "FAILURE";
}

static void log_call(const struct call *call, const struct http_resp *resp, double ms)
{
	const struct outcome *o = &call->outcome;
	enum log_level level = log_level_of(o->err);
	struct buf line = {0};

	buf_printf(&line, "http=%d", resp->status);
	log_field(&line, "method", bytes_str(call->req->method));
	log_field(&line, "profile", bytes_str(call->profile == NULL ? "" : call->profile->conf->name));
	log_field(&line, "op", bytes_str(call->op));
	if (o->type != 0)
		buf_printf(&line, " type=%s(%d)", scep_type_name(o->type), o->type);
	if (o->txid.n > 0)	/* is escaped already */
		buf_printf(&line, " txid=\"%.*s\"", LOG_FIELD_MAX, (const char *)o->txid.p);
	if (o->light)
		buf_add_str(&line, " light=yes");
	if (o->body.n > 0)
		buf_printf(&line, " status=%s%s", status_name(o->status), o->repeated ? " repeated=yes" : "");
	if (o->err != ERR_OK)
		buf_printf(&line, " err=%s", err_row(o->err)->label);
	log_field(&line, "refused_by", bytes_str(o->err == ERR_OK || o->refused_by == NULL ? "" : o->refused_by));
	log_field(&line, "why", o->err == ERR_OK ? bytes_str("") : bytes_str(o->why.text));
	log_field(&line, "serial", bytes_str(o->serial));
	log_field(&line, "subject", buf_bytes(&o->subject));
	log_field(&line, "weak", buf_bytes(&o->weak));
	log_field(&line, "left_out", buf_bytes(&o->left_out));
	field_client_cert(&line, call->client_cert);
	log_field(&line, "peer", bytes_str(call->req->peer));
	if (o->obsolete && level > LOG_WARN_)	/* P-200 */
		level = LOG_WARN_;
	log_line(level, "%s ms=%.1f", (const char *)line.p, ms);
	buf_free(&line);
	if (o->trouble.err != ERR_OK)
		log_line(log_level_of(o->trouble.err), "the CRL was given out as it is: %s", o->trouble.text);
	if (o->audit.err != ERR_OK)
		log_error("the refusal above is not in the audit trail: %s", o->audit.text);
}

void route(const struct site *site, const struct http_req *req, time_t now, struct http_resp *resp)
{
	struct call call = {.site = site, .req = req, .now = now, .op = ""};
	struct timespec t0, t1;

	clock_gettime(CLOCK_MONOTONIC, &t0);
	dispatch(&call, resp);
	clock_gettime(CLOCK_MONOTONIC, &t1);
	log_call(&call, resp, (double)(t1.tv_sec - t0.tv_sec) * 1e3 + (double)(t1.tv_nsec - t0.tv_nsec) / 1e6);
	cert_free(call.client_cert);
	outcome_free(&call.outcome);
}
