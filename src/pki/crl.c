/* CRLs as they are read, by `scepter show`, by clients, and by ourselves before one that the database holds is given out. */
#include "pki/crl.h"

#include <stdlib.h>
#include <strings.h>

#include "base/mem.h"
#include "pki/der.h"
#include "pki/ext.h"
#include "pki/name.h"
#include "pki/oid.h"

#define MAX_SERIAL 64	/* octets: RFC 5280 allows 20 */
#define MAX_EXTENSIONS 32

static const struct key_limits any_sane_key = {1024, 16384};

/* RFC 5280, 5.3.1. certificateHold (6) and removeFromCRL (8) are not ours to give: nothing is ever taken back here. */
static const struct {
	int reason;
	const char *name;
} reasons[] = {
    {0, "unspecified"}, {1, "keyCompromise"}, {2, "cACompromise"}, {3, "affiliationChanged"}, {4, "superseded"},
    {5, "cessationOfOperation"}, {9, "privilegeWithdrawn"}, {10, "aACompromise"},
};

#define N_REASONS (sizeof(reasons) / sizeof(reasons[0]))

int crl_reason_by_name(const char *name)
{
	for (size_t i = 0; i < N_REASONS; i++) {
		if (strcasecmp(reasons[i].name, name) == 0)
			return reasons[i].reason;
	}
	return -1;
}

const char *crl_reason_name(int reason)
{
	for (size_t i = 0; i < N_REASONS; i++) {
		if (reasons[i].reason == reason)
			return reasons[i].name;
	}
	return reason == 6 ? "certificateHold" : reason == 8 ? "removeFromCRL" : reasons[0].name;
}

const char *crl_reason_names(void)
{
	return "unspecified, keyCompromise, cACompromise, affiliationChanged, superseded, cessationOfOperation, privilegeWithdrawn, "
	       "aACompromise";
}

/* CRLReason, and the date from which the key is not to be trusted: what else there is is of no interest, unless it is malformed. */
static bool read_entry_extensions(struct bytes in, struct crl_entry *out)
{
	struct extension e;
	struct tlv list, t;

	if (in.n == 0)
		return true;
	if (!der_whole(in, DER_SEQUENCE, &list))
		return false;
	for (int n = 0; n < MAX_EXTENSIONS && extension_next(&list.body, &e); n++) {
		if (der_oid_is(e.oid, OID_CRL_REASON)) {
			if (!der_whole(e.value, DER_ENUMERATED, &t) || t.body.n != 1)
				return false;
			out->reason = t.body.p[0];
		} else if (der_oid_is(e.oid, OID_INVALIDITY_DATE)) {
			if (!der_whole(e.value, DER_GENERALIZED_TIME, &t) || !der_time_read(&t, &out->invalid_since))
				return false;
		}
	}
	return list.body.n == 0;
}

bool crl_entry_next(struct bytes *rest, struct crl_entry *out)
{
	struct crl_entry entry = {0};
	struct bytes in = *rest;
	struct tlv seq, serial, date;

	if (!der_expect(&in, DER_SEQUENCE, &seq) || !der_expect(&seq.body, DER_INTEGER, &serial) || serial.body.n == 0 ||
	    serial.body.n > MAX_SERIAL || !der_next(&seq.body, &date) || !der_time_read(&date, &entry.revoked) ||
	    !read_entry_extensions(seq.body, &entry))
		return false;
	entry.serial = serial.body;
	*rest = in;
	*out = entry;
	return true;
}

static bool read_entries(struct crl *crl, struct bytes *in)
{
	struct crl_entry entry;
	struct tlv list;
	struct bytes rest;

	if (!der_expect(in, DER_SEQUENCE, &list))
		return true;
	crl->entries = rest = list.body;
	while (crl_entry_next(&rest, &entry))
		crl->n_entries++;
	return rest.n == 0;
}

static void read_number(struct crl *crl)
{
	struct extension e;
	struct tlv t, id;

	if (extension_find(crl->extensions, OID_CRL_NUMBER, &e) && der_whole(e.value, DER_INTEGER, &t))
		crl->number = t.body;
	if (extension_find(crl->extensions, OID_AUTHORITY_KEY_ID, &e) && der_whole(e.value, DER_SEQUENCE, &t) &&
	    der_expect(&t.body, DER_CTX_PRIM(0), &id))
		crl->authority_key_id = id.body;
}

