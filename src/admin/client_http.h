/* HTTP as a SCEP client speaks it (RFC 8894, section 4): one server, one kept connection, bounded answers. */
#ifndef ADMIN_CLIENT_HTTP_H
#define ADMIN_CLIENT_HTTP_H

#include <curl/curl.h>

#include "base/buf.h"
#include "base/err.h"

#define CLIENT_BODY_MAX ((size_t)4 << 20)

struct client_http;

struct client_http_answer {
	long status;
	struct buf body;
};

/* url: http or https, without a query. cacert: PEM file that https trusts instead of the system's; NULL: the system's.
 * Error: REMOTE (libcurl will not start). */
enum err client_http_open(const char *url, const char *cacert, struct client_http **out, struct why *why);
void client_http_close(struct client_http *http);	/* NULL is allowed */

/* GET ?operation=OPERATION, with message= when `message` has octets (base64, escaped). The caller frees out->body. Any HTTP
 * status is an answer. Error: REMOTE (no answer, or one over CLIENT_BODY_MAX). */
enum err client_http_get(struct client_http *http, const char *operation, struct bytes message, struct client_http_answer *out,
    struct why *why);
/* POST of a PKIOperation. The same otherwise. */
enum err client_http_post(struct client_http *http, struct bytes message, struct client_http_answer *out, struct why *why);

/* Error REMOTE with the server's own words unless the status is 200. */
enum err client_http_expect_ok(const char *operation, const struct client_http_answer *answer, struct why *why);

/* A libcurl handle with the settings that every request has: protocols, time-outs, TLS. NULL: out of memory. */
CURL *client_http_handle(const char *cacert);
/* libcurl's write callback for a struct buf, refusing more than CLIENT_BODY_MAX. */
size_t client_http_collect(char *data, size_t size, size_t n, void *buf);
struct curl_slist *client_http_post_headers(void);

#endif
