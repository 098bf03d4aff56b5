/* TLS client certificates on a request's way: who is let in at mtls_path, and what a request has to share with the certificate. */
#ifndef CA_TLS_H
#define CA_TLS_H

#include "ca/work.h"

/*
 * The certificate in `text`, as the web server has handed it over, if it is good for this profile. Errors: TLS_CERT; PATH when the profile takes
 * no client certificates at all.
 */
enum err tls_admit(const struct profile *p, struct bytes text, time_t now, struct cert **out, struct why *why);

/* Does the certificate stand for a challenge that is not there ('challenge' in [client_certificate])? For the table in ca/authorize.c. */
bool tls_authorises(const struct work *w, struct bytes challenge);

/*
 * For the table in ca/consent.c: has the request what 'bind' wants of the certificate's names and key? Adds these to w->values, under "tls". A
 * certificate of ours is looked up as well. Errors: CLIENT_CERT; TLS_CERT when it is ours and revoked; DB.
 */
bool tls_applies(const struct work *w);
enum err tls_consent(struct work *w, struct why *why);

/* Appends "TLS certificate 'CN=x', serial 0123", for the records. */
void tls_describe(const struct cert *cert, struct buf *out);

#endif
