#include "pki/spki.h"

#include "pki/der.h"
#include "pki/oid.h"

static const struct {
	const char *oid;
	gnutls_ecc_curve_t curve;
	unsigned bits;
	size_t point;	/* octets of an uncompressed point */
} curves[] = {
    {"1.2.840.10045.3.1.7", GNUTLS_ECC_CURVE_SECP256R1, 256, 65},
    {"1.3.132.0.34", GNUTLS_ECC_CURVE_SECP384R1, 384, 97},
    {"1.3.132.0.35", GNUTLS_ECC_CURVE_SECP521R1, 521, 133},
};

static struct bytes without_zeros(struct bytes b)
{
	while (b.n > 0 && b.p[0] == 0)
		b = bytes_cut(b, 1, b.n);
	return b;
}

static unsigned bit_length(struct bytes magnitude)
{
	unsigned bits = 0;

	if (magnitude.n == 0)
		return 0;
	for (unsigned top = magnitude.p[0]; top != 0; top >>= 1)
		bits++;
	return bits + 8 * (unsigned)(magnitude.n - 1);
}

/* X.690, 8.3.2. The library takes longer ones, but then a key has two forms: it would be new where it is the old one, and the certificate no DER. */
static bool is_padded(struct bytes integer)
{
	return integer.n > 1 && integer.p[0] == 0 && integer.p[1] < 0x80;
}

/* RSAPublicKey, RFC 8017, A.1.1. Negative numbers are an error: read as magnitudes they would hide what the library sees. */
static enum err read_rsa(struct bytes parameters, struct spki_view *v, struct why *why)
{
	struct tlv seq, n, e, null;

	/* RFC 3279, 2.3.1 has NULL; absent is met. Whatever else stands there would go into the certificate. */
	if (parameters.n > 0 && (!der_whole(parameters, DER_NULL, &null) || null.body.n > 0))
		return fail(why, ERR_SYNTAX, "the RSA public key's algorithm has parameters");
	if (!der_whole(v->key_bits, DER_SEQUENCE, &seq) || !der_expect(&seq.body, DER_INTEGER, &n) ||
	    !der_expect(&seq.body, DER_INTEGER, &e) || seq.body.n != 0)
		return fail(why, ERR_SYNTAX, "the RSA public key is not an RSAPublicKey");
	if (n.body.n == 0 || e.body.n == 0 || n.body.p[0] >= 0x80 || e.body.p[0] >= 0x80)
		return fail(why, ERR_SYNTAX, "the RSA public key has an empty or negative number");
	if (is_padded(n.body) || is_padded(e.body))
		return fail(why, ERR_SYNTAX, "the RSA public key has a number with zeros before it, which is no DER");
	v->modulus = without_zeros(n.body);
	v->exponent = without_zeros(e.body);
	v->kind = (struct key_kind){KEY_RSA, bit_length(v->modulus), GNUTLS_ECC_CURVE_INVALID};
	return ERR_OK;
}

/* RFC 5480: namedCurve only; the point uncompressed, since the library reads no other. */
static enum err read_ec(struct bytes parameters, struct spki_view *v, struct why *why)
{
	struct tlv oid;

	v->kind = (struct key_kind){KEY_EC, 0, GNUTLS_ECC_CURVE_INVALID};
	if (!der_whole(parameters, DER_OID, &oid))
		return ERR_OK;
	for (size_t i = 0; i < sizeof(curves) / sizeof(curves[0]); i++) {
		if (!der_oid_is(oid.body, curves[i].oid))
			continue;
		if (v->key_bits.n != curves[i].point || v->key_bits.p[0] != 4)
			return fail(why, ERR_SYNTAX, "the EC public key is not an uncompressed point of its curve");
		v->kind = (struct key_kind){KEY_EC, curves[i].bits, curves[i].curve};
		break;
	}
	return ERR_OK;
}

static enum err read_ed25519(struct bytes parameters, struct spki_view *v, struct why *why)
{
	if (parameters.n > 0)	/* RFC 8410, 3 */
		return fail(why, ERR_SYNTAX, "the Ed25519 public key's algorithm has parameters");
	if (v->key_bits.n != 32)
		return fail(why, ERR_SYNTAX, "an Ed25519 public key has 32 octets, not %zu", v->key_bits.n);
	v->kind = (struct key_kind){KEY_ED25519, 256, GNUTLS_ECC_CURVE_ED25519};
	return ERR_OK;
}

enum err spki_read(struct bytes spki, struct spki_view *out, struct why *why)
{
	struct spki_view v = {.kind = {KEY_OTHER, 0, GNUTLS_ECC_CURVE_INVALID}};
	struct tlv outer, algorithm, oid, bits;
	enum err err = ERR_OK;

	if (!der_whole(spki, DER_SEQUENCE, &outer) || !der_expect(&outer.body, DER_SEQUENCE, &algorithm) ||
	    !der_expect(&algorithm.body, DER_OID, &oid) || !der_expect(&outer.body, DER_BIT_STRING, &bits) ||
	    outer.body.n != 0 || bits.body.n == 0 || bits.body.p[0] != 0)
		return fail(why, ERR_SYNTAX, "the public key is not a SubjectPublicKeyInfo");
	v.key_bits = bytes_cut(bits.body, 1, bits.body.n);
	if (der_oid_is(oid.body, OID_RSA))
		err = read_rsa(algorithm.body, &v, why);
	else if (der_oid_is(oid.body, OID_EC))
		err = read_ec(algorithm.body, &v, why);
	else if (der_oid_is(oid.body, OID_ED25519))
		err = read_ed25519(algorithm.body, &v, why);
	if (err == ERR_OK)
		*out = v;
	return err;
}
