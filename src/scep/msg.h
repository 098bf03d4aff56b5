/*
 * pkiMessages (RFC 8894, section 3), both directions: pure protocol. No files, no clock, no database; time, nonces and keys are
 * arguments. A request is opened (structure and attributes), verified (signature), then unsealed (decrypted).
 */
#ifndef SCEP_MSG_H
#define SCEP_MSG_H

#include "pki/cms.h"
#include "pki/csr.h"

#define SCEP_NONCE_SIZE 16
#define SCEP_NONCE_MAX 64
#define SCEP_TXID_MAX 255

enum scep_type { SCEP_CERTREP = 3, SCEP_RENEWALREQ = 17, SCEP_PKCSREQ = 19, SCEP_CERTPOLL = 20, SCEP_GETCERT = 21, SCEP_GETCRL = 22 };
enum scep_status { SCEP_SUCCESS = 0, SCEP_FAILURE = 2, SCEP_PENDING = 3 };

const char *scep_type_name(int type);		/* "PKCSReq"; "unknown" for others */
const char *scep_fail_info_name(int fail_info);	/* "badRequest" */

/* A pkiMessage as read; everything is a view into `cms` or owned. Immutable once opened. */
struct scep_msg {
	struct cms_signed *cms;
	int type;			/* messageType; any number */
	struct bytes txid;		/* transactionID contents */
	uint8_t txid_tag;		/* its string type, echoed */
	struct bytes sender_nonce, recipient_nonce;	/* n == 0: not there */
	int status;			/* pkiStatus, -1: not there */
	int fail_info;			/* -1: not there */
	struct bytes fail_info_text;
	bool random_nonce;		/* cryptlib's attribute (P-198) */
	struct cert *signer;		/* NULL: none of the certificates is; scep_verify fails then */
	struct pubkey *signer_key;	/* NULL until scep_verify */
	struct cms_enveloped *envelope;	/* NULL until scep_unseal, or when there is none */
};

/*
 * Reads a message's structure and attributes. Errors, answered by HTTP only (P-106): SYNTAX, ATTRIBUTE (mandatory one missing,
 * twice, wrong type or size: P-60 to P-69), NO_SIGNER (no SignerInfo, or no certificate at all). After success a CertRep can answer.
 */
enum err scep_open(struct bytes body, struct scep_msg **out, struct why *why);
void scep_msg_free(struct scep_msg *msg);	/* NULL is allowed */

/* The signer's certificate is there, its key within limits, the digest allowed, the signature right. Errors: KEY_WEAK, ALG, MSG_CHECK. */
enum err scep_verify(struct scep_msg *msg, const struct key_limits *limits, const struct alg_set *algs, struct why *why);

/* A key pair that may open envelopes: a profile has one or several (overlap at a roll-over). */
struct scep_recipient {
	const struct cert *cert;
	const struct key *key;
};

/* Which of `to` the message is encrypted to, without decrypting: the first of its recipients that is one of ours (P-49). False: none. */
bool scep_addressee(const struct scep_msg *msg, const struct scep_recipient *to, size_t n_to, size_t *at);

/*
 * Decrypts the message data with whichever of `to` it names. Errors: SYNTAX-like ones come as UNSEAL; RECIPIENT, ALG, UNSEAL,
 * CA_KEY. plain is wiped by the caller.
 */
enum err scep_unseal(struct scep_msg *msg, const struct scep_recipient *to, size_t n_to, const struct alg_set *algs,
    struct buf *plain, struct why *why);

/* The same with a password, for a CertRep to a key that cannot decrypt. */
enum err scep_unseal_password(struct scep_msg *msg, struct bytes password, const struct alg_set *algs, struct buf *plain,
    struct why *why);

/* IssuerAndSubject of a CertPoll: both Name TLVs, views into `plain`. Error: UNSEAL. */
enum err scep_issuer_and_subject(struct bytes plain, struct bytes *issuer, struct bytes *subject, struct why *why);

/* IssuerAndSerialNumber of a GetCert or GetCRL: the Name TLV, the INTEGER's content octets. Error: UNSEAL. */
enum err scep_issuer_and_serial(struct bytes plain, struct bytes *issuer, struct bytes *serial, struct why *why);

/* --- writing ----------------------------------------------------------------------------------------------------- */

struct scep_reply {
	enum scep_status status;
	enum fail_info fail_info;	/* with FAILURE */
	const char *fail_text;		/* failInfoText, or NULL */
	const struct bytes *certs;	/* with SUCCESS: DER, the issued one first */
	size_t n_certs;
	struct bytes password;		/* with SUCCESS to a key that cannot decrypt: the challenge (RFC 8894, 3.1); n == 0: none */
	struct bytes crl;		/* with SUCCESS to a GetCRL: DER, instead of certificates */
	bool empty_content;		/* PENDING and FAILURE: eContent present and empty, or absent (P-198) */
};

struct scep_signer {
	const struct cert *cert;
	const struct key *key;
};

/*
 * CertRep to `msg`: enveloped to its signer, or to the password for a signer whose key cannot decrypt; cipher and digest following the request's as far as `algs` allows (P-83, P-160). nonce:
 * SCEP_NONCE_SIZE fresh octets. Errors: CA_KEY, ALG (such a key, and no password).
 */
enum err scep_certrep_write(const struct scep_msg *msg, const struct scep_reply *reply, const struct scep_signer *by,
    const struct alg_set *algs, time_t now, const uint8_t nonce[SCEP_NONCE_SIZE], struct buf *out, struct why *why);

struct scep_request {			/* what a client sends */
	enum scep_type type;
	struct bytes txid;		/* PrintableString characters */
	const uint8_t *nonce;		/* SCEP_NONCE_SIZE octets */
	struct bytes plain;		/* CSR, IssuerAndSubject, ... */
	const struct cert *to;		/* RA or CA certificate */
	struct scep_signer by;
	const struct digest_row *digest;
	const struct cipher_row *cipher;
};

enum err scep_request_write(const struct scep_request *req, struct buf *out, struct why *why);

/* IssuerAndSubject, the content of a CertPoll: both are Name TLVs. */
void scep_issuer_and_subject_write(struct bytes issuer, struct bytes subject, struct buf *out);

/*
 * What a client checks of an opened and verified CertRep before it looks inside: messageType, the transactionID and nonce of the
 * request it answers, a known pkiStatus and what that status must bring along. Error: REMOTE.
 */
enum err scep_answer_check(const struct scep_msg *answer, struct bytes txid, const uint8_t nonce[SCEP_NONCE_SIZE],
    struct why *why);

/* GetCACaps body for what `algs` accepts: LF lines, under 1,024 octets (P-26 to P-32, P-199). renewal, next_ca: keyword or not. */
void scep_caps_write(const struct alg_set *algs, bool renewal, bool next_ca, struct buf *out);

#endif
