#include "ca/policy.h"

#include <stdlib.h>

#include "base/mem.h"
#include "ca/policy_part.h"
#include "pki/der.h"
#include "pki/name.h"
#include "pki/oid.h"

#define LEFT_OUT_MAX 500	/* octets: it goes into a line of the log */

/* --- loading ------------------------------------------------------------------------------------------------------ */

char *policy_where(const struct profile_conf *conf, const char *section, const char *key)
{
	return mem_printf("%s [%s] %s", conf->file, section, key);
}

static void problem_in_template(const struct profile_conf *conf, const char *section, const struct why *why, struct problems *problems)
{
	char *where = policy_where(conf, section, "template");

	problem_why(problems, where, why);
	free(where);
}

struct policy *policy_load(const struct profile_conf *conf, struct problems *problems)
{
	struct policy *policy = mem_alloc(sizeof(*policy));
	struct why why = {0};

	policy->conf = conf;
	if (conf->cert.subject != NULL && subject_template_parse(conf->cert.subject, &policy->subject, &why) != ERR_OK)
		problem_in_template(conf, "subject", &why, problems);
	if (conf->cert.sans != NULL && san_template_parse(conf->cert.sans, &policy->sans, &why) != ERR_OK)
		problem_in_template(conf, "san", &why, problems);
	rules_load(&policy->rules, conf, problems);
	policy_extensions_load(policy, problems);
	return policy;
}

void policy_free(struct policy *policy)
{
	if (policy == NULL)
		return;
	subject_template_free(policy->subject);
	san_template_free(policy->sans);
	rules_free(&policy->rules);
	buf_free(&policy->extensions);
	free(policy);
}

bool policy_makes_subjects(const struct policy *policy)
{
	return policy->subject != NULL;
}

/* --- deciding ----------------------------------------------------------------------------------------------------- */

enum err policy_excess(const struct policy *policy, struct template *t, const char *what, struct why *why)
{
	if (policy->conf->cert.on_excess == EXCESS_REFUSE)
		return fail(why, ERR_CSR, "the request asks for %s, which the profile does not give; [certificate] on_excess is 'refuse'", what);
	if (t->left_out.n < LEFT_OUT_MAX)
		buf_printf(&t->left_out, "%s%s", t->left_out.n > 0 ? ", " : "", what);
	return ERR_OK;
}

/* basicConstraints ::= SEQUENCE { cA BOOLEAN DEFAULT FALSE, ... }: a request for a CA certificate is no oversight. */
static enum err refuse_ca(const struct csr *csr, struct why *why)
{
	struct bytes value;
	struct tlv seq, ca;

	if (!csr_extension(csr, OID_BASIC_CONSTRAINTS, &value))
		return ERR_OK;
	if (!der_whole(value, DER_SEQUENCE, &seq))
		return fail(why, ERR_CSR, "the requested basicConstraints cannot be read");
	if (der_expect(&seq.body, DER_BOOLEAN, &ca) && ca.body.n == 1 && ca.body.p[0] != 0)
		return fail(why, ERR_CSR, "the request asks for a CA certificate (basicConstraints CA:TRUE)");
	return ERR_OK;
}

static void decide_dates(const struct profile_conf *conf, const struct facts *facts, time_t now, struct template *t)
{
	t->not_before = now - (time_t)conf->backdate_s;
	t->not_after = now + (time_t)conf->validity_s;
	if (t->not_after > facts->ca_not_after)
		t->not_after = facts->ca_not_after;	/* RFC 5280, 6.1: a path ends with its CA */
}

enum err policy_decide(const struct policy *policy, const struct facts *facts, time_t now, struct template *out, struct why *why)
{
	struct template t = {0};
	enum err err;

	if (facts->key_is_ours)
		return fail(why, ERR_CSR, "the request is for a key of this CA or RA itself");
	if ((err = policy_key(policy, facts->key, why)) != ERR_OK || (err = refuse_ca(facts->csr, why)) != ERR_OK)
		return err;
	if ((err = policy_sans(policy, facts, &t, why)) != ERR_OK || (err = policy_subject(policy, facts, &t, why)) != ERR_OK ||
	    (err = policy_usage(policy, facts, &t, why)) != ERR_OK || (err = policy_extensions(policy, facts, &t, why)) != ERR_OK)
		goto out;
	decide_dates(policy->conf, facts, now, &t);
	*out = t;
	return ERR_OK;
out:
	template_free(&t);
	return err;
}

/* --- renewals ----------------------------------------------------------------------------------------------------- */

/* The contents of the GeneralNames SEQUENCE; empty when there is none. */
static struct bytes names_in(struct bytes general_names)
{
	struct tlv seq = {0};

	return der_whole(general_names, DER_SEQUENCE, &seq) ? seq.body : (struct bytes){0};
}

static enum err sans_within(const struct policy *policy, const struct csr *csr, const struct cert *old, struct why *why)
{
	struct bytes had = {0}, names;
	struct template t = {0};
	enum err err = policy_requested_sans(policy, csr, &t, why);
	struct san san;

	cert_extension(old, OID_SUBJECT_ALT_NAME, &had, NULL);
	names = names_in(buf_bytes(&t.san));
	while (err == ERR_OK && san_next(&names, &san)) {
		if (!san_has(names_in(had), san.raw))
			err = fail(why, ERR_RENEWAL, "subjectAltName holds a name that the certificate to be renewed has not");
	}
	template_free(&t);
	return err;
}

enum err policy_within(const struct policy *policy, const struct csr *csr, const struct cert *old, struct why *why)
{
	enum err err;

	if (policy->subject == NULL && !name_eq(old->subject, csr->subject))
		return fail(why, ERR_RENEWAL, "the subject is not that of the certificate to be renewed");
	if (policy->sans == NULL && (err = sans_within(policy, csr, old, why)) != ERR_OK)
		return err;
	return policy_sid_within(policy, csr, old, why);
}

void template_free(struct template *t)
{
	buf_free(&t->own_subject);
	buf_free(&t->san);
	buf_free(&t->sans_text);
	buf_free(&t->left_out);
	free(t->own_eku);
	buf_free(&t->extensions);
}
