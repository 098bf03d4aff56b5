/* What a certificate may be, of one profile: sections [certificate], [subject], [san] and [extensions] of profiles.d/NAME.ini. */
#ifndef CONF_CERT_CONF_H
#define CONF_CERT_CONF_H

#include <stdbool.h>
#include <stdint.h>

/* bits of keys and curves: what devices may have */
enum conf_keys { KEYS_RSA = 1, KEYS_EC = 2, KEYS_ED25519 = 4 };
enum conf_curves { CURVES_P256 = 1, CURVES_P384 = 2, CURVES_P521 = 4 };
/* How certificates are signed; has to fit the CA's key. */
enum conf_signature { SIGNATURE_AUTO, SIGNATURE_RSA_PKCS1, SIGNATURE_RSA_PSS, SIGNATURE_ECDSA, SIGNATURE_ED25519 };
enum conf_digest { SIGN_DIGEST_AUTO, SIGN_DIGEST_SHA256, SIGN_DIGEST_SHA384, SIGN_DIGEST_SHA512 };
/* What becomes of a request for more than the profile allows: less is given, or nothing. */
enum conf_excess { EXCESS_DROP, EXCESS_REFUSE };
enum conf_must_staple { MUST_STAPLE_NO, MUST_STAPLE_REQUESTED, MUST_STAPLE_ALWAYS };
/* bits of sid: where Microsoft's security identifier may stand */
enum conf_sid { SID_EXTENSION = 1, SID_URI = 2 };

struct cert_conf {
	/* [certificate] */
	unsigned keys, curves;		/* enum conf_keys, conf_curves bits */
	enum conf_signature signature;
	enum conf_digest digest;
	unsigned allow_key_usage;	/* GNUTLS_KEY_* bits that a request may have besides the profile's */
	char **allow_eku;		/* the same for purposes: dotted OIDs, NULL-terminated, may be an empty list */
	enum conf_excess on_excess;
	int64_t max_active;		/* valid certificates of a device; 0: any number */
	bool revoke_oldest;		/* too many: the oldest are revoked; else the request is refused */
	/* [subject]; all but template are about the subject that a request asks for */
	char *subject;			/* template; NULL: the request's */
	char **required, **forbidden;	/* attribute types; NULL: none */
	char *match_subject, *match_cn, *match_serial_number, *match_ou, *match_o, *match_uid;	/* POSIX EREs; NULL: anything */
	/* [san] */
	char *sans;			/* template; NULL: the request's */
	unsigned refuse_sans;		/* enum conf_san bits: kinds that a request may not even ask for */
	bool wildcards;			/* in DNS names */
	int64_t max_sans, max_dns, max_ip, max_email, max_uri, max_upn, max_directory;
	char *match_dns, *match_email, *match_uri, *match_upn;
	/* [extensions] */
	enum conf_must_staple must_staple;
	char **policies, **cps_urls;	/* dotted OIDs, may be an empty list; NULL: none */
	unsigned sid;			/* enum conf_sid bits */
	char *custom;			/* "OID critical|- DER, ..."; NULL: none */
};

#endif
