/* Certificates: the tolerant view, and questions about it. Building is in certbuild.c, files are in certfile.c. */
#include "pki/cert.h"

#include <stdlib.h>

#include <gnutls/x509.h>

#include "base/mem.h"
#include "pki/der.h"
#include "pki/ext.h"
#include "pki/name.h"
#include "pki/oid.h"
#include "pki/spki.h"

#define MAX_EXTENSIONS 128	/* so that looking for one stays cheap */

/* Own and accepted issuers only: a client's self-signed certificate is verified only after its key passed the profile's limits. */
static const struct key_limits any_sane_key = {1024, 16384};

bool cert_extension(const struct cert *cert, const char *oid, struct bytes *value, bool *critical)
{
	struct extension e;

	if (!extension_find(cert->extensions, oid, &e))
		return false;
	*value = e.value;
	if (critical != NULL)
		*critical = e.critical;
	return true;
}

/* Clients send dates in 1970, in 2099, without seconds: none of it is an error (P-185), it is only not known then. */
static void read_validity(struct cert *c, struct bytes validity)
{
	struct tlv from, to;

	c->times_ok = der_next(&validity, &from) && der_next(&validity, &to) && validity.n == 0 &&
		      der_time_read(&from, &c->not_before) && der_time_read(&to, &c->not_after);
}

/* issuerUniqueID [1] and subjectUniqueID [2] are skipped; whatever else stands there is an error. */
static bool read_extensions(struct cert *c, struct bytes rest)
{
	struct extension e;
	struct tlv t, list;
	struct bytes walk;
	int n = 0;

	while (rest.n > 0 && rest.p[0] != DER_CTX(3)) {
		if (!der_next(&rest, &t) || ((t.tag & 0xdf) != DER_CTX_PRIM(1) && (t.tag & 0xdf) != DER_CTX_PRIM(2)))
			return false;
	}
	if (rest.n == 0)
		return true;
	if (!der_whole(rest, DER_CTX(3), &t) || !der_whole(t.body, DER_SEQUENCE, &list))
		return false;
	walk = list.body;
	while (n < MAX_EXTENSIONS && extension_next(&walk, &e))
		n++;
	c->extensions = list.body;
	return walk.n == 0;
}

static void read_skid(struct cert *c)
{
	struct bytes value;
	struct tlv t;

	if (cert_extension(c, OID_SUBJECT_KEY_ID, &value, NULL) && der_whole(value, DER_OCTET_STRING, &t))
		c->skid = t.body;
}

/* TBSCertificate: RFC 5280, 4.1. `in` is its contents. */
static bool read_tbs(struct cert *c, struct bytes in)
{
	struct tlv version, serial, algorithm, issuer, validity, subject, spki;

	der_expect(&in, DER_CTX(0), &version);
	if (!der_expect(&in, DER_INTEGER, &serial) || !der_expect(&in, DER_SEQUENCE, &algorithm) ||
	    !der_expect(&in, DER_SEQUENCE, &issuer) || !der_expect(&in, DER_SEQUENCE, &validity) ||
	    !der_expect(&in, DER_SEQUENCE, &subject) || !der_expect(&in, DER_SEQUENCE, &spki))
		return false;
	c->serial = serial.body;
	c->issuer = issuer.raw;
	c->subject = subject.raw;
	c->spki = spki.raw;
	read_validity(c, validity.body);
	return read_extensions(c, in);
}

enum err cert_parse(struct bytes der, struct cert **out, struct why *why)
{
	struct cert *c = mem_alloc(sizeof(*c));
	struct tlv outer, tbs, algorithm, bits;
	struct spki_view view;
	enum err err = ERR_OK;

	buf_add_bytes(&c->der, der);
	if (!der_whole(buf_bytes(&c->der), DER_SEQUENCE, &outer) || !der_expect(&outer.body, DER_SEQUENCE, &tbs) ||
	    !der_expect(&outer.body, DER_SEQUENCE, &algorithm) || !der_expect(&outer.body, DER_BIT_STRING, &bits) ||
	    outer.body.n != 0 || bits.body.n == 0 || !read_tbs(c, tbs.body)) {
		err = fail(why, ERR_SYNTAX, "not an X.509 certificate");
		goto out;
	}
	if (spki_read(c->spki, &view, why) != ERR_OK) {
		err = ERR_SYNTAX;
		goto out;
	}
	c->tbs = tbs.raw;
	c->sig_alg = algorithm.raw;
	c->signature = bytes_cut(bits.body, 1, bits.body.n);
	c->key_bits = view.key_bits;
	read_skid(c);
	*out = c;
	return ERR_OK;
out:
	cert_free(c);
	return err;
}

void cert_free(struct cert *cert)
{
	if (cert == NULL)
		return;
	buf_free(&cert->der);
	free(cert);
}

