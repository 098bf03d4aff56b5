#include "pki/token.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#include <gnutls/pkcs11.h>

#include "base/codec.h"
#include "base/file.h"
#include "base/mem.h"

#define TURN_NS 5000000
#define TURN_TRIES 2000		/* ten seconds */

struct token_key {
	char *pin;		/* NULL: none was configured */
	bool asked;		/* the token wanted a PIN */
	bool refused;		/* the PIN was wrong, or was not tried because one failure more would lock the token */
};

/* The value of a URI attribute, decoded; NULL when it is not there. The caller wipes and frees. */
static char *uri_attribute(const char *uri, const char *name)
{
	size_t n = strlen(name);
	struct buf value = {0};

	for (const char *p = strpbrk(uri, ":;?&"); p != NULL; p = strpbrk(p, ";?&")) {
		p++;
		if (strncmp(p, name, n) != 0 || p[n] != '=')
			continue;
		p += n + 1;
		if (!percent_decode(&value, bytes_of(p, strcspn(p, ";?&"))))
			return NULL;
		return buf_take_str(&value);
	}
	return NULL;
}

/* The URI for a sentence: everything after '?' may hold the PIN. */
static int shown(const char *uri)
{
	return (int)strcspn(uri, "?");
}

/*
 * The library is told once, before its first use, whether it loads every module that p11-kit knows (twice as slow and some MB more of
 * memory) or only those that URIs name. Started the second way it does not change its mind, and says nothing; so we do.
 */
static enum err load_module(const char *uri, struct why *why)
{
	static enum { NOT_YET, NAMED_ONLY, ALL } loaded;
	char *path = uri_attribute(uri, "module-path");
	enum err err = ERR_OK;
	int rc = 0;

	if (loaded == NOT_YET) {
		rc = gnutls_pkcs11_init(path != NULL ? GNUTLS_PKCS11_FLAG_MANUAL : GNUTLS_PKCS11_FLAG_AUTO, NULL);
		loaded = path != NULL ? NAMED_ONLY : ALL;
	}
	if (rc == 0 && path != NULL)
		rc = gnutls_pkcs11_add_provider(path, NULL);
	if (rc != 0)
		err = fail(why, ERR_KEY, "cannot load the PKCS#11 module '%s': %s",
		    path != NULL ? path : "(those of p11-kit)", gnutls_strerror(rc));
	else if (path == NULL && loaded == NAMED_ONLY)
		err = fail(why, ERR_KEY, "'%.*s' has no module-path, but another key has: give all of them one, or none",
		    shown(uri), uri);
	free(path);
	return err;
}

/*
 * Gives the PIN once. The library would ask until the token locks itself; and a worker that is started again and again must
 * not do so either, so the last try is left to a human.
 */
static int give_pin(void *userdata, int attempt, const char *url, const char *label, unsigned flags, char *pin, size_t size)
{
	struct token_key *token = userdata;
	size_t n = token->pin == NULL ? 0 : strlen(token->pin);

	(void)url;
	(void)label;
	token->asked = true;
	if (attempt > 0 || (flags & (GNUTLS_PIN_WRONG | GNUTLS_PIN_FINAL_TRY)) != 0)
		token->refused = true;
	if (token->pin == NULL || token->refused || n >= size)
		return GNUTLS_E_PKCS11_PIN_ERROR;
	memcpy(pin, token->pin, n + 1);
	return 0;
}

static enum err read_pin(const char *pin_file, char **pin, struct why *why)
{
	struct buf text = {0};
	enum err err = file_read_secret(pin_file, &text, why);

	if (err != ERR_OK)
		return err;
	text.n = strcspn((char *)text.p, "\r\n");
	if (text.n == 0)
		err = fail(why, ERR_FILE, "PIN file '%s' has an empty first line", pin_file);
	else
		*pin = mem_strndup((char *)text.p, text.n);
	buf_wipe(&text);
	return err;
}

/*
 * One process after the other logs in: SoftHSM2 writes its token anew at every login, and whoever looks meanwhile finds none (of four
 * workers that started at once a third). The PIN file is what they have in common. Released by close. A process that hangs there holds
 * nobody up for ever. -1: no PIN, and nobody to wait for.
 */
static int wait_for_turn(const char *pin_file)
{
	int fd = pin_file == NULL ? -1 : open(pin_file, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	for (int tries = 0; fd >= 0 && tries < TURN_TRIES && flock(fd, LOCK_EX | LOCK_NB) != 0; tries++)
		nanosleep(&(struct timespec){.tv_nsec = TURN_NS}, NULL);
	return fd;
}

/* What a failure to open means for whoever wrote the URI. */
static enum err explain(const char *uri, const struct token_key *token, int rc, struct why *why)
{
	unsigned flags;
	int n = shown(uri);

	if (rc == GNUTLS_E_PARSING_ERROR)
		return fail(why, ERR_KEY, "'%.*s' is not a PKCS#11 URI (RFC 7512)", n, uri);
	/* of all the library's questions about a token, only this one really looks for it */
	if (gnutls_pkcs11_token_get_flags(uri, &flags) != 0)
		return fail(why, ERR_KEY, "no token matches '%.*s': compare with p11tool --list-tokens", n, uri);
	if (rc == GNUTLS_E_PKCS11_PIN_LOCKED || rc == GNUTLS_E_PKCS11_PIN_EXPIRED)
		return fail(why, ERR_KEY, "the PIN of the token of '%.*s' is locked or has expired: its security officer has to set a "
		    "new one", n, uri);
	if (token->refused)
		return fail(why, ERR_KEY, "the PIN for '%.*s' is wrong, or one more wrong one would lock the token; it is the first line of "
		    "pin_file", n, uri);
	if (token->asked && token->pin == NULL)
		return fail(why, ERR_KEY, "the token of '%.*s' wants a PIN: set pin_file", n, uri);
	if (rc == GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE || rc == GNUTLS_E_PKCS11_REQUESTED_OBJECT_NOT_AVAILBLE)
		return fail(why, ERR_KEY, "the token has no private key that '%.*s' names%s", n, uri,
		    token->asked ? "" : ", or shows it only after a PIN (pin_file)");
	return fail(why, ERR_KEY, "cannot open '%.*s': %s", n, uri, gnutls_strerror(rc));
}

enum err token_open(const char *uri, const char *pin_file, gnutls_privkey_t *handle, struct token_key **out, struct why *why)
{
	struct token_key *token = mem_alloc(sizeof(*token));
	gnutls_privkey_t h = NULL;
	enum err err;
	int rc, turn = wait_for_turn(pin_file);

	if ((err = load_module(uri, why)) != ERR_OK || (pin_file != NULL && (err = read_pin(pin_file, &token->pin, why)) != ERR_OK))
		goto out;
	rc = gnutls_privkey_init(&h);
	if (rc == 0) {
		gnutls_privkey_set_pin_function(h, give_pin, token);
		rc = gnutls_privkey_import_url(h, uri, 0);
	}
	if (rc != 0)
		err = explain(uri, token, rc, why);
out:
	if (turn >= 0)
		close(turn);
	if (err != ERR_OK) {
		gnutls_privkey_deinit(h);
		token_free(token);
		return err;
	}
	*handle = h;
	*out = token;
	return ERR_OK;
}

void token_free(struct token_key *token)
{
	if (token == NULL)
		return;
	mem_wipe_free(token->pin);
	free(token);
}
