#include "ca/profile.h"

#include <gnutls/x509.h>
#include <stdlib.h>

#include "base/mem.h"
#include "ca/dialect.h"
#include "ca/ca_urls.h"
#include "ca/crl.h"
#include "ca/hook.h"
#include "ca/profile_check.h"
#include "ca/rollover.h"
#include "ca/signed.h"

#define TYPE_CA_CERT "application/x-x509-ca-cert"
#define TYPE_CA_RA_CERT "application/x-x509-ca-ra-cert"

/* A profile while it is loaded. */
struct load {
	const struct profile_conf *conf;
	const char *ca_section, *ra_section, *sign_section;
	struct problems *problems;
	time_t now;		/* DATES_UNCHECKED: the next CA has taken over */
};

static void where_of(const struct load *l, const char *section, char *out, size_t size)
{
	snprintf(out, size, "%s [%s]", l->conf->file, section);
}

/* Reads certificate and key of a section and checks the pair. A token's key is opened for the check only: see profile_open_keys. */
static void load_pair(const struct load *l, const struct key_conf *conf, struct key_pair *pair, struct cert **cert, struct key **key)
{
	read_pair(conf, pair->where, cert, key, l->problems);
	pair->cert = *cert;
	pair->key = *key;
	check_pair(pair, l->now, l->problems);
}

static void load_chain(const struct load *l, struct profile *p, const char *where)
{
	struct why why = {0};

	if (l->conf->chain != NULL && cert_list_read(l->conf->chain, &p->chain, &p->n_chain, &why) != ERR_OK)
		check_file(where, "chain", &why, l->problems);
}

/* What answers devices: the CA itself, one RA for both, or one that decrypts and one that signs. */
static void load_ra(const struct load *l, struct profile *p, const struct key_pair *ca)
{
	char ra_where[600], sign_where[600];
	struct key_pair ra = {.where = ra_where, .what = "RA"}, sign = {.where = sign_where, .what = "signing RA"};
	bool split = l->conf->ra_sign.certificate != NULL;

	where_of(l, l->ra_section, ra_where, sizeof(ra_where));
	where_of(l, l->sign_section, sign_where, sizeof(sign_where));
	if (l->conf->ra.certificate != NULL) {
		load_pair(l, &l->conf->ra, &ra, &p->ra_cert, &p->ra_key);
	} else if (l->conf->ra.key == NULL) {
		ra = *ca;
		p->ra_cert = p->ca_cert;
		p->ra_key = p->ca_key;
	}
	if (split) {
		load_pair(l, &l->conf->ra_sign, &sign, &p->sign_cert, &p->sign_key);
	} else {
		p->sign_cert = p->ra_cert;
		p->sign_key = p->ra_key;
	}
	check_recipient(&ra, !split, l->problems);
	check_answerer(&sign, l->problems);
	check_issuer(&ra, ca->cert, l->problems);
	check_issuer(&sign, ca->cert, l->problems);
}

static void load_certs(const struct load *l, struct profile *p)
{
	char ca_where[600];
	struct key_pair ca = {.where = ca_where, .what = "CA"};

	where_of(l, l->ca_section, ca_where, sizeof(ca_where));
	load_pair(l, &l->conf->ca, &ca, &p->ca_cert, &p->ca_key);
	load_chain(l, p, ca_where);
	load_ra(l, p, &ca);
	check_ca(&ca, l->problems);
	check_signature(&ca, l->conf, l->problems);
	if (ca.cert != NULL)
		check_chain(ca_where, p, l->problems);
}

static void load_secrets(const struct load *l, struct profile *p)
{
	struct why why = {0};
	char where[600];

	where_of(l, "enrol", where, sizeof(where));
	if (l->conf->static_challenge_file != NULL && secrets_read(l->conf->static_challenge_file, &p->secrets, &why) != ERR_OK)
		check_file(where, "static_challenge_file", &why, l->problems);
}

