#include "auth/jws.h"

#include <gnutls/crypto.h>
#include <string.h>

#include "auth/json.h"
#include "base/codec.h"
#include "pki/der.h"

#define LOOKS_MIN 200
#define HEADER_MAX ((size_t)4 << 10)
#define ES256_SIZE 64	/* r and s, 32 octets each */

static const char *const alg_names[] = {[JWS_RS256] = "RS256", [JWS_ES256] = "ES256"};

bool jws_looks_like(struct bytes text)
{
	size_t dots = 0;

	for (size_t i = 0; i < text.n; i++)
		dots += text.p[i] == '.';
	return text.n > LOOKS_MIN && dots == 2;
}

static bool is_base64url(uint8_t c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

/* RFC 4648, section 5: without padding (RFC 7515, 2), or with all of it. No other character, and no bit that means nothing. */
static bool decode(struct bytes segment, struct buf *out)
{
	struct buf standard = {0};
	size_t n = segment.n;
	bool ok = true;

	while (n > 0 && segment.p[n - 1] == '=')
		n--;
	for (size_t i = 0; ok && i < n; i++) {
		ok = is_base64url(segment.p[i]);
		buf_add_byte(&standard, segment.p[i] == '-' ? '+' : segment.p[i] == '_' ? '/' : segment.p[i]);
	}
	for (size_t i = n; i < segment.n || (n == segment.n && standard.n % 4 != 0); i++)
		buf_add_byte(&standard, '=');
	ok = ok && n > 0 && base64_decode(out, buf_bytes(&standard));
	buf_wipe(&standard);
	return ok;
}

static bool split(struct bytes token, struct bytes segment[3])
{
	size_t n = 0, start = 0;

	for (size_t i = 0; i <= token.n; i++) {
		if (i < token.n && token.p[i] != '.')
			continue;
		if (n == 3 || i == start)
			return false;
		segment[n++] = bytes_cut(token, start, i - start);
		start = i + 1;
	}
	return n == 3;
}

static enum err read_alg(struct json_object *header, enum jws_alg *alg, struct why *why)
{
	struct json_object *value;
	const char *name;

	/* RFC 7515, 4.1.11: what is critical, b64 for one, changes the meaning of the rest, and none of it is understood here */
	if (json_object_object_get_ex(header, "crit", NULL))
		return fail(why, ERR_SIGNED_FORM, "the token's header has critical parameters, which are not understood");
	if (!json_object_object_get_ex(header, "alg", &value) || !json_object_is_type(value, json_type_string))
		return fail(why, ERR_SIGNED_SIG, "the token's header names no algorithm; RS256 and ES256 are accepted");
	name = json_object_get_string(value);
	for (size_t i = 0; i < sizeof(alg_names) / sizeof(alg_names[0]); i++) {
		if (strcmp(name, alg_names[i]) == 0) {
			*alg = (enum jws_alg)i;
			return ERR_OK;
		}
	}
	return fail(why, ERR_SIGNED_SIG, "the token is signed with '%.20s'; RS256 and ES256 are accepted", name);
}

static enum err read_header(struct bytes segment, enum jws_alg *alg, struct why *why)
{
	struct json_object *header = NULL;
	struct buf text = {0};
	enum err err;

	if (!decode(segment, &text))
		err = fail(why, ERR_SIGNED_FORM, "the token's header is not base64url");
	else if (text.n > HEADER_MAX)
		err = fail(why, ERR_SIGNED_FORM, "the token's header has %zu octets, at most %zu are accepted", text.n, HEADER_MAX);
	else
		err = json_read(buf_bytes(&text), "the token's header", ERR_SIGNED_FORM, &header, why);
	if (err == ERR_OK)
		err = read_alg(header, alg, why);
	json_object_put(header);
	buf_free(&text);
	return err;
}

/* RFC 7518, 3.4 has r and s side by side; some issuers send what their library gives them, a DER SEQUENCE. */
static enum err ecdsa_as_der(struct buf *signature, struct why *why)
{
	gnutls_datum_t r = {signature->p, ES256_SIZE / 2}, s = {signature->p + ES256_SIZE / 2, ES256_SIZE / 2}, der;
	struct tlv seq;

	if (signature->n != ES256_SIZE)
		return der_whole(buf_bytes(signature), DER_SEQUENCE, &seq) ? ERR_OK :
		    fail(why, ERR_SIGNED_SIG, "the token's ES256 signature is neither 64 octets nor DER");
	if (gnutls_encode_rs_value(&der, &r, &s) < 0)
		return fail(why, ERR_SIGNED_SIG, "the token's ES256 signature cannot be read");
	buf_cut(signature, 0);
	buf_add(signature, der.data, der.size);
	gnutls_free(der.data);
	return ERR_OK;
}

enum err jws_read(struct bytes token, struct jws *out, struct why *why)
{
	struct jws j = {0};
	struct bytes segment[3];
	enum err err;

	if (token.n > JWS_MAX)
		return fail(why, ERR_SIGNED_FORM, "the token has %zu octets, at most %zu are accepted", token.n, JWS_MAX);
	if (!split(token, segment))
		return fail(why, ERR_SIGNED_FORM, "the token is not three segments with a dot between them");
	if ((err = read_header(segment[0], &j.alg, why)) != ERR_OK)
		return err;
	j.signed_part = bytes_cut(token, 0, segment[0].n + 1 + segment[1].n);
	if (!decode(segment[1], &j.payload) || !decode(segment[2], &j.signature))
		err = fail(why, ERR_SIGNED_FORM, "the token's %s is not base64url", j.payload.n == 0 ? "payload" : "signature");
	else if (j.alg == JWS_ES256)
		err = ecdsa_as_der(&j.signature, why);
	if (err == ERR_OK)
		*out = j;
	else
		jws_free(&j);
	return err;
}

void jws_free(struct jws *j)
{
	buf_wipe(&j->payload);
	buf_wipe(&j->signature);
	*j = (struct jws){0};
}
