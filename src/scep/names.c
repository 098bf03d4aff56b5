#include "scep/msg.h"

const char *scep_type_name(int type)
{
	switch (type) {
	case SCEP_CERTREP:
		return "CertRep";
	case SCEP_RENEWALREQ:
		return "RenewalReq";
	case SCEP_PKCSREQ:
		return "PKCSReq";
	case SCEP_CERTPOLL:
		return "CertPoll";
	case SCEP_GETCERT:
		return "GetCert";
	case SCEP_GETCRL:
		return "GetCRL";
	default:
		return "unknown";
	}
}

const char *scep_fail_info_name(int fail_info)
{
	static const char *const names[] = {"badAlg", "badMessageCheck", "badRequest", "badTime", "badCertId"};

	if (fail_info < 0 || (size_t)fail_info >= sizeof(names) / sizeof(names[0]))
		return "unknown";
	return names[fail_info];
}
