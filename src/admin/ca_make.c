#include "admin/ca_make.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <gnutls/x509.h>

#include "admin/describe.h"
#include "admin/print.h"
#include "admin/profile_file.h"
#include "admin/progress.h"
#include "base/codec.h"
#include "base/file.h"
#include "base/mem.h"
#include "ca/issue.h"
#include "pki/name.h"
#include "store/store.h"

#define DAY 86400L
#define BACKDATE 3600	/* seconds: devices whose clock is behind take the certificate at once */
#define MIN_RSA 2048

void ca_signer_free(struct ca_signer *s)
{
	cert_free(s->cert);
	key_free(s->key);
	*s = (struct ca_signer){0};
}

enum err ca_key_type_of(const struct cert *cert, const char **out, struct why *why)
{
	static const struct key_limits any = {.min_rsa = 1024, .max_rsa = 16384};
	struct pubkey *pub = NULL;
	struct key_kind kind;
	enum err err = pubkey_import(cert->spki, &any, &pub, why);

	if (err != ERR_OK)
		return err;
	kind = pubkey_kind(pub);
	pubkey_free(pub);
	if (kind.type == KEY_RSA)
		*out = kind.bits <= 2048 ? "rsa:2048" : kind.bits <= 3072 ? "rsa:3072" : "rsa:4096";
	else if (kind.type == KEY_EC)
		*out = kind.bits <= 256 ? "ec:p256" : kind.bits <= 384 ? "ec:p384" : "ec:p521";
	else
		*out = "ed25519";
	return ERR_OK;
}

static enum err check_signer(const struct ca_signer *s, const char *cert_file, const char *key_where, struct why *why)
{
	time_t now = time(NULL);

	if (!bytes_eq(key_spki(s->key), s->cert->spki))
		return fail(why, ERR_KEY, "%s is not the key of %s: give the two that belong together", key_where, cert_file);
	if (!cert_is_ca(s->cert) || !(cert_key_usage(s->cert) & GNUTLS_KEY_KEY_CERT_SIGN))
		return fail(why, ERR_CERT, "%s may not sign certificates (it is no CA certificate with keyCertSign): give the CA's"
		    " certificate", cert_file);
	if (!s->cert->times_ok || s->cert->not_after <= now)
		return fail(why, ERR_CERT, "%s has expired: nothing it signs would be valid; renew it first", cert_file);
	return ERR_OK;
}

enum err ca_signer_open(const char *cert_file, const char *key_where, const char *pin_file, struct ca_signer *out, struct why *why)
{
	struct ca_signer s = {0};
	enum err err;

	if ((err = cert_read(cert_file, &s.cert, why)) != ERR_OK)
		goto out;
	if ((err = key_open(key_where, pin_file, &s.key, why)) != ERR_OK)
		goto out;
	if ((err = check_signer(&s, cert_file, key_where, why)) != ERR_OK)
		goto out;
	*out = s;
	return ERR_OK;
out:
	ca_signer_free(&s);
	return err;
}

void ca_follow(const struct cert *old, struct ca_job *job)
{
	long days = (long)((old->not_after - old->not_before) / DAY);

	job->subject_der = old->subject;
	job->days = days > 0 ? days : 1;
	job->path_len = job->ca ? cert_path_len(old) : -1;
	job->key_usage = cert_key_usage(old) & (GNUTLS_KEY_DIGITAL_SIGNATURE | GNUTLS_KEY_KEY_ENCIPHERMENT |
	    (job->ca ? GNUTLS_KEY_KEY_CERT_SIGN | GNUTLS_KEY_CRL_SIGN : 0));
}

/* --- making ------------------------------------------------------------------------------------------------------- */

/* Before the slow part: what is there is somebody's key. */
static enum err check_free(const struct ca_job *job, struct why *why)
{
	const char *const files[] = {job->key_where, job->cert_file, job->chain_file};
	size_t i;

	for (i = 0; i < sizeof(files) / sizeof(files[0]) && !job->replace; i++) {
		if (files[i] != NULL && !key_is_token(files[i]) && access(files[i], F_OK) == 0)
			return fail(why, ERR_CONFLICT, "%s exists already: choose another place, or give --force to replace it",
			    files[i]);
	}
	return ERR_OK;
}

static enum err get_key(const struct ca_job *job, struct key **out, struct why *why)
{
	enum err err;

	if (key_is_token(job->key_where))
		return key_open(job->key_where, job->pin_file, out, why);
	progress_start("making the key");
	err = key_generate(job->key_type, out, why);
	progress_stop();
	return err;
}

static enum err check_key(const struct ca_job *job, const struct key *key, struct why *why)
{
	struct key_kind kind = key_kind(key);
	char text[32];

	if (job->rsa_only && kind.type != KEY_RSA)
		return fail(why, ERR_KEY, "%s would be %s: what answers devices has to open their envelopes, which takes RSA",
		    job->key_where, describe_key_kind(kind, text));
	if (kind.type == KEY_RSA && kind.bits < MIN_RSA)
		return fail(why, ERR_KEY, "%s has only %u bits: use an RSA key of at least %d", job->key_where, kind.bits, MIN_RSA);
	return ERR_OK;
}

/* Not longer than the issuer lives: validators go by the whole chain. */
static time_t end_of(const struct ca_job *job, time_t now)
{
	time_t end = now + job->days * DAY;

	if (job->by != NULL && job->by->cert->not_after < end)
		return job->by->cert->not_after;
	return end;
}

