#include <stdlib.h>

#include <gnutls/crypto.h>
#include <gnutls/x509.h>

#include "admin/client_msg.h"
#include "base/codec.h"

#define DAY 86400

static void random_octets(uint8_t *out, size_t n)
{
	if (gnutls_rnd(GNUTLS_RND_RANDOM, out, n) != 0)
		abort();	/* without randomness nothing that follows is worth anything */
}

/* Valid from yesterday on: the server's clock may be behind ours. */
enum err client_cert_make(const struct key *key, struct bytes subject, time_t now, struct cert **out, struct why *why)
{
	struct cert_spec spec = {.issuer = subject, .subject = subject, .not_before = now - DAY, .not_after = now + 30 * DAY,
	    .spki = key_spki(key), .path_len = -1, .key_usage = GNUTLS_KEY_DIGITAL_SIGNATURE, .digest = digest_row(DIGEST_SHA256)};
	uint8_t serial[16];
	struct buf der = {0};
	enum err err;

	if (key_kind(key).type == KEY_RSA)
		spec.key_usage |= GNUTLS_KEY_KEY_ENCIPHERMENT;
	random_octets(serial, sizeof(serial));
	serial[0] = (serial[0] & 0x7f) | 0x40;
	spec.serial = bytes_of(serial, sizeof(serial));
	err = cert_build(&spec, key, &der, why);
	if (err == ERR_OK)
		err = cert_parse(buf_bytes(&der), out, why);
	buf_free(&der);
	return err;
}

void client_txid_make(struct client_request *req)
{
	uint8_t octets[CLIENT_TXID_SIZE / 2];
	struct buf hex = {0};

	random_octets(octets, sizeof(octets));
	hex_encode(&hex, bytes_of(octets, sizeof(octets)));
	for (size_t i = 0; i < hex.n; i++)
		req->txid[i] = (char)hex.p[i];
	req->txid[hex.n] = '\0';
	buf_free(&hex);
}

enum err client_request_write(enum scep_type type, const struct client_ca *ca, const struct client_id *me,
    const struct client_algs *algs, struct bytes plain, struct client_request *req, struct why *why)
{
	struct scep_request spec = {.type = type, .txid = bytes_str(req->txid), .nonce = req->nonce, .plain = plain,
	    .to = ca->encrypt, .by = {me->cert, me->key}, .digest = algs->digest, .cipher = algs->cipher};

	buf_free(&req->message);
	random_octets(req->nonce, sizeof(req->nonce));
	return scep_request_write(&spec, &req->message, why);
}
