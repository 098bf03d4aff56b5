#include "store/store.h"

#include <gnutls/crypto.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "store/internal.h"

#define SERIAL_EPOCH INT64_C(1577836800)	/* 2020-01-01: the prefix stays below 2^31, the serial positive, until 2088 */

struct store *store_open(const struct store_conf *conf)
{
	struct store *s = mem_alloc(sizeof(*s));

	s->conn = conn_new(conf->conninfo, conf->application);
	s->timeout_ms = conf->timeout_ms;
	buf_add_bytes(&s->pepper, conf->pepper);
	return s;
}

void store_close(struct store *s)
{
	if (s == NULL)
		return;
	conn_free(s->conn);
	buf_wipe(&s->pepper);
	free(s);
}

enum err store_call(struct store *s, struct call *call, PGresult **out, struct why *why)
{
	enum err err = conn_call(s->conn, call, s->timeout_ms, out, why);

	call_free(call);
	return err;
}

enum err store_need_pepper(const struct store *s, struct why *why)
{
	if (s->pepper.n < STORE_PEPPER_MIN)
		return fail(why, ERR_CONFIG, "the pepper has %zu octets, at least %d are needed: make pepper_file of scepter.ini [database] "
		    "with 'openssl rand -hex 32'", s->pepper.n, STORE_PEPPER_MIN);
	return ERR_OK;
}

void store_digest_parts(const struct store *s, const char *label, const struct bytes *parts, size_t n, uint8_t out[STORE_DIGEST_SIZE])
{
	uint8_t mac[32], length[8];
	gnutls_hmac_hd_t h;
	size_t i, k;
	bool ok;

	/* Fails only without memory, or when the library is not usable at all. */
	if (gnutls_hmac_init(&h, GNUTLS_MAC_SHA256, s->pepper.p, s->pepper.n) < 0)
		abort();
	ok = gnutls_hmac(h, label, strlen(label) + 1) == 0;
	for (i = 0; i < n; i++) {
		for (k = 0; k < sizeof(length); k++)
			length[k] = (uint8_t)((uint64_t)parts[i].n >> (56 - 8 * k));
		ok = ok && gnutls_hmac(h, length, sizeof(length)) == 0 && gnutls_hmac(h, parts[i].p, parts[i].n) == 0;
	}
	if (!ok)	/* a digest of less would be the same for different values */
		abort();
	gnutls_hmac_deinit(h, mac);
	memcpy(out, mac, STORE_DIGEST_SIZE);
}

void store_digest(const struct store *s, const char *label, struct bytes value, uint8_t out[STORE_DIGEST_SIZE])
{
	store_digest_parts(s, label, &value, 1, out);
}

enum err store_serial(time_t now, uint8_t out[STORE_SERIAL_SIZE], struct why *why)
{
	uint8_t serial[STORE_SERIAL_SIZE];
	int64_t prefix = (int64_t)now - SERIAL_EPOCH;
	int i;

	if (prefix < 1 << 24 || prefix > INT32_MAX)
		return fail(why, ERR_INTERNAL, "the clock is wrong: %lld seconds since 1970", (long long)now);
	for (i = 3; i >= 0; i--) {
		serial[i] = (uint8_t)prefix;
		prefix >>= 8;
	}
	if (gnutls_rnd(GNUTLS_RND_RANDOM, serial + 4, sizeof(serial) - 4) < 0)
		return fail(why, ERR_INTERNAL, "no random numbers");
	memcpy(out, serial, sizeof(serial));
	return ERR_OK;
}
