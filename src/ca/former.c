#include "ca/former.h"

#include <stdlib.h>

#include "base/codec.h"
#include "base/file.h"
#include "base/mem.h"
#include "ca/profile_check.h"
#include "conf/date.h"
#include "pki/alg.h"
#include "pki/crl.h"
#include "pki/der.h"
#include "pki/name.h"

#define MAX_CRLS 64

struct former {
	const struct profile_conf *conf;
	struct alg_set algs;
	struct cert **cas;
	size_t n_cas;
	struct crl *crls[MAX_CRLS];
	size_t n_crls;
};

static void problem(const struct profile_conf *conf, enum problem_level level, struct problems *problems, const char *text)
{
	char *where = mem_printf("%s [renewal]", conf->file);

	problem_add(problems, level, where, "%s", text);
	free(where);
}

static void problem_of(const struct profile_conf *conf, const char *key, struct problems *problems, const struct why *why)
{
	char *where = mem_printf("%s [renewal]", conf->file);

	check_file(where, key, why, problems);
	free(where);
}

static enum err add_crl(struct former *f, struct bytes der, struct why *why)
{
	struct crl *crl = NULL;
	enum err err;

	if (f->n_crls == MAX_CRLS)
		return fail(why, ERR_CERT, "more than %d CRLs", MAX_CRLS);
	if ((err = crl_parse(der, &crl, why)) != ERR_OK)
		return err;
	f->crls[f->n_crls++] = crl;
	for (size_t i = 0; i < f->n_cas; i++) {
		if (crl_verify_by(crl, f->cas[i], NULL) == ERR_OK)
			return ERR_OK;
	}
	return fail(why, ERR_CERT, "CRL %zu is not signed by any CA of renew_from", f->n_crls);
}

/* PEM with one or more, or one in DER. */
static enum err read_crls(struct former *f, const char *path, struct why *why)
{
	static const char *const labels[] = {"X509 CRL", NULL};
	struct buf file = {0}, der = {0};
	enum err err = file_read(path, &file, why);
	struct bytes text = buf_bytes(&file);

	if (err == ERR_OK && file.n > 0 && file.p[0] == DER_SEQUENCE)
		err = add_crl(f, text, why);
	while (err == ERR_OK && pem_next(&text, labels, &der, NULL)) {
		err = add_crl(f, buf_bytes(&der), why);
		buf_free(&der);
	}
	if (err == ERR_OK && f->n_crls == 0)
		err = fail(why, ERR_CERT, "no CRL in it (wanted: PEM, or one in DER)");
	if (err != ERR_OK)
		fail_in(why, "'%s'", path);
	buf_free(&file);
	buf_free(&der);
	return err;
}

static const struct crl *crl_of(const struct former *f, const struct cert *ca)
{
	for (size_t i = 0; i < f->n_crls; i++) {
		if (crl_verify_by(f->crls[i], ca, NULL) == ERR_OK)
			return f->crls[i];
	}
	return NULL;
}

static void check_cas(const struct former *f, time_t now, struct problems *problems)
{
	for (size_t i = 0; i < f->n_cas; i++) {
		const struct crl *crl = crl_of(f, f->cas[i]);

		if (!cert_is_ca(f->cas[i]))
			problem(f->conf, PROBLEM_ERROR, problems, "renew_from holds a certificate that is not a CA's");
		if (f->n_crls > 0 && crl == NULL)
			problem(f->conf, PROBLEM_WARNING, problems,
			    "renew_from_crl holds no CRL of one of the CAs of renew_from: its revoked certificates would renew");
		if (crl != NULL && crl->next_update != 0 && crl->next_update < now)
			problem(f->conf, PROBLEM_WARNING, problems,
			    "a CRL in renew_from_crl is out of date: what was revoked since would renew");
	}
	if (f->conf->renew_from_until < now)
		problem(f->conf, PROBLEM_WARNING, problems, "renew_from_until has passed: renew_from can be taken out");
}

struct former *former_load(const struct profile_conf *conf, time_t now, struct problems *problems)
{
	struct former *f;
	struct why why = {0};

	if (conf->renew_from == NULL)
		return NULL;
	f = mem_alloc(sizeof(*f));
	f->conf = conf;
	f->algs = alg_set_make(conf->legacy, conf->obsolete);
	if (cert_list_read(conf->renew_from, &f->cas, &f->n_cas, &why) != ERR_OK)
		problem_of(conf, "renew_from", problems, &why);
	else if (conf->renew_from_crl != NULL && read_crls(f, conf->renew_from_crl, &why) != ERR_OK)
		problem_of(conf, "renew_from_crl", problems, &why);
	if (why.err != ERR_OK) {
		former_free(f);
		return NULL;
	}
	check_cas(f, now, problems);
	return f;
}

void former_free(struct former *f)
{
	if (f == NULL)
		return;
	cert_list_free(f->cas, f->n_cas);
	for (size_t i = 0; i < f->n_crls; i++)
		crl_free(f->crls[i]);
	free(f);
}

static const struct cert *issuer_of(const struct former *f, const struct cert *cert)
{
	for (size_t i = 0; f != NULL && i < f->n_cas; i++) {
		if (cert_verify_by(cert, f->cas[i], NULL) == ERR_OK)
			return f->cas[i];
	}
	return NULL;
}

bool former_issued(const struct former *f, const struct cert *cert)
{
	return issuer_of(f, cert) != NULL;
}

/* A certificate that anybody could have forged proves nothing: MD5, and SHA-1 unless the profile lives with it. */
static enum err check_digest(const struct former *f, const struct cert *cert, struct why *why)
{
	const struct digest_row *digest = NULL;
	enum sig_scheme scheme;

	if (sig_alg_read(cert->sig_alg, &scheme, &digest, why) != ERR_OK)
		return fail(why, ERR_RENEWAL, "the certificate of a former CA has a signature of an unknown kind");
	if (digest != NULL && !alg_set_has_digest(&f->algs, digest))
		return fail(why, ERR_RENEWAL, "the certificate of a former CA is signed with %s, which the profile does not accept ('legacy' in [scep])",
		    digest->name);
	return ERR_OK;
}

static struct bytes magnitude(struct bytes b)
{
	while (b.n > 0 && b.p[0] == 0)
		b = bytes_cut(b, 1, b.n);
	return b;
}

static bool is_revoked(const struct crl *crl, const struct cert *cert)
{
	struct bytes rest = crl != NULL ? crl->entries : (struct bytes){0};
	struct crl_entry entry;

	while (crl_entry_next(&rest, &entry)) {
		if (bytes_eq(magnitude(entry.serial), magnitude(cert->serial)))
			return true;
	}
	return false;
}

enum err former_check(const struct former *f, const struct cert *cert, time_t now, struct why *why)
{
	const struct cert *ca = issuer_of(f, cert);
	char date[DATE_SIZE];
	enum err err;

	if (ca == NULL)
		return fail(why, ERR_RENEWAL, "the message is not signed with a certificate that this server or a former CA issued");
	if (now >= f->conf->renew_from_until) {
		date_print((time_t)f->conf->renew_from_until, date);
		return fail(why, ERR_RENEWAL, "certificates of former CAs could renew until %s ('renew_from_until' in [renewal])", date);
	}
	if (cert_is_ca(cert))
		return fail(why, ERR_RENEWAL, "the message is signed with a CA's certificate");
	if ((err = check_digest(f, cert, why)) != ERR_OK)
		return err;
	if (is_revoked(crl_of(f, ca), cert))
		return fail(why, ERR_RENEWAL, "the certificate of a former CA is revoked");
	return ERR_OK;
}
