/* One request on its way through the files of this folder: what each of them may ask of the others. */
#ifndef CA_WORK_H
#define CA_WORK_H

#include "auth/signed.h"
#include "ca/authorize.h"
#include "ca/enroll.h"
#include "ca/limits.h"
#include "ca/policy.h"

/* Everything here ends with the request. */
struct work {
	const struct enroll_env *env;
	struct outcome *out;
	struct scep_msg *msg;
	struct csr *csr;
	struct pubkey *csr_key;
	enum authority authority;	/* what the challenge appeals to; AUTHORITY_RENEWAL once the old certificate decided */
	bool renews;			/* authorised by the certificate that it renews */
	struct cert *renewed;		/* of a request that waited: the certificate that it renews; else the message's signer is it */
	bool waits;			/* who was asked wants an operator to approve it */
	struct buf asked_for;		/* ... and says why, for operators */
	struct signed_token token;	/* of a signed challenge that was found good */
	struct values values;		/* what they know of the device, for the templates */
	enum err told;			/* told to the client in place of the error, while that may depend on what only our key can read (P-85) */
	char *fail_text;		/* failInfoText that says more than the error's row; NULL: none */
	struct template template;	/* what policy makes of it; n == 0 of its subject: not decided yet */
	struct limits limits;
	struct store_request request;
	struct store_answer answer;	/* of admit or poll */
	struct buf identity, device, requester;	/* what request points into ... */
	char **names;				/* ... these too */
};

/* --- certify.c: PKCSReq and RenewalReq ----------------------------------------------------------------------------- */

enum err work_certify(struct work *w);
/* What follows once w->csr and w->csr_key are known: admit, judge, then sign or queue, and answer. */
enum err work_authorize(struct work *w);

/* Fills out->subject from the PKCS#10. Error: CSR. */
enum err work_note_subject(struct work *w);
/* The serial number of the certificate that signed, when that says that it is one of ours: nothing vouches for it yet. */
struct bytes work_claimed_serial(const struct work *w);
/* Fills w->request. old_serial: that one; empty: none. */
void work_identify(struct work *w, struct bytes old_serial);
/* The certificate that the request renews, once that is known to be good; NULL: none. */
const struct cert *work_renewed(const struct work *w);
/* Operators have approved it: nothing else has to authorise it. */
void work_approved(struct work *w, bool renews);
/* The signer can receive the answer: its key decrypts, or there is a challenge to derive one from (RFC 8894, 3.1). Error: ALG. */
enum err work_can_answer(const struct work *w);
/* The signer of a first request may be answered: it is the key to be certified, or another where the profile says so. Error: SIGNER_KEY. */
enum err work_check_signer(const struct work *w, struct why *why);
/* The request's challenge, n == 0 where none is known: what an answer to a key that cannot decrypt is sealed with. */
struct bytes work_password(const struct work *w);
/* Is it the key of one of the profile's CAs and RAs, whichever answers now (P-123)? */
bool work_key_is_ours(const struct work *w, struct bytes spki);
/* Is it the same public key? The AlgorithmIdentifier may differ: parameters NULL or absent. */
bool same_key(struct bytes spki, struct bytes other);

/* --- consent.c ----------------------------------------------------------------------------------------------------- */

/* Asks everybody who has to say yes besides. Error: whatever the one that refuses says; out->refused_by names it. */
enum err work_consent(struct work *w);

/* --- sign.c -------------------------------------------------------------------------------------------------------- */

/* Decides, signs, records and answers what has been authorised. */
enum err work_sign(struct work *w);
/* Asks the policy, once. Errors: those of policy_decide. */
enum err work_decide(struct work *w);
/* Answers with what the database says of the request; a refusal is its error. GO_ON does not come here. */
enum err work_settle(struct work *w, const struct store_answer *answer);
/* For the log: the serial number of the certificate sent. */
void work_note_serial(struct outcome *out, struct bytes serial);
/* Who asks, for the database: authority, address, old algorithms. */
void work_note_requester(struct work *w);

/* --- poll.c: CertPoll; lookup.c: GetCert and GetCRL ---------------------------------------------------------------- */

enum err work_poll(struct work *w);
enum err work_get_cert(struct work *w);
enum err work_get_crl(struct work *w);

#endif
