#include "ca/policy_rules.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "ca/policy_part.h"
#include "pki/ava.h"
#include "pki/der.h"
#include "pki/oid.h"

#define MATCH_MAX 1024	/* octets of what an expression is tried on: matching takes memory and time by its length */

/* What an expression is about: an attribute, a kind of subjectAltName, or (neither) the whole subject. */
static const struct {
	const char *section, *key;
	size_t offset;		/* in struct cert_conf */
	const char *oid;
	unsigned san;
} rows[] = {
    {"subject", "match", offsetof(struct cert_conf, match_subject), NULL, 0},
    {"subject", "match_cn", offsetof(struct cert_conf, match_cn), OID_CN, 0},
    {"subject", "match_serial_number", offsetof(struct cert_conf, match_serial_number), OID_SERIAL_NUMBER, 0},
    {"subject", "match_ou", offsetof(struct cert_conf, match_ou), OID_OU, 0},
    {"subject", "match_o", offsetof(struct cert_conf, match_o), OID_O, 0},
    {"subject", "match_uid", offsetof(struct cert_conf, match_uid), OID_UID, 0},
    {"san", "match_dns", offsetof(struct cert_conf, match_dns), NULL, SAN_DNS},
    {"san", "match_email", offsetof(struct cert_conf, match_email), NULL, SAN_EMAIL},
    {"san", "match_uri", offsetof(struct cert_conf, match_uri), NULL, SAN_URI},
    {"san", "match_upn", offsetof(struct cert_conf, match_upn), NULL, SAN_UPN},
};

#define N_ROWS (sizeof(rows) / sizeof(rows[0]))
_Static_assert(N_ROWS == RULES_MAX, "as many expressions as rows");

static const char *text_of(const struct cert_conf *conf, size_t i)
{
	return *(char *const *)((const char *)conf + rows[i].offset);
}

/* Compiled once as it stands, so that no parenthesis in it can close the one that anchors it. */
static void load_match(struct rules *rules, size_t i, const struct profile_conf *conf, struct problems *problems)
{
	const char *text = text_of(&conf->cert, i);
	char *where, *anchored, error[200];
	regex_t alone;
	int rc = regcomp(&alone, text, REG_EXTENDED | REG_NOSUB);

	if (rc == 0) {
		regfree(&alone);
		anchored = mem_printf("^(%s)$", text);
		rc = regcomp(&rules->match[i], anchored, REG_EXTENDED);
		rules->has[i] = rc == 0;
		free(anchored);
	}
	if (rc == 0)
		return;
	regerror(rc, &alone, error, sizeof(error));
	where = policy_where(conf, rows[i].section, rows[i].key);
	problem_add(problems, PROBLEM_ERROR, where, "'%.100s' is not an extended regular expression (POSIX, see regex(7)): %s", text, error);
	free(where);
}

static void load_attributes(char *const *names, const struct profile_conf *conf, const char *key, struct buf *out, struct problems *problems)
{
	const struct ava_type *type;
	struct why why;
	char *where;

	for (; names != NULL && *names != NULL; names++) {
		if (ava_type_write(bytes_str(*names), &type, out, &why) == ERR_OK)
			continue;
		where = policy_where(conf, "subject", key);
		problem_add(problems, PROBLEM_ERROR, where, "%s", why.text);
		free(where);
	}
}

static bool next_oid(struct bytes *list, struct bytes *oid)
{
	struct tlv t;

	if (!der_next(list, &t))
		return false;
	*oid = t.body;
	return true;
}

static void oid_name(struct bytes oid, char *out, size_t size)
{
	const struct ava_type *type = ava_type_by_oid(oid);

	if (type != NULL)
		snprintf(out, size, "%s", type->keyword);
	else if (!der_oid_text(oid, out, size))
		snprintf(out, size, "?");
}

static void check_contradiction(const struct rules *rules, const struct profile_conf *conf, struct problems *problems)
{
	struct bytes required = buf_bytes(&rules->required), forbidden, a, b;
	char name[100], *where;

	while (next_oid(&required, &a)) {
		forbidden = buf_bytes(&rules->forbidden);
		while (next_oid(&forbidden, &b)) {
			if (!bytes_eq(a, b))
				continue;
			oid_name(a, name, sizeof(name));
			where = policy_where(conf, "subject", "forbidden");
			problem_add(problems, PROBLEM_ERROR, where, "%s is also required; no request could fulfil both", name);
			free(where);
		}
	}
}

void rules_load(struct rules *rules, const struct profile_conf *conf, struct problems *problems)
{
	rules->conf = &conf->cert;
	for (size_t i = 0; i < N_ROWS; i++) {
		if (text_of(&conf->cert, i) != NULL)
			load_match(rules, i, conf, problems);
	}
	load_attributes(conf->cert.required, conf, "required", &rules->required, problems);
	load_attributes(conf->cert.forbidden, conf, "forbidden", &rules->forbidden, problems);
	check_contradiction(rules, conf, problems);
}

