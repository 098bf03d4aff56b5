/* The names in a certificate: the request's as far as the profile allows them, those of a template, or those of the certificate that is renewed. */
#include <string.h>
#include <strings.h>

#include "ca/policy_part.h"
#include "pki/der.h"
#include "pki/name.h"
#include "pki/oid.h"

/* --- subjectAltName ----------------------------------------------------------------------------------------------- */

static const struct {
	unsigned type;
	const char *name;
	size_t max;	/* offset of its limit in struct cert_conf */
} kinds[] = {
    {SAN_DNS, "dns", offsetof(struct cert_conf, max_dns)}, {SAN_IP, "ip", offsetof(struct cert_conf, max_ip)},
    {SAN_EMAIL, "email", offsetof(struct cert_conf, max_email)}, {SAN_URI, "uri", offsetof(struct cert_conf, max_uri)},
    {SAN_UPN, "upn", offsetof(struct cert_conf, max_upn)}, {SAN_DIRNAME, "directory", offsetof(struct cert_conf, max_directory)},
};

#define N_KINDS (sizeof(kinds) / sizeof(kinds[0]))

/* Where names come from, and so what may be in them. */
struct origin {
	const char *what;		/* for sentences */
	unsigned allowed, refused;	/* enum conf_san bits */
	bool strict;			/* what is not allowed is refused, whatever the profile says of requests: the profile itself asks for it */
};

static const char *kind_name(unsigned type)
{
	for (size_t i = 0; i < N_KINDS; i++) {
		if (kinds[i].type == type)
			return kinds[i].name;
	}
	return "other";
}

/*
 * Microsoft's strong mapping of a certificate to an account (KB5014754): no URI like others. Whatever else claims to be of that authority is taken
 * for one, too.
 */
static bool is_sid(const struct san *san)
{
	static const char authority[] = "tag:microsoft.com,";

	return san->type == SAN_URI && san->value.n >= sizeof(authority) - 1 &&
	    strncasecmp((const char *)san->value.p, authority, sizeof(authority) - 1) == 0;
}

static bool is_sound_sid(const struct san *san)
{
	static const char prefix[] = "tag:microsoft.com,2022-09-14:sid:";
	size_t n = sizeof(prefix) - 1;

	return san->value.n > n && memcmp(san->value.p, prefix, n) == 0 && sid_is_sound(bytes_cut(san->value, n, san->value.n));
}

/* Why it is not to stand in a certificate; NULL: it may. */
static const char *objection(const struct policy *policy, const struct origin *from, const struct san *san)
{
	if (is_sid(san)) {
		if ((policy->conf->cert.sid & SID_URI) == 0)
			return "a SID, which [extensions] sid does not allow";
		return is_sound_sid(san) ? NULL : "malformed";
	}
	if ((san->type & from->allowed) == 0)
		return "";
	if (!san_is_sound(san))
		return "malformed";
	if (san_is_wildcard(san) && !policy->conf->cert.wildcards)
		return "a wildcard, which [san] wildcards does not allow";
	return NULL;
}

static enum err not_given(const struct policy *policy, const struct origin *from, const struct san *san, const char *objection, struct template *t,
    struct why *why)
{
	struct buf what = {0};
	enum err err;

	buf_printf(&what, "subjectAltName %s%s%s%s", kind_name(san->type), objection[0] != '\0' ? " (" : "", objection, objection[0] != '\0' ? ")" : "");
	if (!from->strict)
		err = policy_excess(policy, t, buf_str(&what), why);
	else
		err = fail(why, ERR_SUBJECT, "%s gives '%.*s': %s", from->what, (int)(san->value.n < 100 ? san->value.n : 100), (const char *)san->value.p,
		    objection);
	buf_free(&what);
	return err;
}

static enum err check_counts(const struct policy *policy, struct bytes names, struct why *why)
{
	int64_t n[N_KINDS] = {0}, all = 0;
	struct san san;

	while (san_next(&names, &san)) {
		all++;
		for (size_t i = 0; i < N_KINDS; i++)
			n[i] += kinds[i].type == san.type;
	}
	if (all > policy->conf->cert.max_sans)
		return fail(why, ERR_SUBJECT, "%lld names in the subjectAltName, [san] max is %lld", (long long)all, (long long)policy->conf->cert.max_sans);
	for (size_t i = 0; i < N_KINDS; i++) {
		int64_t max = *(const int64_t *)((const char *)&policy->conf->cert + kinds[i].max);

		if (n[i] > max)
			return fail(why, ERR_SUBJECT, "%lld names of kind %s in the subjectAltName, [san] max_%s is %lld", (long long)n[i], kinds[i].name,
			    kinds[i].name, (long long)max);
	}
	return ERR_OK;
}

/* Why san_next stopped at names.p: what comes is the n-th name. */
static enum err unreadable(struct bytes names, size_t n, const char *what, struct why *why)
{
	static const struct {
		uint8_t tag;
		const char *kind;
	} tags[] = {{DER_CTX(0), "upn"}, {DER_CTX_PRIM(1), "email"}, {DER_CTX_PRIM(2), "dns"}, {DER_CTX(4), "directory"}, {DER_CTX_PRIM(6), "uri"},
	    {DER_CTX_PRIM(7), "ip"}};
	struct tlv t;
	size_t i = 0;

	if (!der_next(&names, &t))
		return fail(why, ERR_CSR, "name %zu in %s cannot be read: it is not DER", n, what);
	while (i < sizeof(tags) / sizeof(tags[0]) && tags[i].tag != t.tag)
		i++;
	return fail(why, ERR_CSR, "name %zu in %s cannot be read: what it holds is not allowed in one of kind %s", n, what,
	    i < sizeof(tags) / sizeof(tags[0]) ? tags[i].kind : "other");
}