unsigned cert_key_usage(const struct cert *cert)
{
	struct bytes value;
	struct tlv t;
	unsigned usage;

	if (!cert_extension(cert, OID_KEY_USAGE, &value, NULL))
		return ~0u;
	if (!der_whole(value, DER_BIT_STRING, &t) || t.body.n < 2)
		return 0;
	/* GNUTLS_KEY_*: the first octet of the BIT STRING as it is, decipherOnly (the second's first bit) at 0x8000 */
	usage = t.body.p[1];
	if (t.body.n > 2)
		usage |= (unsigned)t.body.p[2] << 8;
	return usage;
}

bool cert_is_ca(const struct cert *cert)
{
	struct bytes value;
	struct tlv seq, ca;

	return cert_extension(cert, OID_BASIC_CONSTRAINTS, &value, NULL) && der_whole(value, DER_SEQUENCE, &seq) &&
	       der_expect(&seq.body, DER_BOOLEAN, &ca) && ca.body.n == 1 && ca.body.p[0] != 0;
}

int cert_path_len(const struct cert *cert)
{
	struct bytes value;
	struct tlv seq, ca, len;

	if (!cert_extension(cert, OID_BASIC_CONSTRAINTS, &value, NULL) || !der_whole(value, DER_SEQUENCE, &seq) ||
	    !der_expect(&seq.body, DER_BOOLEAN, &ca) || seq.body.n == 0)
		return -1;
	/* malformed or negative is none at all; no chain is longer than 127 */
	if (!der_whole(seq.body, DER_INTEGER, &len) || len.body.n == 0 || (len.body.p[0] & 0x80) != 0)
		return 0;
	return len.body.n == 1 ? len.body.p[0] : 127;
}

bool cert_has_purpose(const struct cert *cert, const char *purpose)
{
	struct bytes value;
	struct tlv seq, oid;

	if (!cert_extension(cert, OID_EXT_KEY_USAGE, &value, NULL) || !der_whole(value, DER_SEQUENCE, &seq))
		return false;
	while (der_expect(&seq.body, DER_OID, &oid)) {
		if (der_oid_is(oid.body, purpose))
			return true;
	}
	return false;
}

bool cert_is_self_signed(const struct cert *cert)
{
	return cert_verify_by(cert, cert, NULL) == ERR_OK;
}

enum err cert_verify_by(const struct cert *cert, const struct cert *issuer, struct why *why)
{
	const struct digest_row *digest = NULL;
	enum sig_scheme scheme;
	struct pubkey *pub = NULL;
	enum err err;

	if (!name_eq(cert->issuer, issuer->subject))
		return fail(why, ERR_CERT, "the issuer's name is not the subject of the certificate that should have issued it");
	err = pubkey_import(issuer->spki, &any_sane_key, &pub, why);
	if (err == ERR_OK)
		err = sig_alg_read(cert->sig_alg, &scheme, &digest, why);
	if (err == ERR_OK && scheme != SIG_ED25519 && digest == NULL)
		err = fail(why, ERR_CERT, "the certificate's signature algorithm names no digest");
	if (err == ERR_OK)
		err = pubkey_verify(pub, scheme, digest, cert->tbs, cert->signature, why);
	pubkey_free(pub);
	if (err != ERR_OK && why != NULL)
		why->err = ERR_CERT;
	return err == ERR_OK ? ERR_OK : ERR_CERT;
}

void cert_fingerprint(const struct cert *cert, uint8_t sha256[32])
{
	if (gnutls_hash_fast(GNUTLS_DIG_SHA256, cert->der.p, cert->der.n, sha256) != 0)
		abort();
}

void spki_key_id(struct bytes spki, uint8_t sha1[20])
{
	struct spki_view view = {0};

	spki_read(spki, &view, NULL);
	if (gnutls_hash_fast(GNUTLS_DIG_SHA1, view.key_bits.n > 0 ? view.key_bits.p : (const uint8_t *)"", view.key_bits.n, sha1) != 0)
		abort();
}

static struct bytes without_zeros(struct bytes b)
{
	while (b.n > 0 && b.p[0] == 0)
		b = bytes_cut(b, 1, b.n);
	return b;
}

bool cert_is_named(const struct cert *cert, struct bytes issuer, struct bytes serial, struct bytes skid)
{
	uint8_t id[20];

	if (skid.n > 0 && cert->skid.n > 0)
		return bytes_eq(cert->skid, skid);
	if (skid.n > 0) {
		spki_key_id(cert->spki, id);
		return bytes_eq(bytes_of(id, sizeof(id)), skid);
	}
	/* leading zeros do not count (P-182); FF is not a leading zero, so that negative serials stay apart */
	return bytes_eq(without_zeros(cert->serial), without_zeros(serial)) && name_eq(cert->issuer, issuer);
}