static void load_client_trust(const struct load *l, struct profile *p)
{
	char where[600];

	where_of(l, "client_certificate", where, sizeof(where));
	p->client_trust = client_trust_load(&l->conf->client_cert, where, l->now, l->problems);
}

static void warn_about_algorithms(const struct load *l)
{
	char where[600];

	where_of(l, "scep", where, sizeof(where));
	if (l->conf->obsolete != 0)
		problem_add(l->problems, PROBLEM_WARNING, where,
		    "obsolete:%s%s accepted, which anyone on the path can break; keep such devices in a profile of their own",
		    l->conf->obsolete & OBSOLETE_DES ? " single DES" : "", l->conf->obsolete & OBSOLETE_MD5 ? " MD5" : "");
}

/* What revokes without telling anybody. */
static void warn_about_revocation(const struct load *l, const struct cert *ca)
{
	char where[600];

	where_of(l, "crl", where, sizeof(where));
	if (l->conf->crl && ca != NULL && (cert_key_usage(ca) & GNUTLS_KEY_CRL_SIGN) == 0)
		problem_add(l->problems, PROBLEM_WARNING, where,
		    "the CA certificate's keyUsage does not include cRLSign, so there will be no CRL; with 'enabled = no' this is not said again");
	where_of(l, "certificate", where, sizeof(where));
	if (l->conf->revoke_old && l->conf->crl_urls == NULL)
		problem_add(l->problems, PROBLEM_WARNING, where,
		    "certificates are revoked when they are renewed, but none of them says where the CRL is; set crl_url");
}

/* The two answers that depend on the profile only (P-36 to P-43). */
static void prepare_answers(struct profile *p)
{
	struct bytes certs[3 + CMS_MAX_CERTS];
	size_t n;

	scep_caps_write(&p->algs, p->conf->renewal, false, &p->caps);
	scep_caps_write(&p->algs, p->conf->renewal, true, &p->caps_next);
	dialect_hide_caps(p->conf, &p->caps);
	dialect_hide_caps(p->conf, &p->caps_next);
	n = dialect_ca_certs(p, certs);
	if (n == 1)
		buf_add_bytes(&p->ca_body, certs[0]);
	else
		cms_certs_only_write(&p->ca_body, certs, n);
	p->ca_type = n == 1 ? TYPE_CA_CERT : TYPE_CA_RA_CERT;
}

/* A token's session does not survive fork: each process opens its own. */
static void close_token_keys(struct profile *p)
{
	bool ra_is_ca = p->ra_key == p->ca_key, sign_is_ra = p->sign_key == p->ra_key;

	if (!sign_is_ra && key_is_token(p->conf->ra_sign.key)) {
		key_free(p->sign_key);
		p->sign_key = NULL;
	}
	if (!ra_is_ca && key_is_token(p->conf->ra.key)) {
		key_free(p->ra_key);
		p->ra_key = NULL;
	}
	if (key_is_token(p->conf->ca.key)) {
		key_free(p->ca_key);
		p->ca_key = NULL;
		if (ra_is_ca)
			p->ra_key = NULL;
	}
	if (sign_is_ra)
		p->sign_key = p->ra_key;
}

static struct profile *begin(const struct profile_conf *conf)
{
	struct profile *p = mem_alloc(sizeof(*p));

	p->conf = conf;
	p->algs = alg_set_make(conf->legacy, conf->obsolete);
	p->limits = (struct key_limits){.min_rsa = (unsigned)conf->min_rsa_bits, .max_rsa = (unsigned)conf->max_rsa_bits};
	return p;
}

static struct profile *finish(struct profile *p, bool sound)
{
	if (!sound) {
		profile_free(p);
		return NULL;
	}
	prepare_answers(p);
	p->crl = ca_crl_new(p->ca_cert);
	p->crl_urls = ca_urls_make(p->conf->crl_urls, p->ca_cert);
	p->ca_issuers_urls = ca_urls_make(p->conf->ca_issuers_urls, p->ca_cert);
	p->ocsp_urls = ca_urls_make(p->conf->ocsp_urls, p->ca_cert);
	close_token_keys(p);
	return p;
}

