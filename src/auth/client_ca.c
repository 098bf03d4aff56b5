/* Reading the CAs of client certificates, once, and telling what is wrong with them. */
#include "auth/client_ca.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "conf/date.h"
#include "pki/name.h"
#include "pki/oid.h"

struct load {
	struct client_trust *trust;
	const char *where;
	time_t now;
	struct problems *problems;
};

static void problem(const struct load *l, enum problem_level level, const char *key, const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/* Its place is "default.ini [client_certificate] trust". */
static void problem(const struct load *l, enum problem_level level, const char *key, const char *fmt, ...)
{
	char *where = mem_printf("%s %s", l->where, key), text[600];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	problem_add(l->problems, level, where, "%s", text);
	free(where);
}

static char *name_of(struct bytes name)
{
	struct buf text = {0};

	name_text(name, &text, NULL);
	return buf_take_str(&text);
}

static bool is_current(const struct cert *cert, time_t now)
{
	return cert->times_ok && now >= cert->not_before && now <= cert->not_after;
}

/* --- the CAs -------------------------------------------------------------------------------------------------------- */

static bool read_constraints(struct client_ca *ca)
{
	gnutls_datum_t der = {ca->cert->der.p, (unsigned)ca->cert->der.n};
	gnutls_x509_crt_t crt = NULL;
	unsigned critical;
	struct bytes value;
	bool ok;

	if (!cert_extension(ca->cert, OID_NAME_CONSTRAINTS, &value, NULL))
		return true;
	ok = gnutls_x509_crt_init(&crt) == 0 && gnutls_x509_crt_import(crt, &der, GNUTLS_X509_FMT_DER) == 0 &&
	     gnutls_x509_name_constraints_init(&ca->constraints) == 0 &&
	     gnutls_x509_crt_get_name_constraints(crt, ca->constraints, 0, &critical) == 0;
	gnutls_x509_crt_deinit(crt);
	return ok;
}

static void check_ca(const struct load *l, const struct client_ca *ca)
{
	static const struct key_limits limits = {.min_rsa = CLIENT_RSA_MIN, .max_rsa = 16384};
	struct pubkey *key = NULL;
	char date[DATE_SIZE];
	struct why why;

	if (!cert_is_ca(ca->cert) || (cert_key_usage(ca->cert) & GNUTLS_KEY_KEY_CERT_SIGN) == 0)
		problem(l, PROBLEM_ERROR, "trust", "'%s' may not issue certificates: only those of CAs belong there", ca->name);
	if (pubkey_import(ca->cert->spki, &limits, &key, &why) != ERR_OK)
		problem(l, PROBLEM_ERROR, "trust", "the key of '%s' is not good enough: %s", ca->name, why.text);
	pubkey_free(key);
	if (!ca->cert->times_ok) {
		problem(l, PROBLEM_ERROR, "trust", "the dates of '%s' cannot be read", ca->name);
	} else if (!is_current(ca->cert, l->now)) {
		date_print(l->now < ca->cert->not_before ? ca->cert->not_before : ca->cert->not_after, date);
		problem(l, PROBLEM_WARNING, "trust", "'%s' %s %s: what it issued is refused", ca->name,
		    l->now < ca->cert->not_before ? "is not valid before" : "expired on", date);
	}
}

/* The one that has signed it; of several one that is valid now. */
static const struct client_ca *parent_of(const struct load *l, const struct client_ca *ca)
{
	const struct client_ca *found = NULL;

	if (name_eq(ca->cert->issuer, ca->cert->subject))
		return NULL;
	for (size_t i = 0; i < l->trust->n; i++) {
		const struct client_ca *other = &l->trust->cas[i];

		if (other != ca && (found == NULL || !is_current(found->cert, l->now)) && cert_verify_by(ca->cert, other->cert, NULL) == ERR_OK)
			found = other;
	}
	return found;
}

/* Two CAs that have certified each other: each stands at the top for itself. */
static void break_circles(struct client_trust *t)
{
	for (size_t i = 0; i < t->n; i++) {
		const struct client_ca *up = t->cas[i].parent;

		for (size_t steps = 0; up != NULL && up != &t->cas[i] && steps < t->n; steps++)
			up = up->parent;
		if (up != NULL)
			t->cas[i].parent = NULL;
	}
}

static bool load_cas(const struct load *l)
{
	struct client_trust *t = l->trust;
	struct why why = {0};
	size_t current = 0;

	if (cert_list_read(t->conf->trust, &t->certs, &t->n, &why) != ERR_OK) {
		problem(l, PROBLEM_ERROR, "trust", "%s", why.text);
		return false;
	}
	t->cas = mem_alloc(t->n * sizeof(*t->cas));
	for (size_t i = 0; i < t->n; i++) {
		struct client_ca *ca = &t->cas[i];

		ca->cert = t->certs[i];
		ca->name = name_of(ca->cert->subject);
		ca->path_len = cert_path_len(ca->cert);
		check_ca(l, ca);
		if (!read_constraints(ca))
			problem(l, PROBLEM_ERROR, "trust", "the name constraints of '%s' cannot be read", ca->name);
		current += is_current(ca->cert, l->now);
	}
	for (size_t i = 0; i < t->n; i++)
		t->cas[i].parent = parent_of(l, &t->cas[i]);
	break_circles(t);
	if (current == 0)
		problem(l, PROBLEM_ERROR, "trust", "none of the CAs in '%s' is valid now, so nobody could be let in", t->conf->trust);
	return true;
}

/* --- their CRLs ----------------------------------------------------------------------------------------------------- */

/* The newest that the CA has signed. False: it is by none of them. */
static bool give_crl(struct client_trust *t, const struct crl *crl)
{
	bool given = false;

	for (size_t i = 0; i < t->n; i++) {
		struct client_ca *ca = &t->cas[i];

		if (crl_verify_by(crl, ca->cert, NULL) != ERR_OK)
			continue;
		given = true;
		if (ca->crl == NULL || ca->crl->this_update < crl->this_update)
			ca->crl = crl;
	}
	return given;
}

/* A CA above others that are in the bundle, too, may issue nothing else. */
static bool is_above(const struct client_trust *t, const struct client_ca *ca)
{
	for (size_t i = 0; i < t->n; i++) {
		if (t->cas[i].parent == ca)
			return true;
	}
	return false;
}

static void load_crls(const struct load *l)
{
	struct client_trust *t = l->trust;
	struct why why = {0};

	if (t->conf->crl == NULL)
		return;
	if (crl_list_read(t->conf->crl, &t->crls, &t->n_crls, &why) != ERR_OK) {
		problem(l, PROBLEM_ERROR, "crl", "%s", why.text);
		return;
	}
	for (size_t i = 0; i < t->n_crls; i++) {
		if (!crl_is_complete(t->crls[i]))
			problem(l, PROBLEM_ERROR, "crl", "CRL %zu of '%s' is a delta or speaks of a part only; a complete one is wanted", i + 1, t->conf->crl);
		else if (!give_crl(t, t->crls[i]))
			problem(l, PROBLEM_ERROR, "crl", "CRL %zu of '%s' is not signed by any CA of trust", i + 1, t->conf->crl);
	}
	for (size_t i = 0; i < t->n; i++) {
		const struct client_ca *ca = &t->cas[i];

		if (ca->crl == NULL && !is_above(t, ca))
			problem(l, PROBLEM_WARNING, "crl", "there is no CRL of '%s': what it issued is refused", ca->name);
		else if (ca->crl != NULL && ca->crl->next_update != 0 && ca->crl->next_update < l->now)
			problem(l, PROBLEM_WARNING, "crl", "the CRL of '%s' is out of date: what it issued is refused", ca->name);
	}
}

static void check_settings(const struct load *l)
{
	const struct client_cert_conf *conf = l->trust->conf;

	if (conf->replaces_challenge && conf->bind == 0)
		problem(l, PROBLEM_WARNING, "bind", "without a challenge and with 'bind = none' whoever holds a certificate of a CA in trust gets one for any "
		    "name; right for a proxy that asks for others, for devices set bind");
	if (!conf->only && !conf->replaces_challenge)
		problem(l, PROBLEM_WARNING, "only", "with 'only = no' and 'challenge = required' the client certificate protects nothing: the same request is "
		    "taken without one elsewhere");
}

struct client_trust *client_trust_load(const struct client_cert_conf *conf, const char *where, time_t now, struct problems *problems)
{
	struct load l = {.where = where, .now = now, .problems = problems};

	if (conf->trust == NULL)
		return NULL;
	l.trust = mem_alloc(sizeof(*l.trust));
	l.trust->conf = conf;
	if (!load_cas(&l)) {
		client_trust_free(l.trust);
		return NULL;
	}
	load_crls(&l);
	check_settings(&l);
	return l.trust;
}

void client_trust_free(struct client_trust *trust)
{
	if (trust == NULL)
		return;
	for (size_t i = 0; i < trust->n; i++) {
		free(trust->cas[i].name);
		if (trust->cas[i].constraints != NULL)
			gnutls_x509_name_constraints_deinit(trust->cas[i].constraints);
	}
	free(trust->cas);
	cert_list_free(trust->certs, trust->n);
	crl_list_free(trust->crls, trust->n_crls);
	free(trust);
}
