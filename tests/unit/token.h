/* Tokens for the tests of signed challenges, made with the library's signatures and an encoder of their own. */
#ifndef TESTS_TOKEN_H
#define TESTS_TOKEN_H

#include <gnutls/crypto.h>
#include <stdlib.h>
#include <string.h>

#include "base/codec.h"
#include "base/file.h"
#include "base/mem.h"
#include "pki/key.h"

#define NOW ((time_t)1800000000)
#define HEADER_RS "{\"alg\":\"RS256\",\"typ\":\"JWT\"}"
#define HEADER_ES "{\"alg\":\"ES256\",\"kid\":\"1\",\"jku\":\"http://evil.example\",\"x5c\":[\"AAAA\"]}"

static inline void token_part(struct buf *out, struct bytes in)
{
	struct buf b = {0};

	base64_encode(&b, in);
	for (size_t i = 0; i < b.n && b.p[i] != '='; i++)
		buf_add_byte(out, b.p[i] == '+' ? '-' : b.p[i] == '/' ? '_' : b.p[i]);
	buf_free(&b);
}

/* r and s side by side, of a signature in DER. */
static inline void token_raw(struct buf *signature)
{
	gnutls_datum_t der = {signature->p, (unsigned)signature->n}, r, s;
	uint8_t raw[64] = {0};

	assert_int_equal(gnutls_decode_rs_value(&der, &r, &s), 0);
	for (unsigned i = 0; i < r.size && i < 32; i++)
		raw[31 - i] = r.data[r.size - 1 - i];
	for (unsigned i = 0; i < s.size && i < 32; i++)
		raw[63 - i] = s.data[s.size - 1 - i];
	gnutls_free(r.data);
	gnutls_free(s.data);
	buf_cut(signature, 0);
	buf_add(signature, raw, sizeof(raw));
}

/* Signs `text` (two segments) with the key, as the algorithm of its kind has it; der: ECDSA's signature stays in DER. */
static inline void token_sign(struct buf *text, const struct key *key, bool der)
{
	struct buf signature = {0};

	assert_int_equal(key_sign(key, digest_row(DIGEST_SHA256), buf_bytes(text), &signature, NULL), ERR_OK);
	if (key_kind(key).type == KEY_EC && !der)
		token_raw(&signature);
	buf_add_byte(text, '.');
	token_part(text, buf_bytes(&signature));
	buf_free(&signature);
}

static inline struct buf token_make(const char *header, const char *payload, const struct key *key)
{
	struct buf t = {0};

	token_part(&t, bytes_str(header));
	buf_add_byte(&t, '.');
	token_part(&t, bytes_str(payload));
	token_sign(&t, key, false);
	return t;
}

static inline struct key *token_key(const char *spec)
{
	struct key *key = NULL;

	assert_int_equal(key_generate(spec, &key, NULL), ERR_OK);
	return key;
}

static inline void token_write_file(const char *path, const struct buf *text)
{
	assert_int_equal(file_write(path, buf_bytes(text), 0644, true, NULL), ERR_OK);
}

#endif
