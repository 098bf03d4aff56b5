/* Keys, names and certificates as members of a JSON object: what every verb that shows one prints of it. */
#ifndef ADMIN_DESCRIBE_H
#define ADMIN_DESCRIBE_H

#include <json-c/json_object.h>

#include "pki/cert.h"
#include "pki/crl.h"
#include "pki/key.h"

/* "RSA 2048", "EC P-256", "Ed25519". The text lives in `out`. */
const char *describe_key_kind(struct key_kind kind, char out[32]);

/* RFC 4514 text; octets that are no Name are shown as such. */
void put_name(struct json_object *o, const char *key, struct bytes name);

/* The key in a SubjectPublicKeyInfo, whatever its size; one that cannot be read is described as such. */
void put_spki(struct json_object *o, const char *key, struct bytes spki);

/* subject, issuer, serial, validity, key. */
void describe_cert(struct json_object *o, const struct cert *cert);
/* Extensions that say what the certificate is for, its names and identifiers. */
void describe_cert_uses(struct json_object *o, const struct cert *cert);
/* issuer, number, times, how many entries; with `all` also each of them. */
void describe_crl(struct json_object *o, const struct crl *crl, bool all);
/* sha256_fingerprint and sha1_fingerprint, over the whole DER. */
void describe_fingerprints(struct json_object *o, struct bytes der);

/* What is in an extendedKeyUsage, keyUsage or subjectAltName extension's value. */
void put_key_usage(struct json_object *o, const char *key, unsigned usage);
void put_eku(struct json_object *o, const char *key, struct bytes value);
void put_sans(struct json_object *o, const char *key, struct bytes value);

#endif
