/* A client's half of the conversation: its self-signed certificate, its requests, and what it believes of the answers. */
#ifndef ADMIN_CLIENT_MSG_H
#define ADMIN_CLIENT_MSG_H

#include "admin/client_ca.h"
#include "scep/msg.h"

#define CLIENT_TXID_SIZE 32	/* hexadecimal digits that we make; a user's own may have SCEP_TXID_MAX characters */

/* Who asks: the key, and the self-signed certificate that carries it (RFC 8894, section 2.3). */
struct client_id {
	const struct key *key;
	struct cert *cert;
	struct bytes password;		/* the challenge: what the answer is sealed with when the key cannot decrypt; n == 0: none */
};

/* A self-signed certificate around `key`. Error: CA_KEY. */
enum err client_cert_make(const struct key *key, struct bytes subject, time_t now, struct cert **out, struct why *why);

struct client_request {
	char txid[SCEP_TXID_MAX + 1];
	uint8_t nonce[SCEP_NONCE_SIZE];
	struct buf message;		/* the pkiMessage; owned */
};

/* A new transaction id. */
void client_txid_make(struct client_request *req);

/* Writes the message for `plain` under req->txid with a fresh nonce, replacing the one before. Errors: ALG, CA_KEY, ... */
enum err client_request_write(enum scep_type type, const struct client_ca *ca, const struct client_id *me,
    const struct client_algs *algs, struct bytes plain, struct client_request *req, struct why *why);

struct client_answer {
	enum scep_status status;
	int fail_info;			/* with FAILURE */
	struct buf fail_text;		/* printable; may be empty */
	struct cert *cert;		/* with SUCCESS */
};

/*
 * Reads the server's answer to `req` and believes nothing unchecked: signed by the server's RA or CA, this transaction and nonce,
 * a certificate for our key that chains to the anchor. Error: REMOTE.
 */
enum err client_answer_read(struct bytes body, const struct client_ca *ca, const struct client_id *me,
    const struct client_request *req, struct client_answer *out, struct why *why);
void client_answer_free(struct client_answer *answer);

/* Error REMOTE with a sentence for a FAILURE answer: what the failInfo means and what may help. */
enum err client_refused(const struct client_answer *answer, struct why *why);

#endif
