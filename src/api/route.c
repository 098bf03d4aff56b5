/* Which of the table's calls a request is, whether it may be made, and what comes of it as HTTP and in the log. */
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "api/allow.h"
#include "api/call.h"
#include "base/codec.h"
#include "base/log.h"

#define JSON_TYPE "application/json"
#define TEXT_TYPE "text/plain"

/* Below base_path. A path that ends in "/" has one more part, the id. */
static const struct {
	const char *path, *method, *op;
	enum err (*run)(struct call *call, struct http_resp *resp);
} calls[] = {
    {"/api/challenges", "GET", "challenge.list", challenges_list},
    {"/api/challenges", "HEAD", "challenge.list", challenges_list},
    {"/api/challenges", "POST", "challenge.new", challenges_make},
    {"/api/challenges/", "DELETE", "challenge.revoke", challenges_revoke},
};

#define N_CALLS (sizeof(calls) / sizeof(calls[0]))

static const struct {
	const char *path, *allow;
} allowed[] = {{"/api/challenges", "GET, HEAD, POST"}, {"/api/challenges/", "DELETE"}};

void call_answer(struct http_resp *resp, int status, struct json_object *o)
{
	resp->status = status;
	resp->type = JSON_TYPE;
	buf_add_str(&resp->body, json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));
	buf_add_str(&resp->body, "\n");
	json_object_put(o);
}

/* --- may it be asked? --------------------------------------------------------------------------------------------- */

/* Text, where it is asked for and JSON is not (RFC 9110, 12.5.1, without its weights: nobody who wants text sends any). */
static bool wants_text(const char *accept)
{
	return strcasestr(accept, TEXT_TYPE) != NULL && strcasestr(accept, JSON_TYPE) == NULL;
}

static bool is_json(const char *content_type)
{
	size_t n = strcspn(content_type, "; \t");

	return n == strlen(JSON_TYPE) && strncasecmp(content_type, JSON_TYPE, n) == 0;
}

/* A host with its port, without the one that its scheme has anyway. */
static struct bytes host_of(const char *authority, const char *port)
{
	size_t n = strlen(authority), k = strlen(port);

	return bytes_of(authority, n > k && strcmp(authority + n - k, port) == 0 ? n - k : n);
}

/*
 * A page of another site can make an operator's browser send a request with the operator's password or certificate. A browser tells then
 * where the page is from (RFC 6454, 7), and without our leave it sends no JSON; programs tell nothing.
 */
static enum err check_origin(const struct http_req *req, struct why *why)
{
	bool tls = strncasecmp(req->origin, "https://", 8) == 0;
	struct bytes from, to;

	if (*req->origin == '\0')
		return ERR_OK;
	if (tls || strncasecmp(req->origin, "http://", 7) == 0) {
		from = host_of(req->origin + (tls ? 8 : 7), tls ? ":443" : ":80");
		to = host_of(req->host, tls ? ":443" : ":80");
		if (to.n > 0 && from.n == to.n && strncasecmp((const char *)from.p, (const char *)to.p, to.n) == 0)
			return ERR_OK;
	}
	return fail(why, ERR_FORBIDDEN, "the request comes from a page of '%.80s', not of this host", req->origin);
}

static enum err check_request(const struct call *call, struct why *why)
{
	const struct http_req *req = call->req;
	enum err err = allow_user(&call->site->conf->admin, req->user, why);

	if (err != ERR_OK || strcmp(req->method, "GET") == 0 || strcmp(req->method, "HEAD") == 0)
		return err;
	if ((err = check_origin(req, why)) != ERR_OK)
		return err;
	if (strcmp(req->method, "POST") == 0 && !is_json(req->content_type))
		return fail(why, ERR_MEDIA, "Content-Type '%.60s': the body has to be " JSON_TYPE, req->content_type);
	return ERR_OK;
}

/* --- which call --------------------------------------------------------------------------------------------------- */

