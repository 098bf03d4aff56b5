/* AlgorithmIdentifiers of signatures: RFC 4055 (RSA), RFC 5758 (ECDSA), RFC 8410 (Ed25519). Declared in key.h. */
#include "pki/der.h"
#include "pki/key.h"
#include "pki/oid.h"

static bool null_or_absent(struct bytes parameters)
{
	struct tlv null;

	return parameters.n == 0 || (der_whole(parameters, DER_NULL, &null) && null.body.n == 0);
}

/* AlgorithmIdentifier of a bare digest, as it stands in PSS parameters. */
static const struct digest_row *read_digest(struct bytes tlv)
{
	struct tlv seq, oid;
	char text[64];

	if (!der_whole(tlv, DER_SEQUENCE, &seq) || !der_expect(&seq.body, DER_OID, &oid) || !null_or_absent(seq.body) ||
	    !der_oid_text(oid.body, text, sizeof(text)))
		return NULL;
	return digest_by_oid(text);
}

static bool is_mgf1_of(struct bytes tlv, const struct digest_row *digest)
{
	struct tlv seq, oid;

	return der_whole(tlv, DER_SEQUENCE, &seq) && der_expect(&seq.body, DER_OID, &oid) && der_oid_is(oid.body, OID_MGF1) &&
	       read_digest(seq.body) == digest;
}

/* An INTEGER of one octet, which salt lengths and the trailer field are. */
static bool is_small_int(struct bytes tlv, size_t v)
{
	struct tlv t;

	return der_whole(tlv, DER_INTEGER, &t) && t.body.n == 1 && t.body.p[0] == v;
}

/*
 * RSASSA-PSS-params, RFC 4055, 3.1, in their plain form (P-161): hash, MGF1 with the same hash, salt as long as the hash. The
 * defaults mean SHA-1 with PSS, which the library does not have, so that all three must be present.
 */
static const struct digest_row *read_pss(struct bytes parameters)
{
	struct tlv seq, hash, mgf, salt, trailer;
	const struct digest_row *digest;

	if (!der_whole(parameters, DER_SEQUENCE, &seq) || !der_expect(&seq.body, DER_CTX(0), &hash) ||
	    !der_expect(&seq.body, DER_CTX(1), &mgf) || !der_expect(&seq.body, DER_CTX(2), &salt))
		return NULL;
	if (der_expect(&seq.body, DER_CTX(3), &trailer) && !is_small_int(trailer.body, 1))
		return NULL;
	digest = read_digest(hash.body);
	if (seq.body.n != 0 || digest == NULL || !is_mgf1_of(mgf.body, digest) || !is_small_int(salt.body, digest->size))
		return NULL;
	return digest;
}

/* shaXWithRSAEncryption or ecdsa-with-SHAx */
static const struct digest_row *by_signature_oid(struct bytes oid, enum sig_scheme *scheme)
{
	for (int i = 0; i < DIGEST_COUNT; i++) {
		const struct digest_row *row = digest_row((enum digest)i);

		if (row->rsa_oid != NULL && der_oid_is(oid, row->rsa_oid)) {
			*scheme = SIG_RSA_PKCS1;
			return row;
		}
		if (row->ecdsa_oid != NULL && der_oid_is(oid, row->ecdsa_oid)) {
			*scheme = SIG_ECDSA;
			return row;
		}
	}
	return NULL;
}

enum err sig_alg_read(struct bytes algorithm_tlv, enum sig_scheme *scheme, const struct digest_row **digest, struct why *why)
{
	const struct digest_row *row = *digest;
	enum sig_scheme s;
	struct tlv seq, oid;
	char text[64];

	if (!der_whole(algorithm_tlv, DER_SEQUENCE, &seq) || !der_expect(&seq.body, DER_OID, &oid) ||
	    !der_oid_text(oid.body, text, sizeof(text)))
		return fail(why, ERR_ALG, "the signature algorithm is not an AlgorithmIdentifier");
	if (der_oid_is(oid.body, OID_RSA_PSS)) {
		s = SIG_RSA_PSS;
		row = read_pss(seq.body);
		if (row == NULL)
			return fail(why, ERR_ALG, "RSASSA-PSS parameters other than one hash, MGF1 with it and a salt of its size");
	} else if (der_oid_is(oid.body, OID_ED25519)) {
		s = SIG_ED25519;
		if (seq.body.n != 0)
			return fail(why, ERR_ALG, "Ed25519 with parameters");
	} else {
		if (der_oid_is(oid.body, OID_RSA))
			s = SIG_RSA_PKCS1;
		else if (der_oid_is(oid.body, OID_EC))
			s = SIG_ECDSA;
		else if ((row = by_signature_oid(oid.body, &s)) == NULL)
			return fail(why, ERR_ALG, "unknown signature algorithm %s", text);
		/* id-ecPublicKey may name a curve (P-179): nothing to check there, the key says it */
		if (!null_or_absent(seq.body) && !der_oid_is(oid.body, OID_EC))
			return fail(why, ERR_ALG, "signature algorithm %s with unexpected parameters", text);
	}
	*scheme = s;
	*digest = row;
	return ERR_OK;
}

enum sig_scheme sig_scheme_of(enum key_type type)
{
	return type == KEY_RSA ? SIG_RSA_PKCS1 : type == KEY_EC ? SIG_ECDSA : SIG_ED25519;
}

bool sig_scheme_fits(enum sig_scheme scheme, enum key_type type)
{
	return (type == KEY_RSA && (scheme == SIG_RSA_PKCS1 || scheme == SIG_RSA_PSS)) ||
	       (type == KEY_EC && scheme == SIG_ECDSA) || (type == KEY_ED25519 && scheme == SIG_ED25519);
}

/* What read_pss reads. The hash's parameters are NULL, as RFC 4055, 2.1 has them in what is written; the trailer field is its default. */
static void write_pss(struct buf *out, const struct digest_row *digest)
{
	size_t at = der_open(out), params, field, mgf;

	der_oid(out, OID_RSA_PSS);
	params = field = der_open(out);
	der_algorithm(out, digest->oid, true);
	der_close(out, field, DER_CTX(0));
	field = mgf = der_open(out);
	der_oid(out, OID_MGF1);
	der_algorithm(out, digest->oid, true);
	der_close(out, mgf, DER_SEQUENCE);
	der_close(out, field, DER_CTX(1));
	field = der_open(out);
	der_int(out, (long)digest->size);
	der_close(out, field, DER_CTX(2));
	der_close(out, params, DER_SEQUENCE);
	der_close(out, at, DER_SEQUENCE);
}

void sig_alg_write_as(struct buf *out, enum sig_scheme scheme, const struct digest_row *digest)
{
	switch (scheme) {
	case SIG_RSA_PKCS1:
		der_algorithm(out, digest->rsa_oid, true);
		break;
	case SIG_RSA_PSS:
		write_pss(out, digest);
		break;
	case SIG_ECDSA:
		der_algorithm(out, digest->ecdsa_oid, false);
		break;
	case SIG_ED25519:
		der_algorithm(out, OID_ED25519, false);
		break;
	}
}

void sig_alg_write(struct buf *out, struct key_kind kind, const struct digest_row *digest)
{
	sig_alg_write_as(out, sig_scheme_of(kind.type), digest);
}
