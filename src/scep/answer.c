/* What a client checks of a CertRep before it believes it (RFC 8894, sections 3.2.1 and 3.3.2). */
#include "scep/msg.h"

/* pkiStatus, and what has to come with it (P-93 to P-97). */
static enum err check_status(const struct scep_msg *m, struct why *why)
{
	bool has_data = m->cms->has_content && m->cms->content.n > 0;

	switch (m->status) {
	case SCEP_SUCCESS:
		if (!has_data)
			return fail(why, ERR_REMOTE, "the CertRep says SUCCESS but carries no certificate");
		return ERR_OK;
	case SCEP_FAILURE:
		if (m->fail_info < 0)
			return fail(why, ERR_REMOTE, "the CertRep says FAILURE without a failInfo");
		return ERR_OK;
	case SCEP_PENDING:
		return ERR_OK;
	case -1:
		return fail(why, ERR_REMOTE, "the CertRep has no pkiStatus");
	default:
		return fail(why, ERR_REMOTE, "the CertRep has the unknown pkiStatus %d", m->status);
	}
}

enum err scep_answer_check(const struct scep_msg *answer, struct bytes txid, const uint8_t nonce[SCEP_NONCE_SIZE],
    struct why *why)
{
	if (answer->type != SCEP_CERTREP)
		return fail(why, ERR_REMOTE, "the answer is a message of type %d (%s), not a CertRep", answer->type,
		    scep_type_name(answer->type));
	if (!bytes_eq(answer->txid, txid))
		return fail(why, ERR_REMOTE, "the CertRep has another transactionID than the request: it answers somebody else");
	if (answer->recipient_nonce.n == 0)
		return fail(why, ERR_REMOTE, "the CertRep has no recipientNonce");
	if (!bytes_eq(answer->recipient_nonce, bytes_of(nonce, SCEP_NONCE_SIZE)))
		return fail(why, ERR_REMOTE, "the CertRep's recipientNonce is not our nonce: a replay, or the server is broken");
	return check_status(answer, why);
}
