#include "admin/client_http.h"

#include <stdlib.h>

#include "base/codec.h"
#include "base/mem.h"

#define CONNECT_TIMEOUT_S 10L
#define TIMEOUT_S 60L
#define QUOTED_MAX 120	/* of the server's own words */

struct client_http {
	CURL *curl;
	char *url;
	struct curl_slist *post_headers;
	char error[CURL_ERROR_SIZE];
};

CURL *client_http_handle(const char *cacert)
{
	CURL *curl = curl_easy_init();

	if (curl == NULL)
		return NULL;
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, CONNECT_TIMEOUT_S);
	curl_easy_setopt(curl, CURLOPT_TIMEOUT, TIMEOUT_S);
	curl_easy_setopt(curl, CURLOPT_USERAGENT, "scepter/" PACKAGE_VERSION);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, client_http_collect);
	if (cacert != NULL)
		curl_easy_setopt(curl, CURLOPT_CAINFO, cacert);
	return curl;
}

/* Without "Expect:" libcurl waits a second for a 100 Continue that not every server sends. */
struct curl_slist *client_http_post_headers(void)
{
	struct curl_slist *list = curl_slist_append(NULL, "Content-Type: application/x-pki-message");

	return curl_slist_append(list, "Expect:");
}

size_t client_http_collect(char *data, size_t size, size_t n, void *buf)
{
	struct buf *body = buf;

	if (n * size > CLIENT_BODY_MAX - body->n)
		return 0;	/* libcurl then ends the transfer with CURLE_WRITE_ERROR */
	buf_add(body, data, n * size);
	return n * size;
}

enum err client_http_open(const char *url, const char *cacert, struct client_http **out, struct why *why)
{
	struct client_http *http;

	http = mem_alloc(sizeof(*http));
	http->curl = client_http_handle(cacert);
	if (http->curl == NULL) {
		free(http);
		return fail(why, ERR_REMOTE, "libcurl could not be started");
	}
	http->url = mem_strdup(url);
	http->post_headers = client_http_post_headers();
	curl_easy_setopt(http->curl, CURLOPT_ERRORBUFFER, http->error);
	*out = http;
	return ERR_OK;
}

void client_http_close(struct client_http *http)
{
	if (http == NULL)
		return;
	curl_easy_cleanup(http->curl);
	curl_slist_free_all(http->post_headers);
	free(http->url);
	free(http);
}

static enum err perform(struct client_http *http, const char *url, struct client_http_answer *out, struct why *why)
{
	struct buf body = {0};
	CURLcode code;

	http->error[0] = '\0';
	curl_easy_setopt(http->curl, CURLOPT_URL, url);
	curl_easy_setopt(http->curl, CURLOPT_WRITEDATA, &body);
	code = curl_easy_perform(http->curl);
	if (code != CURLE_OK) {
		buf_free(&body);
		if (code == CURLE_WRITE_ERROR)
			return fail(why, ERR_REMOTE, "the server's answer is larger than %zu MiB: it is not a SCEP answer",
			    CLIENT_BODY_MAX >> 20);
		return fail(why, ERR_REMOTE, "%s: %s%s", http->url, http->error[0] != '\0' ? http->error : curl_easy_strerror(code),
		    code == CURLE_PEER_FAILED_VERIFICATION ? "; name the CA of its TLS certificate with --cacert" : "");
	}
	curl_easy_getinfo(http->curl, CURLINFO_RESPONSE_CODE, &out->status);
	out->body = body;
	return ERR_OK;
}

enum err client_http_get(struct client_http *http, const char *operation, struct bytes message, struct client_http_answer *out,
    struct why *why)
{
	struct buf url = {0}, text = {0};
	enum err err;

	buf_printf(&url, "%s?operation=%s", http->url, operation);
	if (message.n > 0) {
		base64_encode(&text, message);
		buf_add_str(&url, "&message=");
		percent_encode(&url, buf_bytes(&text));
	}
	curl_easy_setopt(http->curl, CURLOPT_HTTPGET, 1L);
	curl_easy_setopt(http->curl, CURLOPT_HTTPHEADER, NULL);
	err = perform(http, (const char *)url.p, out, why);
	buf_free(&url);
	buf_free(&text);
	return err;
}

enum err client_http_post(struct client_http *http, struct bytes message, struct client_http_answer *out, struct why *why)
{
	struct buf url = {0};
	enum err err;

	buf_printf(&url, "%s?operation=PKIOperation", http->url);
	curl_easy_setopt(http->curl, CURLOPT_POST, 1L);
	curl_easy_setopt(http->curl, CURLOPT_POSTFIELDS, message.p);
	curl_easy_setopt(http->curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)message.n);
	curl_easy_setopt(http->curl, CURLOPT_HTTPHEADER, http->post_headers);
	err = perform(http, (const char *)url.p, out, why);
	buf_free(&url);
	return err;
}

enum err client_http_expect_ok(const char *operation, const struct client_http_answer *answer, struct why *why)
{
	struct buf words = {0};
	enum err err;
	size_t n;

	if (answer->status == 200)
		return ERR_OK;
	for (n = 0; n < answer->body.n && answer->body.p[n] != '\n' && answer->body.p[n] != '\r'; n++)
		;
	escape_text(&words, bytes_cut(buf_bytes(&answer->body), 0, n), QUOTED_MAX);
	err = fail(why, ERR_REMOTE, "%s: the server answered HTTP %ld%s%s%s", operation, answer->status, words.n > 0 ? ": \"" : "",
	    words.n > 0 ? (const char *)words.p : "", words.n > 0 ? "\"" : "");
	buf_free(&words);
	return err;
}
