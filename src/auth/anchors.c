#include "auth/anchors.h"

#include <stdlib.h>
#include <string.h>

#include "base/codec.h"
#include "base/file.h"
#include "base/mem.h"
#include "conf/date.h"
#include "pki/cert.h"

#define SOON_S (14 * 86400)

struct anchor {
	struct pubkey *key;
	uint8_t id[ANCHOR_ID_SIZE];
	bool dated;	/* a certificate: trusted from `from` until `to`, both inclusive */
	time_t from, to;
};

struct anchors {
	unsigned holders;
	size_t n;
	struct anchor list[ANCHORS_MAX];
};

/* What may stand in a bundle, and what may not but is worth a word. */
static const char *const labels[] = {"CERTIFICATE", "X509 CERTIFICATE", "PUBLIC KEY", "RSA PUBLIC KEY", "PRIVATE KEY", "RSA PRIVATE KEY",
    "EC PRIVATE KEY", "ENCRYPTED PRIVATE KEY", NULL};

static enum err check_key(const struct pubkey *key, struct why *why)
{
	struct key_kind kind = pubkey_kind(key);

	if (kind.type == KEY_RSA || (kind.type == KEY_EC && kind.curve == GNUTLS_ECC_CURVE_SECP256R1))
		return ERR_OK;
	return fail(why, ERR_CERT, "a key that can sign neither RS256 nor ES256: RSA and EC on P-256 can");
}

/* The same for a certificate and for the bare key in it. */
static void make_id(struct bytes spki, uint8_t id[ANCHOR_ID_SIZE])
{
	uint8_t digest[64];

	digest_of(digest_row(DIGEST_SHA256), spki, digest);
	memcpy(id, digest, ANCHOR_ID_SIZE);
}

static enum err add_key(struct anchors *a, struct bytes spki, const struct cert *cert, struct why *why)
{
	static const struct key_limits limits = {.min_rsa = 2048, .max_rsa = 16384};	/* RFC 7518, 3.3 */
	struct anchor anchor = {.dated = cert != NULL};
	enum err err;

	if (a->n == ANCHORS_MAX)
		return fail(why, ERR_CERT, "more than %d anchors", ANCHORS_MAX);
	if (cert != NULL && !cert->times_ok)
		return fail(why, ERR_CERT, "the certificate's dates cannot be read");
	if ((err = pubkey_import(spki, &limits, &anchor.key, why)) != ERR_OK)
		return err;
	if ((err = check_key(anchor.key, why)) != ERR_OK) {
		pubkey_free(anchor.key);
		return err;
	}
	make_id(spki, anchor.id);
	if (cert != NULL) {
		anchor.from = cert->not_before;
		anchor.to = cert->not_after;
	}
	a->list[a->n++] = anchor;
	return ERR_OK;
}

static enum err add_block(struct anchors *a, const char *label, struct bytes der, struct why *why)
{
	struct cert *cert = NULL;
	enum err err;

	if (strstr(label, "PRIVATE") != NULL)
		return fail(why, ERR_CERT, "a private key, which belongs to the issuer alone; put its certificate or public key here");
	if (strcmp(label, "RSA PUBLIC KEY") == 0)
		return fail(why, ERR_CERT, "a key in PKCS#1 form; make a PUBLIC KEY of it: openssl rsa -RSAPublicKey_in -pubout");
	if (strcmp(label, "PUBLIC KEY") == 0)
		return add_key(a, der, NULL, why);
	if ((err = cert_parse(der, &cert, why)) == ERR_OK)
		err = add_key(a, cert->spki, cert, why);
	cert_free(cert);
	return err;
}

static bool is_valid(const struct anchor *a, time_t now)
{
	return !a->dated || (a->from <= now && now <= a->to);
}

static size_t n_valid(const struct anchors *a, time_t now)
{
	size_t n = 0;

	for (size_t i = 0; i < a->n; i++)
		n += is_valid(&a->list[i], now);
	return n;
}

static size_t n_blocks(struct bytes text)
{
	static const char begin[] = "-----BEGIN ";
	const uint8_t *at;
	size_t n = 0;

	while (text.n > 0 && (at = memmem(text.p, text.n, begin, strlen(begin))) != NULL) {
		text = bytes_cut(text, (size_t)(at - text.p) + 1, text.n);
		n++;
	}
	return n;
}

