/* From an HTTP request to the operation that answers it: paths, methods, operations (RFC 8894, section 4). */
#ifndef SERVER_ROUTE_H
#define SERVER_ROUTE_H

#include "ca/site.h"
#include "server/http.h"

/* Answers one request; logs one line. `resp` comes zeroed; resp->body is freed by the caller. */
void route(const struct site *site, const struct http_req *req, time_t now, struct http_resp *resp);

#endif