struct profile *profile_load(const struct profile_conf *conf, time_t now, const struct profile *before, struct problems *problems)
{
	bool switched = conf->next.ca.certificate != NULL && conf->next.switch_at != 0 && now >= (time_t)conf->next.switch_at;
	struct load l = {
	    .conf = conf, .ca_section = "ca", .ra_section = "ra", .sign_section = "ra_sign", .problems = problems,
	    .now = switched ? DATES_UNCHECKED : now};
	struct profile *p = begin(conf);
	size_t errors = problems->n_errors;

	if (!conf->unsound)	/* what is wrong may be the very setting */
		check_authenticators(conf, problems);
	load_certs(&l, p);
	warn_about_revocation(&l, p->ca_cert);
	load_secrets(&l, p);
	signed_load(p, before, now, problems);
	hook_load(conf, &p->webhook, problems);
	l.now = now;
	load_client_trust(&l, p);
	warn_about_algorithms(&l);
	p->former = former_load(conf, now, problems);
	p->policy = policy_load(conf, problems);
	rollover_load(p, now, problems);
	return finish(p, problems->n_errors == errors && !conf->unsound);
}

struct profile *profile_load_next(const struct profile_conf *conf, time_t now, struct problems *problems)
{
	struct load l = {.conf = conf, .ca_section = "next_ca", .ra_section = "next_ra", .sign_section = "next_ra_sign",
	    .problems = problems, .now = now};
	struct profile *p = begin(conf);
	struct problems told = {0};
	size_t errors = problems->n_errors;

	load_certs(&l, p);
	p->policy = policy_load(conf, &told);	/* of the same settings */
	problems_free(&told);
	return finish(p, problems->n_errors == errors && !conf->unsound);
}

enum err profile_open_keys(struct profile *p, struct why *why)
{
	const struct profile_conf *conf = p->conf;
	bool ra_is_ca = p->ra_cert == p->ca_cert, sign_is_ra = p->sign_cert == p->ra_cert;
	enum err err;

	if (p->ca_key == NULL && (err = key_open(conf->ca.key, conf->ca.pin_file, &p->ca_key, why)) != ERR_OK)
		return err;
	if (ra_is_ca)
		p->ra_key = p->ca_key;
	else if (p->ra_key == NULL && (err = key_open(conf->ra.key, conf->ra.pin_file, &p->ra_key, why)) != ERR_OK)
		return err;
	if (sign_is_ra)
		p->sign_key = p->ra_key;
	else if (p->sign_key == NULL && (err = key_open(conf->ra_sign.key, conf->ra_sign.pin_file, &p->sign_key, why)) != ERR_OK)
		return err;
	return rollover_open_keys(p, why);
}

void profile_free(struct profile *p)
{
	if (p == NULL)
		return;
	rollover_free(p->rollover);
	if (p->sign_cert != p->ra_cert)
		cert_free(p->sign_cert);
	if (p->sign_key != p->ra_key)
		key_free(p->sign_key);
	if (p->ra_cert != p->ca_cert)
		cert_free(p->ra_cert);
	if (p->ra_key != p->ca_key)
		key_free(p->ra_key);
	cert_free(p->ca_cert);
	key_free(p->ca_key);
	cert_list_free(p->chain, p->n_chain);
	anchors_free(p->anchors);
	former_free(p->former);
	policy_free(p->policy);
	secrets_free(p->secrets);
	webhook_free(p->webhook);
	client_trust_free(p->client_trust);
	ca_crl_free(p->crl);
	ca_urls_free(p->crl_urls);
	ca_urls_free(p->ca_issuers_urls);
	ca_urls_free(p->ocsp_urls);
	buf_free(&p->caps);
	buf_free(&p->caps_next);
	buf_free(&p->ca_body);
	free(p);
}
