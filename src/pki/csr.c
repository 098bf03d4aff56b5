#include "pki/csr.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "pki/ava.h"
#include "pki/der.h"
#include "pki/name.h"
#include "pki/oid.h"

/* Named limits: what is counted once is compared pairwise below, or handed to libraries that are quadratic (P-191). */
#define MAX_ATTRIBUTES 32
#define MAX_EXTENSIONS 64
/* What a request holds is decoded, compared and stored; 350,000 DNS names took 30 ms to print. The largest keys need half of this. */
#define MAX_OCTETS ((size_t)64 << 10)

/* One sentence for whatever does not parse: it may be the fruit of a wrong key (P-85). */
static enum err not_pkcs10(struct why *why)
{
	return fail(why, ERR_UNSEAL, "the content is not a PKCS#10 request");
}

/* The Extensions of an extensionRequest: well-formed, none twice. */
static enum err read_extensions(struct csr *c, struct bytes value, struct why *why)
{
	struct bytes seen[MAX_EXTENSIONS], walk;
	struct tlv list, seq, oid, flag, octets;
	size_t n = 0;

	if (!der_whole(value, DER_SEQUENCE, &list))
		return not_pkcs10(why);
	for (walk = list.body; walk.n > 0; n++) {
		if (!der_expect(&walk, DER_SEQUENCE, &seq) || !der_expect(&seq.body, DER_OID, &oid))
			return not_pkcs10(why);
		der_expect(&seq.body, DER_BOOLEAN, &flag);
		if (!der_expect(&seq.body, DER_OCTET_STRING, &octets) || seq.body.n != 0)
			return not_pkcs10(why);
		if (n == MAX_EXTENSIONS)
			return fail(why, ERR_CSR, "the request asks for more than %d extensions", MAX_EXTENSIONS);
		for (size_t i = 0; i < n; i++) {
			if (bytes_eq(seen[i], oid.body))
				return fail(why, ERR_CSR, "the request asks for the same extension twice");
		}
		seen[n] = oid.body;
	}
	c->extensions = list.body;
	return ERR_OK;
}

/* An attribute's values: exactly one is wanted. */
static enum err one_value(struct bytes values, const char *what, struct bytes *value, struct why *why)
{
	struct tlv t;

	if (values.n == 0)
		return fail(why, ERR_CSR, "the request's %s has no value", what);
	if (!der_next(&values, &t))
		return not_pkcs10(why);
	if (values.n > 0)
		return fail(why, ERR_CSR, "the request's %s has more than one value", what);
	*value = t.raw;
	return ERR_OK;
}

/* RFC 2985, 5.4.1; read by hand, since the library gives "#hex" for half of the string types (P-195). */
static enum err read_challenge(struct csr *c, struct bytes values, struct why *why)
{
	struct bytes value;
	struct tlv octets;
	enum err err;

	if (c->has_challenge)
		return fail(why, ERR_CSR, "the request has two challenge passwords");
	if ((err = one_value(values, "challenge password", &value, why)) != ERR_OK)
		return err;
	if (!string_utf8(value, &c->challenge) || !der_next(&value, &octets))
		return fail(why, ERR_CSR, "the request's challenge password is not text: bad encoding, a NUL inside, or another type");
	c->challenge_octets = octets.body;
	c->has_challenge = true;
	return ERR_OK;
}

static enum err read_attribute(struct csr *c, struct bytes *rest, bool *has_extensions, struct why *why)
{
	struct tlv seq, oid, values;
	struct bytes value;
	enum err err;

	if (!der_expect(rest, DER_SEQUENCE, &seq) || !der_expect(&seq.body, DER_OID, &oid) ||
	    !der_expect(&seq.body, DER_SET, &values) || seq.body.n != 0)
		return not_pkcs10(why);
	if (der_oid_is(oid.body, OID_CHALLENGE_PASSWORD))
		return read_challenge(c, values.body, why);
	if (!der_oid_is(oid.body, OID_EXTENSION_REQUEST) && !der_oid_is(oid.body, OID_MS_EXTENSION_REQUEST))
		return ERR_OK;
	if (*has_extensions)	/* of one kind or of both: P-118 */
		return fail(why, ERR_CSR, "the request has two extension requests");
	*has_extensions = true;
	if ((err = one_value(values.body, "extension request", &value, why)) != ERR_OK)
		return err;
	return read_extensions(c, value, why);
}

static enum err read_attributes(struct csr *c, struct bytes rest, struct why *why)
{
	bool has_extensions = false;
	enum err err = ERR_OK;

	for (size_t n = 0; rest.n > 0 && err == ERR_OK; n++) {
		if (n == MAX_ATTRIBUTES)
			return fail(why, ERR_CSR, "the request has more than %d attributes", MAX_ATTRIBUTES);
		err = read_attribute(c, &rest, &has_extensions, why);
	}
	return err;
}

static enum err check_subject(struct bytes subject, struct why *why)
{
	struct bytes rdns, avas;
	struct ava ava;
	size_t n = 0;