/* Nothing is passed over: an anchor that the operator believes to be there would be missing. */
static enum err parse(struct anchors *a, struct bytes text, struct why *why)
{
	struct bytes rest = text;
	struct buf der = {0};
	const char *label;
	enum err err = ERR_OK;

	while (err == ERR_OK && pem_next(&rest, labels, &der, &label)) {
		err = add_block(a, label, buf_bytes(&der), why);
		buf_wipe(&der);
	}
	if (err != ERR_OK)
		return fail_in(why, "PEM block %zu", a->n + 1);
	if (n_blocks(text) != a->n)
		return fail(why, ERR_CERT, "%zu of %zu PEM blocks are damaged, or neither certificates nor public keys", n_blocks(text) - a->n,
		    n_blocks(text));
	return a->n > 0 ? ERR_OK : fail(why, ERR_CERT, "holds no certificate and no public key in PEM");
}

enum err anchors_read(const char *path, time_t now, struct anchors **out, struct why *why)
{
	struct anchors *a;
	struct buf text = {0};
	enum err err = file_read(path, &text, why);

	if (err != ERR_OK)
		return err;
	a = mem_alloc(sizeof(*a));
	a->holders = 1;
	err = parse(a, buf_bytes(&text), why);
	if (err == ERR_OK && n_valid(a, now) == 0)
		err = fail(why, ERR_CERT, "no certificate in it is valid now; ask the issuer for its present one");
	buf_free(&text);
	if (err != ERR_OK) {
		anchors_free(a);
		fail_in(why, "'%s'", path);
		if (why != NULL)
			why->err = ERR_CERT;
		return ERR_CERT;
	}
	*out = a;
	return ERR_OK;
}

struct anchors *anchors_share(struct anchors *a)
{
	a->holders++;
	return a;
}

void anchors_free(struct anchors *a)
{
	if (a == NULL || --a->holders > 0)
		return;
	for (size_t i = 0; i < a->n; i++)
		pubkey_free(a->list[i].key);
	free(a);
}

void anchors_warn(const struct anchors *a, const char *where, time_t now, struct problems *problems)
{
	char date[DATE_SIZE];

	for (size_t i = 0; i < a->n; i++) {
		const struct anchor *anchor = &a->list[i];

		if (!anchor->dated)
			continue;
		date_print(now < anchor->from ? anchor->from : anchor->to, date);
		if (now < anchor->from)
			problem_add(problems, PROBLEM_WARNING, where, "certificate %zu is not valid before %s", i + 1, date);
		else if (now > anchor->to)
			problem_add(problems, PROBLEM_WARNING, where, "certificate %zu expired on %s: it is not trusted any more", i + 1, date);
		else if (anchor->to - now < SOON_S)
			problem_add(problems, PROBLEM_WARNING, where, "certificate %zu expires soon, on %s", i + 1, date);
	}
}

enum err anchors_verify(const struct anchors *a, const struct jws *token, time_t now, uint8_t id[ANCHOR_ID_SIZE], struct why *why)
{
	bool rsa = token->alg == JWS_RS256;
	size_t tried = 0;

	for (size_t i = 0; i < a->n; i++) {
		const struct anchor *anchor = &a->list[i];

		if (!is_valid(anchor, now) || (pubkey_kind(anchor->key).type == KEY_RSA) != rsa)
			continue;
		tried++;
		if (pubkey_verify(anchor->key, rsa ? SIG_RSA_PKCS1 : SIG_ECDSA, digest_row(DIGEST_SHA256), token->signed_part,
			buf_bytes(&token->signature), NULL) == ERR_OK) {
			memcpy(id, anchor->id, ANCHOR_ID_SIZE);
			return ERR_OK;
		}
	}
	if (tried == 0)
		return fail(why, ERR_SIGNED_SIG, "no trust anchor with %s key is valid now (%zu of %zu are, of any kind)",
		    rsa ? "an RSA" : "an EC", n_valid(a, now), a->n);
	return fail(why, ERR_SIGNED_SIG, "the token's signature fits none of the trust anchors: %zu with %s key tried, %zu of %zu are out of date",
	    tried, rsa ? "an RSA" : "an EC", a->n - n_valid(a, now), a->n);
}
