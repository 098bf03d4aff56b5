#include "server/http.h"

#include <string.h>

#include "base/codec.h"
#include "server/retry.h"

#define RETRY_AFTER_S 30	/* what a client that met a broken database or key is told to wait, or somewhat more */

static const struct {
	int status;
	const char *reason;
} reasons[] = {
	{200, "OK"},
	{201, "Created"},
	{202, "Accepted"},
	{304, "Not Modified"},
	{400, "Bad Request"},
	{403, "Forbidden"},
	{401, "Unauthorized"},
	{404, "Not Found"},
	{405, "Method Not Allowed"},
	{408, "Request Timeout"},
	{409, "Conflict"},
	{413, "Content Too Large"},
	{414, "URI Too Long"},
	{415, "Unsupported Media Type"},
	{429, "Too Many Requests"},
	{500, "Internal Server Error"},
	{502, "Bad Gateway"},
	{503, "Service Unavailable"},
};

static const char *reason_of(int status)
{
	for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++)
		if (reasons[i].status == status)
			return reasons[i].reason;
	return "Status";
}

/* RFC 9110, 5.6.7: always GMT, always English. */
static void head_date(struct buf *out, const char *name, time_t t)
{
	static const char *const days[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
	static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
	struct tm tm;

	gmtime_r(&t, &tm);
	buf_printf(out, "%s: %s, %02d %s %d %02d:%02d:%02d GMT\r\n", name, days[tm.tm_wday], tm.tm_mday, months[tm.tm_mon], tm.tm_year + 1900,
	    tm.tm_hour, tm.tm_min, tm.tm_sec);
}

static void head_caching(const struct http_resp *resp, struct buf *out)
{
	if (resp->max_age <= 0) {	/* a proxy must not replay a PKIOperation by GET (P-22) */
		buf_add_str(out, "Cache-Control: no-store\r\nPragma: no-cache\r\n");
		return;
	}
	buf_printf(out, "Cache-Control: public, max-age=%ld\r\nETag: %s\r\n", resp->max_age, resp->etag);
	head_date(out, "Last-Modified", resp->modified);
}

void http_head_write(const struct http_resp *resp, struct buf *out)
{
	buf_printf(out, "Status: %d %s\r\n", resp->status, reason_of(resp->status));
	if (resp->status != 304) {
		buf_printf(out, "Content-Type: %s\r\n", resp->type);
		/* Always: many SCEP clients cannot read a chunked answer (P-23). */
		buf_printf(out, "Content-Length: %zu\r\n", resp->body.n);
	}
	head_caching(resp, out);
	buf_add_str(out, "X-Content-Type-Options: nosniff\r\n");
	if (resp->allow != NULL)
		buf_printf(out, "Allow: %s\r\n", resp->allow);
	if (resp->authenticate != NULL)
		buf_printf(out, "WWW-Authenticate: %s\r\n", resp->authenticate);
	if (resp->retry_after > 0)
		buf_printf(out, "Retry-After: %d\r\n", resp->retry_after);
	buf_add_str(out, "\r\n");
}

void http_resp_error(enum err err, struct http_resp *resp)
{
	const struct err_row *row = err_row(err);

	buf_free(&resp->body);
	resp->status = row->http;
	resp->type = "text/plain";
	resp->allow = err == ERR_METHOD ? "GET, HEAD, POST" : NULL;
	/* no registered scheme fits; some HTTP libraries give up on a 401 without the header */
	resp->authenticate = row->http == 401 ? "TLS-Client-Certificate realm=\"SCEP\"" : NULL;
	resp->retry_after = row->http == 503 || row->http == 429 ? retry_spread(RETRY_AFTER_S) : 0;
	buf_printf(&resp->body, "%s\n", row->text);
}

bool http_content_length(const char *text, bool *known, size_t *n)
{
	size_t v = 0;

	*known = text != NULL && *text != '\0';
	*n = 0;
	if (!*known)
		return true;
	for (const char *p = text; *p != '\0'; p++) {
		if (*p < '0' || *p > '9' || v > (SIZE_MAX - 9) / 10)
			return false;
		v = v * 10 + (size_t)(*p - '0');
	}
	*n = v;
	return true;
}

enum err http_body_check(const char *content_length, size_t got, const struct http_limits *limits)
{
	bool known;
	size_t n;

	if (got > limits->max_body)
		return ERR_BODY_LARGE;
	if (!http_content_length(content_length, &known, &n))
		return ERR_BODY_CUT;
	return known && n != got ? ERR_BODY_CUT : ERR_OK;
}

const char *http_var_in(void *envp, const char *name, bool *twice)
{
	const char *found = NULL;
	size_t n = strlen(name);

	if (twice != NULL)
		*twice = false;
	for (char **e = envp; *e != NULL; e++) {
		if (strncmp(*e, name, n) != 0 || (*e)[n] != '=')
			continue;
		if (found == NULL)
			found = *e + n + 1;
		else if (twice != NULL)
			*twice = true;
	}
	return found;
}

/* Servers split a path differently or not at all (mod_proxy_fcgi), and some hand it over still encoded: join, then decode. */
static void path_read(http_var var, void *ctx, struct buf *path)
{
	const char *script = var(ctx, "SCRIPT_NAME", NULL), *info = var(ctx, "PATH_INFO", NULL), *uri = var(ctx, "REQUEST_URI", NULL);
	struct buf raw = {0};

	if (script != NULL)
		buf_add_str(&raw, script);
	if (info != NULL)
		buf_add_str(&raw, info);
	if (raw.n == 0 && uri != NULL)
		buf_add(&raw, uri, strcspn(uri, "?"));
	/* A path is text: what cannot be decoded, or hides a NUL, names nothing of ours. */
	if (!percent_decode(path, buf_bytes(&raw)) || (path->n > 0 && memchr(path->p, '\0', path->n) != NULL))
		buf_cut(path, 0);
	buf_add_str(path, "");
	buf_free(&raw);
}

static const char *text_or_empty(const char *s)
{
	return s == NULL ? "" : s;
}

void http_req_read(http_var var, void *ctx, const struct http_limits *limits, struct buf *path, struct http_req *req)
{
	bool twice = false;

	*req = (struct http_req){.var = var, .vars = ctx};
	path_read(var, ctx, path);
	req->path = (const char *)path->p;
	req->method = text_or_empty(var(ctx, "REQUEST_METHOD", NULL));
	req->query = bytes_str(text_or_empty(var(ctx, "QUERY_STRING", NULL)));
	req->content_type = text_or_empty(var(ctx, "CONTENT_TYPE", NULL));
	req->peer = text_or_empty(var(ctx, "REMOTE_ADDR", NULL));
	req->if_none_match = text_or_empty(var(ctx, "HTTP_IF_NONE_MATCH", NULL));
	req->user = text_or_empty(var(ctx, "REMOTE_USER", &twice));
	if (twice)	/* which of them has been authenticated is anybody's guess */
		req->user = "";
	req->accept = text_or_empty(var(ctx, "HTTP_ACCEPT", NULL));
	req->origin = text_or_empty(var(ctx, "HTTP_ORIGIN", NULL));
	req->host = text_or_empty(var(ctx, "HTTP_HOST", NULL));
	if (req->query.n > limits->max_query)
		req->err = ERR_QUERY_LONG;
}
