/*
 * Signed challenges: a token in the challengePassword, made and signed by whoever manages the devices, is judged here without asking anybody.
 * Not to be confused with Microsoft Intune's own challenge, an opaque text that only Microsoft's service can judge.
 */
#ifndef AUTH_SIGNED_H
#define AUTH_SIGNED_H

#include <time.h>

#include "auth/anchors.h"
#include "auth/values.h"
#include "conf/signed_conf.h"
#include "pki/csr.h"

/* What a profile takes, and when. */
struct signed_rules {
	const struct signed_conf *conf;
	const struct anchors *anchors;
	time_t now;
};

/* What a good token leaves to be done: spend its nonce, count its holder, know its device. {0} is empty; ends with signed_free. */
struct signed_token {
	struct buf nonce;	/* what is to be spent: signer, issuer and nonce; without a nonce what was signed */
	struct buf holder;	/* whom the limit counts: subject and issuer */
	time_t until;		/* no profile takes the token after that, whatever it is set to */
	struct values values;	/* intune.NAME */
};

/*
 * Judges a token by itself and against the request that brings it, in the order in which the outcomes are documented: form, signature, version,
 * payload, times, audience, age, binding. Whether it was used before, and how often its holder came, the database knows.
 * Errors: SIGNED_FORM, SIGNED_SIG, SIGNED_VERSION, SIGNED_EARLY, SIGNED_LATE, SIGNED_AUDIENCE, SIGNED_CLAIM. No sentence quotes the token.
 */
enum err signed_check(const struct signed_rules *rules, struct bytes token, const struct csr *csr, struct signed_token *out, struct why *why);
void signed_free(struct signed_token *t);

#endif