	if (!name_contents(subject, &rdns))
		return not_pkcs10(why);
	while (rdns.n > 0) {
		if (!rdn_next(&rdns, &avas))
			return not_pkcs10(why);
		for (; avas.n > 0; n++) {
			if (n == NAME_MAX_RDNS)
				return fail(why, ERR_CSR, "the request's subject has more than %d parts", NAME_MAX_RDNS);
			if (!ava_next(&avas, &ava))
				return not_pkcs10(why);
		}
	}
	return ERR_OK;
}

/* CertificationRequestInfo. The version may be wrong and the attributes may be missing (P-119). */
static enum err read_info(struct csr *c, struct bytes in, struct why *why)
{
	struct tlv version, subject, spki, attributes = {0};
	enum err err;

	if (!der_expect(&in, DER_INTEGER, &version) || !der_expect(&in, DER_SEQUENCE, &subject) ||
	    !der_expect(&in, DER_SEQUENCE, &spki) || (in.n > 0 && !der_whole(in, DER_CTX(0), &attributes)))
		return not_pkcs10(why);
	c->subject = subject.raw;
	c->spki = spki.raw;
	if ((err = check_subject(c->subject, why)) != ERR_OK)
		return err;
	return read_attributes(c, attributes.body, why);
}

enum err csr_parse(struct bytes der, struct csr **out, struct why *why)
{
	struct csr *c = mem_alloc(sizeof(*c));
	struct tlv outer, info, algorithm, bits;
	enum err err;

	buf_add_bytes(&c->der, der);
	if (!der_whole(buf_bytes(&c->der), DER_SEQUENCE, &outer) || !der_expect(&outer.body, DER_SEQUENCE, &info) ||
	    !der_expect(&outer.body, DER_SEQUENCE, &algorithm) || !der_expect(&outer.body, DER_BIT_STRING, &bits) ||
	    outer.body.n != 0 || bits.body.n == 0 || bits.body.p[0] != 0) {
		err = not_pkcs10(why);
		goto out;
	}
	if (der.n > MAX_OCTETS) {
		err = fail(why, ERR_CSR, "the request has %zu octets, at most %zu are accepted", der.n, MAX_OCTETS);
		goto out;
	}
	c->info = info.raw;
	c->sig_alg = algorithm.raw;
	c->signature = bytes_cut(bits.body, 1, bits.body.n);
	if ((err = read_info(c, info.body, why)) != ERR_OK)
		goto out;
	*out = c;
	return ERR_OK;
out:
	csr_free(c);
	return err;
}

void csr_free(struct csr *csr)
{
	if (csr == NULL)
		return;
	buf_wipe(&csr->der);
	buf_wipe(&csr->challenge);
	free(csr);
}

static enum err verify_with(const struct csr *csr, const struct pubkey *pub, const struct alg_set *algs, struct why *why)
{
	const struct digest_row *digest = NULL;
	enum sig_scheme scheme;
	enum err err = sig_alg_read(csr->sig_alg, &scheme, &digest, why);

	if (err != ERR_OK)
		return err;
	if (scheme != SIG_ED25519 && digest == NULL)
		return fail(why, ERR_ALG, "the request's signature algorithm names no digest");
	if (digest != NULL && algs != NULL && !alg_set_has_digest(algs, digest))
		return fail(why, ERR_ALG, "the request is signed with %s, which the profile does not accept", digest->name);
	err = pubkey_verify(pub, scheme, digest, csr->info, csr->signature, why);
	return err == ERR_MSG_CHECK ? fail(why, ERR_CSR_SIG, "the request's own signature is wrong") : err;
}

enum err csr_verify(const struct csr *csr, const struct key_limits *limits, const struct alg_set *algs, struct pubkey **out,
    struct why *why)
{
	struct pubkey *pub;
	enum err err = pubkey_import(csr->spki, limits, &pub, why);

	if (err == ERR_SYNTAX && why != NULL)	/* the message could be read: it is answered, other than SYNTAX would */
		why->err = ERR_CSR;
	if (err != ERR_OK)
		return err == ERR_SYNTAX ? ERR_CSR : err;
	err = verify_with(csr, pub, algs, why);
	if (err == ERR_OK && out != NULL)
		*out = pub;
	else
		pubkey_free(pub);
	return err;
}

void csr_mask_challenge(const struct csr *csr, struct buf *out)
{
	size_t at = out->n;

	buf_add_bytes(out, buf_bytes(&csr->der));
	if (csr->challenge_octets.n > 0)
		memset(out->p + at + (csr->challenge_octets.p - csr->der.p), '*', csr->challenge_octets.n);
}

bool csr_extension(const struct csr *csr, const char *oid, struct bytes *value)
{
	struct bytes walk = csr->extensions;
	struct tlv seq, id, flag, octets;

	while (der_expect(&walk, DER_SEQUENCE, &seq) && der_expect(&seq.body, DER_OID, &id)) {
		der_expect(&seq.body, DER_BOOLEAN, &flag);
		if (der_oid_is(id.body, oid) && der_expect(&seq.body, DER_OCTET_STRING, &octets)) {
			*value = octets.body;
			return true;
		}
	}
	return false;
}
