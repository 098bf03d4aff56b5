/* One PKIOperation, from the message as received to the CertRep to send. */
#ifndef CA_ENROLL_H
#define CA_ENROLL_H

#include "ca/profile.h"
#include "store/enrol.h"

/* What is around a request. */
struct enroll_env {
	const struct profile *profile;
	struct store *store;
	struct web *web;		/* to the profiles' web hooks */
	time_t now;
	const char *peer;		/* the client's address, for log and audit */
	const struct cert *client_cert;	/* with which the client came, good for this profile; NULL: none */
	bool light;			/* the body has light_shape, and the profile serves that */
	struct overload *overload;	/* ca/overload.h; NULL: nothing is remembered */
};

/* What happened, for the log line; buffers are freed by outcome_free. */
struct outcome {
	enum err err;			/* ERR_OK also for a repeated answer */
	struct why why;			/* the sentence for log and audit */
	struct buf body;		/* the CertRep; empty: HTTP must answer with err's status */
	bool light;			/* a light client's: body is a certs-only PKCS#7, empty when there is no certificate (yet) */
	struct buf text;		/* what a light client may read of a refusal */
	int type;			/* messageType, 0 when it was not read */
	enum scep_status status;	/* of the CertRep */
	bool repeated;			/* the stored certificate was sent again */
	struct why audit;		/* err != ERR_OK: a refusal could not be written to the audit trail */
	struct why trouble;		/* err != ERR_OK: answered all the same, but the operator should know */
	int retry_after;		/* with THROTTLED: seconds */
	const char *refused_by;		/* the authenticator that refused; NULL: none did */
	struct buf weak;		/* legacy and obsolete algorithms of the request, for log and audit (P-200); empty: none */
	bool obsolete;			/* obsolete ones are among them */
	struct buf left_out;		/* what was asked for and not given; empty: nothing */
	struct buf txid;		/* escaped for a log line */
	struct buf subject;		/* RFC 4514 text */
	char serial[2 * STORE_SERIAL_SIZE + 1];	/* of the certificate sent; "" for none */
};

/* Handles one message. The result is always in `out`; nothing else is returned. */
void enroll(const struct enroll_env *env, struct bytes body, struct outcome *out);
/* A message that HTTP alone refuses (out->err, out->why, out->refused_by): counted and audited like others, and so THROTTLED in the end. */
void enroll_turned_away(const struct enroll_env *env, struct outcome *out);
void outcome_free(struct outcome *o);

#endif