/* Copies the names that are allowed as they are. */
static enum err take_sans(const struct policy *policy, const struct origin *from, struct bytes names, struct template *t, struct why *why)
{
	size_t at = der_open(&t->san), n = 0;
	const char *against;
	struct san san;
	enum err err;

	while (san_next(&names, &san)) {
		if (++n > POLICY_MAX_SANS)
			return fail(why, ERR_SUBJECT, "more than %d names in %s", POLICY_MAX_SANS, from->what);
		if ((san.type & from->refused) != 0)
			return fail(why, ERR_SUBJECT, "%s holds a name of kind %s, which [san] refuse names", from->what, kind_name(san.type));
		against = objection(policy, from, &san);
		if (against != NULL)
			err = not_given(policy, from, &san, against, t, why);
		else if ((err = rules_check_san(&policy->rules, &san, why)) == ERR_OK)
			buf_add_bytes(&t->san, san.raw);
		if (err != ERR_OK)
			return err;
	}
	if (names.n > 0)
		return unreadable(names, n + 1, from->what, why);
	if (t->san.n == at)
		return ERR_OK;
	if ((err = check_counts(policy, buf_bytes(&t->san), why)) != ERR_OK)
		return err;
	der_close(&t->san, at, DER_SEQUENCE);
	return san_text(buf_bytes(&t->san), &t->sans_text, NULL) == ERR_OK ? ERR_OK : fail(why, ERR_CSR, "%s cannot be read", from->what);
}

static enum err take_extension(const struct policy *policy, const struct origin *from, struct bytes value, struct template *t, struct why *why)
{
	struct tlv names;

	if (!der_whole(value, DER_SEQUENCE, &names))
		return fail(why, ERR_CSR, "%s cannot be read", from->what);
	return take_sans(policy, from, names.body, t, why);
}

enum err policy_requested_sans(const struct policy *policy, const struct csr *csr, struct template *t, struct why *why)
{
	const struct origin from = {"the requested subjectAltName", policy->conf->san_types, policy->conf->cert.refuse_sans, false};
	struct bytes value;

	return csr_extension(csr, OID_SUBJECT_ALT_NAME, &value) ? take_extension(policy, &from, value, t, why) : ERR_OK;
}

/* What stood in a certificate of ours, where a template had put it, or of a former CA: that one's names are held to the kinds that this profile takes. */
static enum err kept_sans(const struct policy *policy, const struct facts *facts, struct template *t, struct why *why)
{
	const struct origin from = {"the subjectAltName of the certificate to be renewed", facts->foreign ? policy->conf->san_types : ~0u, 0, false};
	struct bytes value;

	return cert_extension(facts->renews, OID_SUBJECT_ALT_NAME, &value, NULL) ? take_extension(policy, &from, value, t, why) : ERR_OK;
}

static enum err made_sans(const struct policy *policy, const struct facts *facts, struct template *t, struct why *why)
{
	static const struct origin origin = {"[san] template", ~0u, 0, true};
	const struct wording_from from = {facts->csr, facts->values};
	struct buf names = {0};
	enum err err = san_template_write(policy->sans, &from, &names, why);

	if (err == ERR_OK)
		err = take_sans(policy, &origin, buf_bytes(&names), t, why);
	else
		fail_in(why, "%s", origin.what);
	buf_free(&names);
	return err;
}

enum err policy_sans(const struct policy *policy, const struct facts *facts, struct template *t, struct why *why)
{
	if (policy->sans == NULL)
		return policy_requested_sans(policy, facts->csr, t, why);
	return facts->renews != NULL ? kept_sans(policy, facts, t, why) : made_sans(policy, facts, t, why);
}

/* --- subject ------------------------------------------------------------------------------------------------------ */

static enum err made_subject(const struct policy *policy, const struct facts *facts, struct template *t, struct why *why)
{
	const struct wording_from from = {facts->csr, facts->values};
	enum err err = subject_template_write(policy->subject, &from, &t->own_subject, why);

	if (err == ERR_OK)
		return ERR_OK;
	fail_in(why, "[subject] template");
	return err;
}

static enum err choose_subject(const struct policy *policy, const struct facts *facts, struct template *t, struct why *why)
{
	enum err err;

	if (policy->subject != NULL && facts->renews != NULL) {
		buf_add_bytes(&t->own_subject, facts->renews->subject);
	} else {
		if ((err = rules_check_subject(&policy->rules, facts->csr->subject, why)) != ERR_OK)
			return err;
		if (policy->subject != NULL && (err = made_subject(policy, facts, t, why)) != ERR_OK)
			return err;
	}
	t->subject = policy->subject != NULL ? buf_bytes(&t->own_subject) : facts->csr->subject;
	return ERR_OK;
}

enum err policy_subject(const struct policy *policy, const struct facts *facts, struct template *t, struct why *why)
{
	enum err err = choose_subject(policy, facts, t, why);

	if (err != ERR_OK)
		return err;
	if (t->subject.n > POLICY_MAX_SUBJECT)
		return fail(why, ERR_SUBJECT, "the subject has %zu octets, at most %d are accepted", t->subject.n, POLICY_MAX_SUBJECT);
	if (!name_is_text(t->subject))
		return fail(why, ERR_SUBJECT, "a value in the subject is empty, or not text of its type");
	if (name_is_empty(t->subject) && t->san.n == 0)
		return fail(why, ERR_SUBJECT, "the subject is empty and no accepted subjectAltName takes its place");
	return ERR_OK;
}