void rules_free(struct rules *rules)
{
	for (size_t i = 0; i < N_ROWS; i++) {
		if (rules->has[i])
			regfree(&rules->match[i]);
	}
	buf_free(&rules->required);
	buf_free(&rules->forbidden);
}

/* From its beginning to its end. */
static bool matches(const regex_t *re, struct bytes text)
{
	regmatch_t at = {.rm_so = 0, .rm_eo = (regoff_t)text.n};

	return text.n <= MATCH_MAX && regexec(re, text.n == 0 ? "" : (const char *)text.p, 1, &at, REG_STARTEND) == 0 && at.rm_so == 0 &&
	    (size_t)at.rm_eo == text.n;
}

static enum err check_match(const struct rules *rules, size_t i, struct bytes text, struct why *why)
{
	if (matches(&rules->match[i], text))
		return ERR_OK;
	return fail(why, ERR_SUBJECT, "'%.*s' does not match [%s] %s '%.120s'", (int)(text.n < 100 ? text.n : 100), (const char *)text.p, rows[i].section,
	    rows[i].key, text_of(rules->conf, i));
}

static enum err check_attribute(const struct rules *rules, const struct ava *ava, struct why *why)
{
	struct bytes forbidden = buf_bytes(&rules->forbidden), oid;
	struct buf text = {0};
	enum err err = ERR_OK;
	char name[100];

	while (next_oid(&forbidden, &oid)) {
		if (bytes_eq(oid, ava->oid)) {
			oid_name(oid, name, sizeof(name));
			return fail(why, ERR_SUBJECT, "the requested subject has the attribute %s, which [subject] forbidden names", name);
		}
	}
	for (size_t i = 0; i < N_ROWS && err == ERR_OK; i++) {
		if (!rules->has[i] || rows[i].oid == NULL || !der_oid_is(ava->oid, rows[i].oid))
			continue;
		buf_cut(&text, 0);
		if (!string_utf8(ava->value, &text))
			err = fail(why, ERR_SUBJECT, "a value in the requested subject is not text, so that it cannot match [subject] %s", rows[i].key);
		else
			err = check_match(rules, i, buf_bytes(&text), why);
	}
	buf_free(&text);
	return err;
}

static bool has_attribute(struct bytes subject, struct bytes oid)
{
	struct bytes rdns, avas;
	struct ava ava;

	if (!name_contents(subject, &rdns))
		return false;
	while (rdn_next(&rdns, &avas)) {
		while (ava_next(&avas, &ava)) {
			if (bytes_eq(ava.oid, oid))
				return true;
		}
	}
	return false;
}

static enum err check_required(const struct rules *rules, struct bytes subject, struct why *why)
{
	struct bytes required = buf_bytes(&rules->required), oid;
	char name[100];

	while (next_oid(&required, &oid)) {
		if (has_attribute(subject, oid))
			continue;
		oid_name(oid, name, sizeof(name));
		return fail(why, ERR_SUBJECT, "the requested subject lacks the attribute %s, which [subject] required names", name);
	}
	return ERR_OK;
}

static enum err check_whole(const struct rules *rules, size_t i, struct bytes subject, struct why *why)
{
	struct buf text = {0};
	enum err err = ERR_OK;

	if (!rules->has[i])
		return ERR_OK;
	if (name_text(subject, &text, why) != ERR_OK)
		err = fail(why, ERR_SUBJECT, "the requested subject cannot be read");
	else
		err = check_match(rules, i, buf_bytes(&text), why);
	buf_free(&text);
	return err;
}

enum err rules_check_subject(const struct rules *rules, struct bytes subject, struct why *why)
{
	struct bytes rdns, avas;
	struct ava ava;
	enum err err;

	if ((err = check_required(rules, subject, why)) != ERR_OK)
		return err;
	for (size_t i = 0; i < N_ROWS; i++) {
		if (rows[i].oid == NULL && rows[i].san == 0 && (err = check_whole(rules, i, subject, why)) != ERR_OK)
			return err;
	}
	if (!name_contents(subject, &rdns))
		return fail(why, ERR_SUBJECT, "the requested subject cannot be read");
	while (rdn_next(&rdns, &avas)) {
		while (ava_next(&avas, &ava)) {
			if ((err = check_attribute(rules, &ava, why)) != ERR_OK)
				return err;
		}
	}
	return ERR_OK;
}

enum err rules_check_san(const struct rules *rules, const struct san *san, struct why *why)
{
	enum err err;

	for (size_t i = 0; i < N_ROWS; i++) {
		if (rules->has[i] && rows[i].san == san->type && rows[i].san != 0 && (err = check_match(rules, i, san->value, why)) != ERR_OK)
			return err;
	}
	return ERR_OK;
}
