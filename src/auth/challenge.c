#include "auth/challenge.h"

#include <stdlib.h>
#include <string.h>

#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>

#include "base/file.h"
#include "base/mem.h"
#include "pki/alg.h"

#define SECRET_MIN 8		/* octets; shorter ones are guessed over the network */
#define SECRETS_MAX 1000	/* every request compares with all of them */
#define DIGEST_SIZE 32
#define RANDOM_SIZE 20		/* 160 bits: 32 characters without padding */

struct secrets {
	uint8_t (*digests)[DIGEST_SIZE];
	size_t n;
};

static void digest_secret(struct bytes secret, uint8_t out[DIGEST_SIZE])
{
	uint8_t full[64];

	digest_of(digest_row(DIGEST_SHA256), secret, full);
	memcpy(out, full, DIGEST_SIZE);
	mem_wipe(full, sizeof(full));
}

/* Takes the next line off `rest`, without its LF or CR LF: editors on Windows add the CR, and nobody can see it. */
static bool next_line(struct bytes *rest, struct bytes *line)
{
	const uint8_t *lf;
	size_t n;

	if (rest->n == 0)
		return false;
	lf = memchr(rest->p, '\n', rest->n);
	n = lf == NULL ? rest->n : (size_t)(lf - rest->p);
	*line = bytes_cut(*rest, 0, n);
	*rest = bytes_cut(*rest, lf == NULL ? n : n + 1, rest->n);
	if (line->n > 0 && line->p[line->n - 1] == '\r')
		line->n--;
	return true;
}

static bool is_blank(struct bytes line)
{
	size_t i;

	for (i = 0; i < line.n; i++) {
		if (line.p[i] != ' ' && line.p[i] != '\t')
			return false;
	}
	return true;
}

static enum err secrets_add(struct secrets *s, struct bytes line, struct why *why)
{
	if (line.n >= 3 && memcmp(line.p, "\xef\xbb\xbf", 3) == 0)
		return fail(why, ERR_CONFIG, "begins with a byte order mark, which nobody would send: save the file as UTF-8 without one");
	if (line.n < SECRET_MIN)
		return fail(why, ERR_CONFIG, "a secret of %zu octets is too short: make every line at least %d long", line.n,
		    SECRET_MIN);
	if (s->n == SECRETS_MAX)
		return fail(why, ERR_CONFIG, "more than %d secrets: use one-time challenges instead", SECRETS_MAX);
	s->digests = mem_resize(s->digests, (s->n + 1) * DIGEST_SIZE);
	digest_secret(line, s->digests[s->n++]);
	return ERR_OK;
}

static enum err secrets_parse(struct bytes text, struct secrets *s, struct why *why)
{
	struct bytes rest = text, line;
	size_t number = 0;

	while (next_line(&rest, &line)) {
		number++;
		if (is_blank(line) || line.p[0] == '#')
			continue;
		if (secrets_add(s, line, why) != ERR_OK) {
			fail_in(why, "line %zu", number);
			return ERR_CONFIG;
		}
	}
	if (s->n == 0)
		return fail(why, ERR_CONFIG, "holds no secret: write one of at least %d characters on a line", SECRET_MIN);
	return ERR_OK;
}

enum err secrets_read(const char *path, struct secrets **out, struct why *why)
{
	struct secrets *s;
	struct buf text = {0};
	enum err err = file_read_secret(path, &text, why);

	if (err != ERR_OK)
		return err;
	s = mem_alloc(sizeof(*s));
	err = secrets_parse(buf_bytes(&text), s, why);
	buf_wipe(&text);
	if (err != ERR_OK) {
		secrets_free(s);
		fail_in(why, "%s", path);
		return err;
	}
	*out = s;
	return ERR_OK;
}

void secrets_free(struct secrets *s)
{
	if (s == NULL)
		return;
	mem_wipe(s->digests, s->n * DIGEST_SIZE);
	free(s->digests);
	free(s);
}

/* Digests are compared, so that neither a secret's length nor its first wrong octet shows in the time taken (P-104). */
bool secrets_match(const struct secrets *s, struct bytes challenge)
{
	uint8_t digest[DIGEST_SIZE];
	unsigned found = 0;
	size_t i;

	if (s == NULL)
		return false;
	digest_secret(challenge, digest);
	for (i = 0; i < s->n; i++)
		found |= gnutls_memcmp(s->digests[i], digest, DIGEST_SIZE) == 0;
	mem_wipe(digest, sizeof(digest));
	return found != 0;
}

/* RFC 4648, section 6, in lower case: survives being read aloud and typed, and needs no quoting anywhere. */
enum err challenge_generate(struct buf *out, struct why *why)
{
	static const char alphabet[] = "abcdefghijklmnopqrstuvwxyz234567";
	uint8_t random[RANDOM_SIZE];
	unsigned window = 0, bits = 0;
	size_t i;

	if (gnutls_rnd(GNUTLS_RND_KEY, random, sizeof(random)) < 0)
		return fail(why, ERR_INTERNAL, "the system's random number generator does not answer");
	for (i = 0; i < sizeof(random); i++) {
		window = (window << 8 | random[i]) & 0xfff;
		for (bits += 8; bits >= 5; bits -= 5)
			buf_add_byte(out, (uint8_t)alphabet[window >> (bits - 5) & 31]);
	}
	mem_wipe(random, sizeof(random));
	return ERR_OK;
}
