#include "ca/tls.h"

#include <strings.h>

#include "auth/cert_text.h"
#include "auth/client_cert.h"
#include "base/codec.h"
#include "ca/crl.h"
#include "ca/rollover.h"
#include "pki/ava.h"
#include "pki/der.h"
#include "pki/name.h"
#include "pki/oid.h"
#include "store/revoke.h"

#define SOURCE "tls"	/* of the values */

enum err tls_admit(const struct profile *p, struct bytes text, time_t now, struct cert **out, struct why *why)
{
	struct cert *cert = NULL;
	struct buf der = {0};
	enum err err;

	if (p->client_trust == NULL)
		return fail(why, ERR_PATH, "profile '%s' takes no client certificates: it has no 'trust' in [client_certificate]", p->conf->name);
	if ((err = cert_text_read(text, &der, why)) != ERR_OK)
		goto out;
	if (cert_parse(buf_bytes(&der), &cert, why) != ERR_OK) {
		err = fail(why, ERR_TLS_CERT, "what the web server passed on as client certificate is none");
		goto out;
	}
	if ((err = client_cert_check(p->client_trust, cert, now, why)) != ERR_OK)
		goto out;
	*out = cert;
	cert = NULL;
out:
	cert_free(cert);
	buf_free(&der);
	return err;
}

bool tls_authorises(const struct work *w, struct bytes challenge)
{
	return challenge.n == 0 && w->env->client_cert != NULL && w->env->profile->conf->client_cert.replaces_challenge;
}

bool tls_applies(const struct work *w)
{
	return w->env->client_cert != NULL;
}

void tls_describe(const struct cert *cert, struct buf *out)
{
	struct buf subject = {0};

	if (name_text(cert->subject, &subject, NULL) == ERR_OK) {
		buf_printf(out, "TLS certificate '%.200s', serial ", buf_str(&subject));
		hex_encode(out, bytes_cut(cert->serial, 0, 40));
	}
	buf_free(&subject);
}

/* --- what has to be the same ---------------------------------------------------------------------------------------- */

/* Calls `each` with every value of an attribute in a Name, as text, until it says no; false then, or when there is none. */
static bool each_attr(struct bytes name, const char *oid, bool (*each)(void *ctx, struct bytes text), void *ctx)
{
	struct bytes rdns, avas;
	struct buf text = {0};
	struct ava ava;
	bool any = false, ok = name_contents(name, &rdns);

	while (ok && rdn_next(&rdns, &avas)) {
		while (ok && ava_next(&avas, &ava)) {
			if (!der_oid_is(ava.oid, oid))
				continue;
			any = true;
			ok = string_utf8(ava.value, &text) && each(ctx, buf_bytes(&text));
			buf_free(&text);
		}
	}
	return ok && any;
}

static bool equals(void *ctx, struct bytes text)
{
	struct bytes wanted = *(struct bytes *)ctx;

	return text.n == wanted.n && strncasecmp((const char *)text.p, (const char *)wanted.p, text.n) == 0;
}

/* A request may have an attribute twice: all of them count, or the second would go into the certificate unseen. */
static bool same_attr(struct bytes asked, struct bytes tls, const char *oid)
{
	struct buf text = {0};
	bool same = name_attr(tls, oid, &text) && text.n > 0;

	if (same) {
		struct bytes wanted = buf_bytes(&text);

		same = each_attr(asked, oid, equals, &wanted);
	}
	buf_free(&text);
	return same;
}

static struct bytes names_in(struct bytes general_names)
{
	struct tlv seq;

	return der_whole(general_names, DER_SEQUENCE, &seq) ? seq.body : (struct bytes){0};
}

static bool same_san(const struct san *a, const struct san *b)
{
	if (a->type != b->type || a->raw.n != b->raw.n)
		return false;
	if (a->type == SAN_DNS)
		return strncasecmp((const char *)a->value.p, (const char *)b->value.p, a->value.n) == 0;
	return bytes_eq(a->raw, b->raw);
}

static bool among(const struct san *wanted, struct bytes names)
{
	struct san san;

	while (san_next(&names, &san)) {
		if (same_san(&san, wanted))
			return true;
	}
	return false;
}

/* At least one: a request without any would share nothing. */
static bool binds_san(const struct work *w, const struct cert *tls)
{
	struct bytes asked = {0}, had = {0};
	struct san san;
	size_t n = 0;

	if (!csr_extension(w->csr, OID_SUBJECT_ALT_NAME, &asked) || !cert_extension(tls, OID_SUBJECT_ALT_NAME, &had, NULL))
		return false;
	asked = names_in(asked);
	had = names_in(had);
	while (san_next(&asked, &san)) {
		if (!among(&san, had))
			return false;
		n++;
	}
	return n > 0 && asked.n == 0;
}

static bool binds_subject(const struct work *w, const struct cert *tls)
{
	return !name_is_empty(tls->subject) && name_eq(w->csr->subject, tls->subject);
}

static bool binds_cn(const struct work *w, const struct cert *tls)
{
	return same_attr(w->csr->subject, tls->subject, OID_CN);
}

static bool binds_serial_number(const struct work *w, const struct cert *tls)
{
	return same_attr(w->csr->subject, tls->subject, OID_SERIAL_NUMBER);
}

/* The key that signed the message, or, with signer_key = any, at least the one to be certified, which has signed the request. */
static bool binds_key(const struct work *w, const struct cert *tls)
{
	return same_key(tls->spki, w->msg->signer->spki) || same_key(tls->spki, w->csr->spki);
}

