#include "ca/former.h"

#include <stdlib.h>

#include "base/mem.h"
#include "ca/profile_check.h"
#include "conf/date.h"
#include "pki/alg.h"
#include "pki/crl.h"
#include "pki/name.h"

struct former {
	const struct profile_conf *conf;
	struct alg_set algs;
	struct cert **cas;
	size_t n_cas;
	struct crl **crls;
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

static enum err read_crls(struct former *f, const char *path, struct why *why)
{
	enum err err = crl_list_read(path, &f->crls, &f->n_crls, why);
	size_t ca;

	for (size_t i = 0; err == ERR_OK && i < f->n_crls; i++) {
		for (ca = 0; ca < f->n_cas && crl_verify_by(f->crls[i], f->cas[ca], NULL) != ERR_OK; ca++)
			;
		if (ca == f->n_cas)
			err = fail(why, ERR_CERT, "'%s': CRL %zu is not signed by any CA of renew_from", path, i + 1);
	}
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
	crl_list_free(f->crls, f->n_crls);
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

static bool is_revoked(const struct crl *crl, const struct cert *cert)
{
	return crl != NULL && crl_lists(crl, cert->serial);
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