/* True when `path`, which is below base_path, is `pattern`; `id`: what a pattern that ends in "/" has after it. */
static bool is_path(const char *path, const char *pattern, struct bytes *id)
{
	size_t n = strlen(pattern);

	if (pattern[n - 1] != '/')
		return strcmp(path, pattern) == 0;
	if (strncmp(path, pattern, n) != 0 || path[n] == '\0' || strchr(path + n, '/') != NULL)
		return false;
	*id = bytes_str(path + n);
	return true;
}

static enum err no_call(const char *path, const char *method, struct http_resp *resp, struct why *why)
{
	struct bytes id;

	for (size_t i = 0; i < sizeof(allowed) / sizeof(allowed[0]); i++) {
		if (is_path(path, allowed[i].path, &id)) {
			resp->allow = allowed[i].allow;
			return fail(why, ERR_METHOD, "method '%.20s' is not for this path: %s", method, allowed[i].allow);
		}
	}
	return fail(why, ERR_PATH, "there is nothing at this path");
}

static enum err run_call(struct call *call, struct http_resp *resp)
{
	const char *base = call->site->conf->admin.base_path, *path = call->req->path;
	enum err err = call->req->err;

	if (err != ERR_OK)
		return fail(&call->why, err, "%s", err_row(err)->text);
	if (strncmp(path, base, strlen(base)) != 0)
		return fail(&call->why, ERR_PATH, "'%.80s' is not below base_path '%s' of [admin]", path, base);
	path += strlen(base);
	for (size_t i = 0; i < N_CALLS; i++) {
		if (strcmp(calls[i].method, call->req->method) != 0 || !is_path(path, calls[i].path, &call->id))
			continue;
		call->op = calls[i].op;
		if ((err = check_request(call, &call->why)) != ERR_OK)
			return err;
		return calls[i].run(call, resp);
	}
	/* what is there is not for everybody to find out */
	err = allow_user(&call->site->conf->admin, call->req->user, &call->why);
	return err == ERR_OK ? no_call(path, call->req->method, resp, &call->why) : err;
}

/* --- answer and log ----------------------------------------------------------------------------------------------- */

/* What is wrong on our side is for the log alone. */
static void answer_error(const struct call *call, enum err err, struct http_resp *resp)
{
	const struct err_row *row = err_row(err);
	const char *allow = resp->allow, *message = row->whose == OPERATOR || call->why.text[0] == '\0' ? row->text : call->why.text;
	struct json_object *o;

	http_resp_error(err, resp);
	resp->allow = allow;
	if (call->plain) {
		buf_cut(&resp->body, 0);
		buf_printf(&resp->body, "%s\n", message);
		return;
	}
	buf_free(&resp->body);
	o = json_object_new_object();
	put_text(o, "error", row->label);
	put_sentence(o, "message", message);
	call_answer(resp, row->http, o);
}

static void log_call(const struct call *call, enum err err, const struct http_resp *resp, double ms)
{
	struct buf line = {0};

	buf_printf(&line, "http=%d", resp->status);
	log_field(&line, "method", bytes_str(call->req->method));
	log_field(&line, "op", bytes_str(call->op));
	log_field(&line, "user", bytes_str(call->req->user));
	log_field(&line, "id", bytes_str(call->subject));
	if (err != ERR_OK) {
		buf_printf(&line, " err=%s", err_row(err)->label);
		log_field(&line, "why", bytes_str(call->why.text));
	}
	log_field(&line, "peer", bytes_str(call->req->peer));
	log_line(log_level_of(err), "%s ms=%.1f", buf_str(&line), ms);
	buf_free(&line);
}

void admin_route(void *ctx, const struct http_req *req, struct http_resp *resp)
{
	struct call call = {.site = ctx, .req = req, .now = time(NULL), .op = "", .plain = wants_text(req->accept)};
	struct timespec t0, t1;
	enum err err;

	clock_gettime(CLOCK_MONOTONIC, &t0);
	err = run_call(&call, resp);
	if (err != ERR_OK)
		answer_error(&call, err, resp);
	resp->head = strcmp(req->method, "HEAD") == 0;
	clock_gettime(CLOCK_MONOTONIC, &t1);
	log_call(&call, err, resp, (double)(t1.tv_sec - t0.tv_sec) * 1e3 + (double)(t1.tv_nsec - t0.tv_nsec) / 1e6);
	free(call.subject);
}
