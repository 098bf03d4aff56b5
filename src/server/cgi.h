/* Plain CGI (RFC 3875): one request from the environment and standard input, answered on standard output. */
#ifndef SERVER_CGI_H
#define SERVER_CGI_H

#include "server/http.h"

/* False when the answer could not be written. */
bool cgi_serve(const struct http_limits *limits, http_handler handle, void *ctx);

#endif