static enum err sign(const struct ca_job *job, const struct key *key, struct bytes subject, time_t now, struct buf *der,
    struct why *why)
{
	const struct key *by = job->by == NULL ? key : job->by->key;
	uint8_t serial[STORE_SERIAL_SIZE], own_id[20];
	struct cert_spec spec;
	enum err err = store_serial(now, serial, why);

	if (err != ERR_OK)
		return err;
	spki_key_id(key_spki(key), own_id);
	spec = (struct cert_spec){
	    .serial = bytes_of(serial, sizeof(serial)),
	    .issuer = job->by == NULL ? subject : job->by->cert->subject,
	    .subject = subject,
	    .not_before = now - BACKDATE,
	    .not_after = end_of(job, now),
	    .spki = key_spki(key),
	    .ca = job->ca,
	    .path_len = job->path_len,
	    .key_usage = job->key_usage,
	    .authority_key_id = job->by == NULL ? bytes_of(own_id, sizeof(own_id)) : job->by->cert->skid,
	    .digest = issue_digest(key_kind(by)),
	};
	return cert_build(&spec, by, der, why);
}

/* One of the files. */
static enum err write_file(const struct ca_job *job, const char *file, const struct buf *pem, mode_t mode, struct why *why)
{
	enum err err = file_write(file, buf_bytes(pem), mode, job->replace, why);

	return err != ERR_OK || job->like == NULL ? err : profile_file_give(file, job->like, why);
}

static enum err write_key(const struct ca_job *job, const struct key *key, struct why *why)
{
	struct buf pem = {0};
	enum err err;

	if (key_is_token(job->key_where))
		return ERR_OK;
	err = key_export_pem(key, &pem, why);
	if (err == ERR_OK)
		err = write_file(job, job->key_where, &pem, 0600, why);
	buf_wipe(&pem);
	return err;
}

static enum err write_cert(const struct ca_job *job, struct bytes der, struct why *why)
{
	struct buf pem = {0};
	enum err err;

	pem_write(&pem, "CERTIFICATE", der);
	err = write_file(job, job->cert_file, &pem, 0644, why);
	buf_free(&pem);
	if (err != ERR_OK && !job->replace && !key_is_token(job->key_where))
		unlink(job->key_where);	/* made a moment ago, and of no use without its certificate */
	return err;
}

enum err ca_make(const struct ca_job *job, time_t now, struct cert **out, struct why *why)
{
	struct key *key = NULL;
	struct buf der = {0}, subject = {0};
	struct cert *cert = NULL;
	enum err err;

	if ((err = check_free(job, why)) != ERR_OK)
		goto out;
	if (job->subject == NULL) {
		buf_add_bytes(&subject, job->subject_der);
	} else if ((err = name_parse(job->subject, &subject, why)) != ERR_OK) {
		fail_in(why, "subject '%s'", job->subject);
		goto out;
	}
	if ((err = get_key(job, &key, why)) != ERR_OK)
		goto out;
	if ((err = check_key(job, key, why)) != ERR_OK)
		goto out;
	if ((err = sign(job, key, buf_bytes(&subject), now, &der, why)) != ERR_OK)
		goto out;
	if ((err = cert_parse(buf_bytes(&der), &cert, why)) != ERR_OK)
		goto out;
	if ((err = write_key(job, key, why)) != ERR_OK)
		goto out;
	if ((err = write_cert(job, buf_bytes(&der), why)) != ERR_OK)
		goto out;
	*out = cert;
	cert = NULL;
out:
	cert_free(cert);
	buf_free(&der);
	buf_free(&subject);
	key_free(key);
	return err;
}

enum err ca_write_chain(const struct ca_job *job, const char *parent_cert, struct why *why)
{
	struct cert **list = NULL;
	struct buf pem = {0};
	size_t n = 0, i;
	enum err err = cert_list_read(parent_cert, &list, &n, why);

	if (err != ERR_OK)
		return err;
	for (i = 0; i < n; i++)
		pem_write(&pem, "CERTIFICATE", buf_bytes(&list[i]->der));
	err = write_file(job, job->chain_file, &pem, 0644, why);
	buf_free(&pem);
	cert_list_free(list, n);
	return err;
}

void ca_unmake(const struct ca_job *job)
{
	unlink(job->cert_file);
	if (!key_is_token(job->key_where))
		unlink(job->key_where);
	if (job->chain_file != NULL)
		unlink(job->chain_file);
}

/* A URI's query part may hold the PIN: RFC 7512, 2.4. */
static void put_key_where(struct json_object *o, const char *where)
{
	char *shown = mem_strndup(where, key_is_token(where) ? strcspn(where, "?") : strlen(where));

	put_text(o, key_is_token(where) ? "key_uri" : "key_file", shown);
	free(shown);
}

void ca_describe_made(struct json_object *o, const struct ca_job *job, const struct cert *cert)
{
	describe_cert(o, cert);
	describe_cert_uses(o, cert);
	describe_fingerprints(o, buf_bytes(&cert->der));
	put_text(o, "certificate_file", job->cert_file);
	put_key_where(o, job->key_where);
	put_text(o, "chain_file", job->chain_file);
}

void ca_print_made(const struct ca_job *job, const struct cert *cert, bool json)
{
	struct json_object *o = json_object_new_object();

	ca_describe_made(o, job, cert);
	print_object(o, json);
}
