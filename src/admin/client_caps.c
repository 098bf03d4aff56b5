#include <strings.h>

#include "admin/client_ca.h"

static const struct {
	const char *word;
	unsigned caps;
} keywords[] = {
    {"AES", CAP_AES},
    {"DES3", CAP_DES3},
    {"SHA-1", CAP_SHA1},
    {"SHA-256", CAP_SHA256},
    {"SHA-384", CAP_SHA384},
    {"SHA-512", CAP_SHA512},
    {"POSTPKIOperation", CAP_POST},
    {"Renewal", CAP_RENEWAL},
    {"GetNextCACert", CAP_NEXT_CA},
    {"SCEPStandard", CAP_STANDARD | CAP_AES | CAP_SHA256 | CAP_POST},
};

static unsigned keyword(struct bytes line)
{
	while (line.n > 0 && (line.p[line.n - 1] == '\r' || line.p[line.n - 1] == ' '))
		line.n--;
	for (size_t i = 0; i < sizeof(keywords) / sizeof(keywords[0]); i++) {
		struct bytes word = bytes_str(keywords[i].word);

		if (line.n == word.n && strncasecmp((const char *)line.p, keywords[i].word, word.n) == 0)
			return keywords[i].caps;
	}
	return 0;
}

unsigned client_caps_read(struct bytes body)
{
	unsigned caps = 0;
	size_t start = 0;

	for (size_t i = 0; i <= body.n; i++) {
		if (i < body.n && body.p[i] != '\n')
			continue;
		caps |= keyword(bytes_cut(body, start, i - start));
		start = i + 1;
	}
	return caps;
}

static enum err choose_digest(unsigned caps, const char *wish, const struct digest_row **out, struct why *why)
{
	static const struct {
		unsigned cap;
		enum digest id;
	} order[] = {{CAP_SHA256, DIGEST_SHA256}, {CAP_SHA512, DIGEST_SHA512}, {CAP_SHA384, DIGEST_SHA384}, {CAP_SHA1, DIGEST_SHA1}};

	if (wish != NULL) {
		*out = digest_by_name(wish);
		if (*out == NULL)
			return fail(why, ERR_CONFIG, "'%s' is not a digest: SHA-256, SHA-384, SHA-512 or SHA-1", wish);
		return ERR_OK;
	}
	for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++) {
		if ((caps & order[i].cap) != 0) {
			*out = digest_row(order[i].id);
			return ERR_OK;
		}
	}
	return fail(why, ERR_REMOTE, "GetCACaps: the server announces none of SHA-256, SHA-384, SHA-512 and SHA-1; if you know "
	    "that it takes one, name it with --digest");
}

static enum err choose_cipher(unsigned caps, const char *wish, const struct cipher_row **out, struct why *why)
{
	if (wish != NULL) {
		*out = cipher_by_name(wish);
		if (*out == NULL)
			return fail(why, ERR_CONFIG, "'%s' is not a cipher: aes128, aes192, aes256 or des3", wish);
		return ERR_OK;
	}
	if ((caps & (CAP_AES | CAP_DES3)) == 0)
		return fail(why, ERR_REMOTE, "GetCACaps: the server announces neither AES nor DES3; if you know that it takes one, "
		    "name it with --cipher");
	*out = cipher_row((caps & CAP_AES) != 0 ? CIPHER_AES128 : CIPHER_DES3);
	return ERR_OK;
}

enum err client_algs_choose(unsigned caps, const char *digest, const char *cipher, struct client_algs *out, struct why *why)
{
	struct client_algs algs = {0};
	enum err err;

	if ((err = choose_digest(caps, digest, &algs.digest, why)) != ERR_OK ||
	    (err = choose_cipher(caps, cipher, &algs.cipher, why)) != ERR_OK)
		return err;
	*out = algs;
	return ERR_OK;
}
