/* TLS client certificates ([client_certificate] of a profile), by which a device is let in at mtls_path. */
#ifndef CONF_CLIENT_CERT_CONF_H
#define CONF_CLIENT_CERT_CONF_H

#include <stdbool.h>

/* bits of bind: what of the TLS certificate the request has to have as well */
enum conf_bind { BIND_SUBJECT = 1, BIND_CN = 2, BIND_SERIAL_NUMBER = 4, BIND_SAN = 8, BIND_KEY = 16 };

struct client_cert_conf {
	char *trust;		/* PEM file with the CAs of the certificates; NULL: the profile does not answer at mtls_path */
	char *crl;		/* their CRLs; NULL: none */
	bool client_auth;	/* the certificate has to be for clientAuth; false: for anything */
	bool replaces_challenge;	/* it authorises a request that has no challenge */
	unsigned bind;		/* enum conf_bind bits: all of them have to hold */
	bool only;		/* PKIOperation is served at mtls_path only */
};

#endif
