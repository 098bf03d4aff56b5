/* What `ca init` and `ca issue-ra` share: a key, a certificate for it, and where both go. */
#ifndef ADMIN_CA_MAKE_H
#define ADMIN_CA_MAKE_H

#include <stdbool.h>
#include <time.h>

#include <json-c/json_object.h>

#include "pki/cert.h"
#include "pki/key.h"

struct ca_signer {
	struct cert *cert;
	struct key *key;
};

/* Reads an issuing CA and checks that it may sign: key and certificate fit, CA:TRUE, keyCertSign, within its dates. */
enum err ca_signer_open(const char *cert_file, const char *key_where, const char *pin_file, struct ca_signer *out, struct why *why);
void ca_signer_free(struct ca_signer *s);

/* What key_generate calls the kind of key in `cert`; RSA of other sizes becomes the next larger one. */
enum err ca_key_type_of(const struct cert *cert, const char **out, struct why *why);

struct ca_job {
	const char *subject;		/* RFC 4514 text; NULL: subject_der */
	struct bytes subject_der;	/* a Name TLV */
	const char *key_type;		/* of a new key: "rsa:3072"; not for a token */
	long days;
	bool replace;			/* --force */
	const char *cert_file;
	const char *key_where;		/* a file to make, or the pkcs11: URI of a key that exists */
	const char *pin_file;
	const char *chain_file;		/* for ca_write_chain; NULL: none */
	const char *like;		/* root gives the files to this one's owner; NULL: it keeps them */
	const struct ca_signer *by;	/* NULL: signed by itself */
	bool ca;
	int path_len;			/* -1: none */
	unsigned key_usage;
	bool rsa_only;			/* the key has to open envelopes */
};

/* What a certificate that follows `old` has of it: name, key usages, days of validity (one at least) and, of a CA (job->ca), path length. */
void ca_follow(const struct cert *old, struct ca_job *job);

/* Makes and writes all of it, key file first with mode 0600; nothing is written when the certificate cannot be made. */
enum err ca_make(const struct ca_job *job, time_t now, struct cert **out, struct why *why);

/* Writes what the profile's [ca] chain wants: the parent and all that follows it in its file. */
enum err ca_write_chain(const struct ca_job *job, const char *parent_cert, struct why *why);

/* Removes what these two have written. */
void ca_unmake(const struct ca_job *job);

/* Prints what was made, or adds it to `o`. */
void ca_describe_made(struct json_object *o, const struct ca_job *job, const struct cert *cert);
void ca_print_made(const struct ca_job *job, const struct cert *cert, bool json);

#endif
