/* The configuration of one profile: profiles.d/NAME.ini as plain data. Its settings are rows of conf/table.c. */
#ifndef CONF_PROFILE_CONF_H
#define CONF_PROFILE_CONF_H

#include <stdbool.h>
#include <stdint.h>

#include "conf/cert_conf.h"
#include "conf/hook_conf.h"
#include "conf/client_cert_conf.h"
#include "conf/key_conf.h"
#include "conf/limits_conf.h"
#include "conf/scep_conf.h"
#include "conf/signed_conf.h"

enum conf_device_id { DEVICE_ID_CN, DEVICE_ID_SERIAL_NUMBER, DEVICE_ID_SUBJECT, DEVICE_ID_TRANSACTION };
/* Whether the certificate that signs a request may be renewed for the same key. */
enum conf_same_key { SAME_KEY_NEVER, SAME_KEY_PKCSREQ, SAME_KEY_ALWAYS };
/* Who approves: nobody, people, or people unless a one-time challenge was used. */
enum conf_approval { APPROVAL_AUTO, APPROVAL_MANUAL, APPROVAL_UNLESS_ONE_TIME };
/* Who gets a certificate by GetCert: P-146. */
enum conf_getcert { GETCERT_OFF, GETCERT_OWN, GETCERT_ISSUED, GETCERT_ANY };
enum conf_empty_content { EMPTY_CONTENT_AUTO, EMPTY_CONTENT_ABSENT, EMPTY_CONTENT_EMPTY };	/* P-198 */

/* bits of profile_conf.san_types: subjectAltName kinds that a request may bring */
enum conf_san { SAN_DNS = 1, SAN_IP = 2, SAN_EMAIL = 4, SAN_URI = 8, SAN_UPN = 16, SAN_DIRNAME = 32 };

struct profile_conf {
	char *name;		/* from the file name: default.ini is "default" */
	char *file;
	bool unsound;		/* something is wrong with its settings: read only to find out what else is */
	char *description;	/* NULL: none */
	struct key_conf ca, ra;	/* ra.certificate NULL: the CA itself answers */
	struct key_conf ra_sign;	/* certificate NULL: ra signs, too */
	char *chain;		/* [ca] chain: PEM file of the CA's parents; NULL: none */
	struct next_conf next;
	struct old_ra_conf old_ra[OLD_RAS];
	char *old_ca;		/* [old_ca] certificate; NULL: none */
	/* [enrol] */
	char *static_challenge_file;	/* one secret a line, 0600; NULL: none */
	bool one_time_challenge;
	bool signer_key_must_match;	/* false: Windows signs with another key */
	int64_t min_rsa_bits, max_rsa_bits;
	enum conf_device_id device_id;
	struct signed_conf signed_challenge;
	struct webhook_conf webhook;
	struct command_conf command;
	struct client_cert_conf client_cert;
	struct limits_conf limits;	/* [limits] */
	/* [certificate] */
	int64_t validity_s, backdate_s;
	unsigned key_usage;		/* RFC 5280 bits as GNUTLS_KEY_*, never zero */
	char **extended_key_usage;	/* dotted OIDs, NULL-terminated, may be an empty list */
	unsigned san_types;		/* enum conf_san bits */
	char **crl_urls, **ca_issuers_urls, **ocsp_urls;	/* NULL-terminated; NULL: none */
	struct cert_conf cert;		/* what else it may be */
	/* [renewal] */
	bool renewal;			/* certificates of this profile may be renewed by their own keys */
	bool renewal_challenge;		/* they need a challenge besides */
	int64_t renewal_window_s;	/* so long before its end a certificate may be renewed; 0: at any time */
	int64_t renewal_grace_s;	/* so long after its end, too */
	enum conf_same_key renewal_same_key;
	char *renew_from, *renew_from_crl;	/* CAs of another product whose certificates renew, too, and their CRLs; NULL: none */
	int64_t renew_from_until;		/* before that date */
	bool revoke_old;		/* a renewed certificate is revoked as superseded ... */
	int64_t revoke_old_after_s;	/* ... so long after */
	/* [approval] */
	enum conf_approval approval;
	bool approve_renewals;		/* renewals wait, too */
	int64_t approvals;		/* by so many different people */
	int64_t approval_keep_s;	/* then a waiting request expires */
	int64_t max_pending;
	/* [crl] */
	bool crl;			/* the responder keeps a CRL of this CA */
	int64_t crl_validity_s;		/* from one update to the latest time of the next */
	int64_t crl_refresh_s;		/* a new one is signed when the last is so old */
	int64_t crl_interval_s;		/* and, after a revocation, not sooner than this */
	/* [lookup] */
	enum conf_getcert getcert;
	bool getcrl;
	/* [scep] */
	unsigned legacy, obsolete;	/* enum conf_legacy, conf_obsolete bits */
	enum conf_empty_content empty_content;
	bool include_chain;		/* CA certificates after the issued one in CertRep (P-207) */
	enum conf_dialect dialect;	/* already applied to the others */
	enum conf_ca_chain ca_chain;
	bool ca_first;			/* GetCACert: the CA's certificate before the RA's */
	unsigned hide_caps, tolerate;	/* enum conf_hide, conf_tolerate bits */
	bool raw_csr;			/* a PKCS#10 without a SCEP message around it is served */
	bool post, get;			/* POST is announced; PKIOperation by GET is served */
	char **ca_identifiers;		/* the ones that `message` may name; NULL: any (P-17) */
	char **paths;			/* more paths in URLs; NULL: none */
};

#endif
