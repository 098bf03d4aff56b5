/* From an HTTP request to the operation that answers it: paths, methods, operations (RFC 8894, section 4). */
#ifndef SERVER_ROUTE_H
#define SERVER_ROUTE_H

#include "ca/site.h"
#include "server/http.h"

/* Answers one request; logs one line. `resp` comes zeroed; resp->body is freed by the caller. */
void route(const struct site *site, const struct http_req *req, time_t now, struct http_resp *resp);

/*
 * The profile that a path names: base_path itself is "default", base_path/NAME is NAME, each also with /pkiclient.exe or slashes
 * after it. `name` is a view into `path`. False when the path is none of ours.
 */
bool route_profile_name(const char *base_path, const char *path, struct bytes *name);

/* The message of a PKIOperation by GET, from the raw query string. Error: ENCODING. */
enum err route_message_read(struct bytes query, struct buf *out, struct why *why);

#endif
