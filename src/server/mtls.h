/* Where a request's TLS client certificate comes from: only from where nobody but a web server, or a proxy that is trusted, can put it. */
#ifndef SERVER_MTLS_H
#define SERVER_MTLS_H

#include "ca/profile.h"
#include "server/http.h"

/*
 * The certificate that the client has shown, if it is good for the profile: as the web server says in SSL_CLIENT_CERT, or, when the request comes from
 * one of trusted_proxies, as that says in client_cert_header, and then only there: what the web server saw is the proxy's own. The header of anybody
 * else is dropped, which is logged, once a minute at most. Errors: TLS_CERT, PATH.
 */
enum err mtls_admit(const struct conf *conf, const struct profile *p, const struct http_req *req, time_t now, struct cert **out, struct why *why);

#endif
