#include "ca/former.h"

#include <stdarg.h>
#include <stdio.h>
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
	const struct crl **newest;	/* of each CA; NULL: none */
};

/* Where what is reported goes, and what it is about: a key of [renewal]. */
struct report {
	const struct profile_conf *conf;
	struct problems *problems;
};

static void problem(const struct report *r, enum problem_level level, const char *key, const char *fmt, ...) __attribute__((format(printf, 4, 5)));

static void problem(const struct report *r, enum problem_level level, const char *key, const char *fmt, ...)
{
	char *where = mem_printf("%s [renewal] %s", r->conf->file, key), text[600];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	problem_add(r->problems, level, where, "%s", text);
	free(where);
}

static void problem_of(const struct profile_conf *conf, const char *key, struct problems *problems, const struct why *why)
{
	char *where = mem_printf("%s [renewal]", conf->file);

	check_file(where, key, why, problems);
	free(where);
}

static enum err give_crl(struct former *f, size_t n, struct why *why)
{
	const struct crl *crl = f->crls[n];
	bool given = false;

	if (!crl_is_complete(crl))
		return fail(why, ERR_CERT, "CRL %zu is a delta or speaks of a part only; a complete one is wanted", n + 1);
	for (size_t i = 0; i < f->n_cas; i++) {
		if (crl_verify_by(crl, f->cas[i], NULL) != ERR_OK)
			continue;
		given = true;
		if (f->newest[i] == NULL || f->newest[i]->this_update < crl->this_update)
			f->newest[i] = crl;
	}
	return given ? ERR_OK : fail(why, ERR_CERT, "CRL %zu is not signed by any CA of renew_from", n + 1);
}

static enum err read_crls(struct former *f, const char *path, struct why *why)
{
	enum err err = crl_list_read(path, &f->crls, &f->n_crls, why);

	for (size_t i = 0; err == ERR_OK && i < f->n_crls; i++) {
		err = give_crl(f, i, why);
		if (err != ERR_OK)
			fail_in(why, "'%s'", path);
	}
	return err;
}

static bool has_ended(const struct crl *crl, time_t now)
{
	return crl->next_update != 0 && crl->next_update < now;
}

/* A CA above others that are listed, too, may have issued nothing else. */
static bool is_above(const struct former *f, size_t ca)
{
	for (size_t i = 0; i < f->n_cas; i++) {
		if (i != ca && !bytes_eq(f->cas[i]->spki, f->cas[ca]->spki) && cert_verify_by(f->cas[i], f->cas[ca], NULL) == ERR_OK)
			return true;
	}
	return false;
}

static void check_crl(const struct former *f, size_t ca, time_t now, const struct report *r)
{
	const struct crl *crl = f->newest[ca];
	struct buf name = {0};
	char date[DATE_SIZE];

	name_text(f->cas[ca]->subject, &name, NULL);
	if (crl == NULL && !is_above(f, ca)) {
		problem(r, PROBLEM_WARNING, "renew_from_crl", "there is no CRL of '%s': what that CA issued is refused", buf_str(&name));
	} else if (crl != NULL && has_ended(crl, now)) {
		date_print(crl->next_update, date);
		problem(r, PROBLEM_WARNING, "renew_from_crl", "the CRL of '%s' ended on %s: what that CA issued is refused until there is a newer one",
		    buf_str(&name), date);
	}
	buf_free(&name);
}

static void check_cas(const struct former *f, time_t now, struct problems *problems)
{
	const struct report r = {f->conf, problems};


	for (size_t i = 0; i < f->n_cas; i++) {
		if (!cert_is_ca(f->cas[i]))
			problem(&r, PROBLEM_ERROR, "renew_from", "certificate %zu is not a CA's", i + 1);
		else if (f->n_crls > 0)
			check_crl(f, i, now, &r);
	}
	if (f->n_crls == 0)
		problem(&r, PROBLEM_WARNING, "renew_from_crl", "missing beside renew_from: what its CAs have revoked renews as well");
	if (f->conf->renew_from_until < now)
		problem(&r, PROBLEM_WARNING, "renew_from_until", "has passed: renew_from can be taken out");
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
	f->newest = mem_alloc((f->n_cas + 1) * sizeof(*f->newest));
	if (why.err == ERR_OK && conf->renew_from_crl != NULL && read_crls(f, conf->renew_from_crl, &why) != ERR_OK)
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
	free(f->newest);
	free(f);
}

/* n_cas: none of them. */
static size_t issuer_of(const struct former *f, const struct cert *cert)
{
	size_t ca = 0;

	while (ca < f->n_cas && cert_verify_by(cert, f->cas[ca], NULL) != ERR_OK)
		ca++;
	return ca;
}

bool former_issued(const struct former *f, const struct cert *cert)
{
	return f != NULL && issuer_of(f, cert) < f->n_cas;
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

/* Where CRLs are given, a certificate is good only by one of its own CA that has not ended: what else was revoked nobody knows. */
static enum err check_revoked(const struct former *f, size_t ca, const struct cert *cert, time_t now, struct why *why)
{
	const struct crl *crl = f->newest[ca];
	struct buf name = {0};
	char date[DATE_SIZE];
	enum err err = ERR_OK;

	if (f->n_crls == 0)
		return ERR_OK;
	name_text(f->cas[ca]->subject, &name, NULL);
	if (crl == NULL) {
		err = fail(why, ERR_RENEWAL, "there is no CRL of the former CA '%s' in renew_from_crl ([renewal])", buf_str(&name));
	} else if (has_ended(crl, now)) {
		date_print(crl->next_update, date);
		err = fail(why, ERR_RENEWAL, "the CRL of the former CA '%s' ended on %s: put a newer one into renew_from_crl ([renewal]) and reload",
		    buf_str(&name), date);
	} else if (crl_lists(crl, cert->serial)) {
		err = fail(why, ERR_RENEWAL, "the certificate of a former CA is revoked");
	}
	buf_free(&name);
	return err;
}

enum err former_check(const struct former *f, const struct cert *cert, time_t now, struct why *why)
{
	size_t ca = issuer_of(f, cert);
	char date[DATE_SIZE];
	enum err err;

	if (ca == f->n_cas)
		return fail(why, ERR_RENEWAL, "the message is not signed with a certificate that this server or a former CA issued");
	if (now >= f->conf->renew_from_until) {
		date_print((time_t)f->conf->renew_from_until, date);
		return fail(why, ERR_RENEWAL, "certificates of former CAs could renew until %s ('renew_from_until' in [renewal])", date);
	}
	if (cert_is_ca(cert))
		return fail(why, ERR_RENEWAL, "the message is signed with a CA's certificate");
	if ((err = check_digest(f, cert, why)) != ERR_OK)
		return err;
	return check_revoked(f, ca, cert, now, why);
}
