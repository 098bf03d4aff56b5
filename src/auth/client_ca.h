/* The CAs of a profile's client certificates, as client_trust_load has read them. For auth/client_cert.c and auth/client_ca.c alone. */
#ifndef AUTH_CLIENT_CA_H
#define AUTH_CLIENT_CA_H

#include <gnutls/x509.h>

#include "auth/client_cert.h"
#include "pki/crl.h"

#define CLIENT_RSA_MIN 2048

struct client_ca {
	struct cert *cert;	/* borrowed from client_trust.certs */
	char *name;		/* of its subject */
	int path_len;		/* -1: no limit */
	const struct client_ca *parent;		/* in the bundle as well; NULL: it stands at the top */
	const struct crl *crl;	/* NULL: none */
	gnutls_x509_name_constraints_t constraints;	/* NULL: none */
};

struct client_trust {
	const struct client_cert_conf *conf;
	struct cert **certs;
	struct client_ca *cas;
	size_t n;		/* of both */
	struct crl **crls;
	size_t n_crls;
};

#endif