static bool read_extensions(struct crl *crl, struct bytes in)
{
	struct extension e;
	struct bytes walk;
	struct tlv t, list;
	int n = 0;

	if (in.n == 0)
		return true;
	if (!der_whole(in, DER_CTX(0), &t) || !der_whole(t.body, DER_SEQUENCE, &list))
		return false;
	walk = list.body;
	while (n < MAX_EXTENSIONS && extension_next(&walk, &e))
		n++;
	if (walk.n != 0)
		return false;
	crl->extensions = list.body;
	read_number(crl);
	return true;
}

/* TBSCertList, its contents: version, signature, issuer, thisUpdate, nextUpdate, revokedCertificates, [0] extensions. */
static bool read_tbs(struct crl *crl, struct bytes in)
{
	struct tlv version, algorithm, issuer, time;

	der_expect(&in, DER_INTEGER, &version);
	if (!der_expect(&in, DER_SEQUENCE, &algorithm) || !der_expect(&in, DER_SEQUENCE, &issuer) || !der_next(&in, &time) ||
	    !der_time_read(&time, &crl->this_update))
		return false;
	crl->issuer = issuer.raw;
	if ((der_expect(&in, DER_UTC_TIME, &time) || der_expect(&in, DER_GENERALIZED_TIME, &time)) &&
	    !der_time_read(&time, &crl->next_update))
		return false;
	return read_entries(crl, &in) && read_extensions(crl, in);
}

enum err crl_parse(struct bytes der, struct crl **out, struct why *why)
{
	struct crl *crl = mem_alloc(sizeof(*crl));
	struct tlv outer, tbs, algorithm, bits;

	buf_add_bytes(&crl->der, der);
	if (!der_whole(buf_bytes(&crl->der), DER_SEQUENCE, &outer) || !der_expect(&outer.body, DER_SEQUENCE, &tbs) ||
	    !der_expect(&outer.body, DER_SEQUENCE, &algorithm) || !der_expect(&outer.body, DER_BIT_STRING, &bits) ||
	    outer.body.n != 0 || bits.body.n == 0 || !read_tbs(crl, tbs.body)) {
		crl_free(crl);
		return fail(why, ERR_SYNTAX, "not an X.509 certificate revocation list");
	}
	crl->tbs = tbs.raw;
	crl->sig_alg = algorithm.raw;
	crl->signature = bytes_cut(bits.body, 1, bits.body.n);
	*out = crl;
	return ERR_OK;
}

void crl_free(struct crl *crl)
{
	if (crl == NULL)
		return;
	buf_free(&crl->der);
	free(crl);
}

/* Leading zeros do not count (P-182). */
static struct bytes magnitude(struct bytes b)
{
	while (b.n > 0 && b.p[0] == 0)
		b = bytes_cut(b, 1, b.n);
	return b;
}

bool crl_lists(const struct crl *crl, struct bytes serial)
{
	struct bytes rest = crl->entries, wanted = magnitude(serial);
	struct crl_entry entry;

	while (crl_entry_next(&rest, &entry)) {
		if (bytes_eq(magnitude(entry.serial), wanted))
			return true;
	}
	return false;
}

enum err crl_verify_by(const struct crl *crl, const struct cert *issuer, struct why *why)
{
	const struct digest_row *digest = NULL;
	enum sig_scheme scheme;
	struct pubkey *pub = NULL;
	enum err err;

	if (!name_eq(crl->issuer, issuer->subject))
		return fail(why, ERR_CERT, "the CRL is by another issuer");
	err = pubkey_import(issuer->spki, &any_sane_key, &pub, why);
	if (err == ERR_OK)
		err = sig_alg_read(crl->sig_alg, &scheme, &digest, why);
	if (err == ERR_OK && scheme != SIG_ED25519 && digest == NULL)
		err = fail(why, ERR_CERT, "the CRL's signature algorithm names no digest");
	if (err == ERR_OK)
		err = pubkey_verify(pub, scheme, digest, crl->tbs, crl->signature, why);
	pubkey_free(pub);
	if (err != ERR_OK && why != NULL)
		why->err = ERR_CERT;
	return err == ERR_OK ? ERR_OK : ERR_CERT;
}

/* RFC 5280, 5.2.4, 5.2.5: what does not is said in a critical extension. */
bool crl_is_complete(const struct crl *crl)
{
	struct bytes rest = crl->extensions;
	struct extension e;

	while (extension_next(&rest, &e)) {
		if (e.critical)
			return false;
	}
	return true;
}
