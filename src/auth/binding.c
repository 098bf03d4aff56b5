#include "auth/binding.h"

#include <stddef.h>
#include <strings.h>

#include "conf/conf.h"
#include "pki/ava.h"
#include "pki/der.h"
#include "pki/name.h"
#include "pki/oid.h"

/* The kinds of names that a claim can bind. */
static const struct {
	unsigned type;
	const char *claim;
	size_t offset;
} kinds[] = {
    {SAN_DNS, "san_dns", offsetof(struct claims, dns)},
    {SAN_EMAIL, "san_rfc822", offsetof(struct claims, rfc822)},
    {SAN_UPN, "san_upn", offsetof(struct claims, upn)},
};

#define N_KINDS (sizeof(kinds) / sizeof(kinds[0]))

/* So much of a name goes into a sentence. */
static int shown(struct bytes name)
{
	return name.n < 100 ? (int)name.n : 100;
}

static const struct claim_names *names_of(const struct claims *c, size_t kind)
{
	return (const struct claim_names *)((const char *)c + kinds[kind].offset);
}

/* Of several common names the certificate would carry all, whichever of them was compared. */
static size_t common_names(struct bytes subject, struct buf *last)
{
	struct bytes rdns, avas;
	struct ava ava;
	size_t n = 0;

	if (!name_contents(subject, &rdns))
		return 0;
	while (rdn_next(&rdns, &avas)) {
		while (ava_next(&avas, &ava)) {
			if (!der_oid_is(ava.oid, OID_CN))
				continue;
			buf_cut(last, 0);
			if (!string_utf8(ava.value, last))
				return 0;
			n++;
		}
	}
	return n;
}

static enum err check_device(const struct claims *c, const struct csr *csr, struct why *why)
{
	struct buf cn = {0};
	size_t n = common_names(csr->subject, &cn);
	enum err err = ERR_OK;

	if (c->device_name.n > 0 && n != 1)
		err = fail(why, ERR_SIGNED_CLAIM, "the request's subject has %zu common names that can be read, the claim device_name wants one", n);
	else if (c->device_name.n > 0 && !bytes_eq(buf_bytes(&cn), c->device_name))
		err = fail(why, ERR_SIGNED_CLAIM, "the request is for '%.100s', the claim device_name says '%.*s'", buf_str(&cn),
		    shown(c->device_name), (const char *)c->device_name.p);
	buf_free(&cn);
	return err;
}

/* Beyond ASCII case counts: at worst a name is refused that could have been accepted. */
static bool same_name(struct bytes a, struct bytes b)
{
	return a.n == b.n && strncasecmp((const char *)a.p, (const char *)b.p, a.n) == 0;
}

/* Which of the claim's names it is; n: none. */
static size_t find_name(const struct claim_names *names, struct bytes name)
{
	size_t i = 0;

	while (i < names->n && !same_name(names->list[i], claim_trim(name)))
		i++;
	return i;
}

static size_t kind_of(unsigned type)
{
	size_t i = 0;

	while (i < N_KINDS && kinds[i].type != type)
		i++;
	return i;
}

/* Marks which of the claims' names the request has. */
static enum err check_requested(const struct claims *c, const struct san *san, bool unbound_allowed, bool has[N_KINDS][CLAIM_NAMES_MAX],
    struct why *why)
{
	size_t kind = kind_of(san->type), at;

	if (kind == N_KINDS)
		return unbound_allowed ? ERR_OK :
		    fail(why, ERR_SIGNED_CLAIM, "the request asks for a subjectAltName of a kind that no claim covers (IP, URI, directory or other "
			"name); 'unbound_san = allow' in [signed_challenge] accepts those");
	if (names_of(c, kind)->n == 0)
		return ERR_OK;
	at = find_name(names_of(c, kind), san->value);
	if (at == names_of(c, kind)->n)
		return fail(why, ERR_SIGNED_CLAIM, "the request asks for the name '%.*s', which is not in the claim %s",
		    shown(san->value), (const char *)san->value.p, kinds[kind].claim);
	has[kind][at] = true;
	return ERR_OK;
}

/* A name that the claim has twice, the request needs once. */
static enum err check_claimed(const struct claims *c, bool has[N_KINDS][CLAIM_NAMES_MAX], struct why *why)
{
	for (size_t kind = 0; kind < N_KINDS; kind++) {
		const struct claim_names *names = names_of(c, kind);

		for (size_t i = 0; i < names->n; i++) {
			if (!has[kind][find_name(names, names->list[i])])
				return fail(why, ERR_SIGNED_CLAIM, "the claim %s has the name '%.*s', which the request does not ask for",
				    kinds[kind].claim, shown(names->list[i]), (const char *)names->list[i].p);
		}
	}
	return ERR_OK;
}

static enum err check_names(const struct claims *c, const struct csr *csr, bool unbound_allowed, struct why *why)
{
	bool has[N_KINDS][CLAIM_NAMES_MAX] = {{false}};
	struct bytes value;
	struct tlv list = {0};
	struct san san;
	enum err err;

	if (csr_extension(csr, OID_SUBJECT_ALT_NAME, &value) && !der_whole(value, DER_SEQUENCE, &list))
		return fail(why, ERR_SIGNED_CLAIM, "the request's subjectAltName cannot be read, so it cannot be compared with the claims");
	while (san_next(&list.body, &san)) {
		if ((err = check_requested(c, &san, unbound_allowed, has, why)) != ERR_OK)
			return err;
	}
	if (list.body.n > 0)
		return fail(why, ERR_SIGNED_CLAIM, "the request's subjectAltName holds a malformed name, so it cannot be compared with the claims");
	return check_claimed(c, has, why);
}

enum err binding_check(const struct claims *c, const struct csr *csr, bool unbound_allowed, struct why *why)
{
	enum err err = check_device(c, csr, why);

	return err == ERR_OK ? check_names(c, csr, unbound_allowed, why) : err;
}