static const struct {
	unsigned bit;
	bool (*holds)(const struct work *w, const struct cert *tls);
	const char *word, *what;
} bindings[] = {
    {BIND_SUBJECT, binds_subject, "subject", "the subject asked for is not that of the client certificate"},
    {BIND_CN, binds_cn, "cn", "the common name asked for is not that of the client certificate"},
    {BIND_SERIAL_NUMBER, binds_serial_number, "serial_number", "the serialNumber asked for is not that of the client certificate"},
    {BIND_SAN, binds_san, "san", "not every subjectAltName asked for is one of the client certificate's, or none is asked for"},
    {BIND_KEY, binds_key, "key", "neither the message nor the request is signed with the client certificate's key"},
};

static enum err check_bindings(const struct work *w, const struct cert *tls, struct why *why)
{
	struct buf text = {0};
	enum err err = ERR_OK;

	for (size_t i = 0; i < sizeof(bindings) / sizeof(bindings[0]) && err == ERR_OK; i++) {
		if ((w->env->profile->conf->client_cert.bind & bindings[i].bit) == 0 || bindings[i].holds(w, tls))
			continue;
		tls_describe(tls, &text);
		err = fail(why, ERR_CLIENT_CERT, "%s ('bind = %s' in [client_certificate]); %s", bindings[i].what, bindings[i].word, buf_str(&text));
	}
	buf_free(&text);
	return err;
}

/* What we have issued ourselves needs no CRL in a file: the database knows. */
static enum err check_ours(const struct work *w, const struct cert *tls, struct why *why)
{
	const struct cert *own[ROLLOVER_OWN_MAX];
	size_t n = rollover_own_certs(w->env->profile, own);
	struct store_found found = {0};
	bool by_ours = false;
	enum err err = ERR_OK;

	for (size_t i = 0; i < n; i++)
		by_ours |= name_eq(tls->issuer, own[i]->subject);
	if (!by_ours || tls->serial.n != STORE_SERIAL_SIZE)
		return ERR_OK;
	struct store_lookup_of of = {.authority = ca_crl_authority(w->env->profile->crl), .signer_serial = tls->serial};

	err = store_lookup(w->env->store, &of, &found, why);
	if (err == ERR_OK && found.signer_revoked)
		err = fail(why, ERR_TLS_CERT, "the client certificate was issued here and is revoked");
	store_found_free(&found);
	return err;
}

/* --- what is known of it, for the templates ------------------------------------------------------------------------- */

struct naming {
	struct values *values;
	const char *name;
};

static bool add_value(void *ctx, struct bytes text)
{
	const struct naming *n = ctx;

	return values_add(n->values, SOURCE, n->name, text);
}

static bool add_attrs(struct values *v, struct bytes subject)
{
	static const struct {
		const char *name, *oid;
	} attrs[] = {{"cn", OID_CN}, {"serial_number", OID_SERIAL_NUMBER}, {"o", OID_O}, {"ou", OID_OU}};

	for (size_t i = 0; i < sizeof(attrs) / sizeof(attrs[0]); i++) {
		struct naming naming = {v, attrs[i].name};
		struct buf first = {0};
		bool there = name_attr(subject, attrs[i].oid, &first);

		buf_free(&first);
		if (there && !each_attr(subject, attrs[i].oid, add_value, &naming))
			return false;
	}
	return true;
}

static bool add_sans(struct values *v, const struct cert *tls)
{
	static const struct {
		unsigned type;
		const char *name;
	} kinds[] = {{SAN_DNS, "dns"}, {SAN_EMAIL, "email"}, {SAN_UPN, "upn"}};
	struct bytes names = {0};
	struct san san;

	cert_extension(tls, OID_SUBJECT_ALT_NAME, &names, NULL);
	names = names_in(names);
	while (san_next(&names, &san)) {
		for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
			if (kinds[i].type == san.type && !values_add(v, SOURCE, kinds[i].name, san.value))
				return false;
		}
	}
	return names.n == 0;
}

static bool add_hex(struct values *v, const char *name, struct bytes octets)
{
	struct buf hex = {0};
	bool ok;

	hex_encode(&hex, octets);
	ok = values_add(v, SOURCE, name, buf_bytes(&hex));
	buf_free(&hex);
	return ok;
}

static enum err add_values(struct values *v, const struct cert *tls, struct why *why)
{
	struct buf subject = {0};
	uint8_t digest[32];
	bool ok;

	cert_fingerprint(tls, digest);
	ok = name_text(tls->subject, &subject, NULL) == ERR_OK && values_add(v, SOURCE, "subject", buf_bytes(&subject)) &&
	     add_attrs(v, tls->subject) && add_sans(v, tls) && add_hex(v, "serial", tls->serial) &&
	     add_hex(v, "fingerprint", bytes_of(digest, sizeof(digest)));
	buf_free(&subject);
	return ok ? ERR_OK : fail(why, ERR_CLIENT_CERT, "the client certificate's names are no text, too long or too many to be used");
}

enum err tls_consent(struct work *w, struct why *why)
{
	const struct cert *tls = w->env->client_cert;
	enum err err;

	if ((err = check_bindings(w, tls, why)) != ERR_OK || (err = check_ours(w, tls, why)) != ERR_OK)
		return err;
	return add_values(&w->values, tls, why);
}
