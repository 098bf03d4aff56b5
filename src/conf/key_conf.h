/* The keys of a profile, now, next and before: the sections of profiles.d/NAME.ini that name certificates. */
#ifndef CONF_KEY_CONF_H
#define CONF_KEY_CONF_H

#include <stdint.h>

struct key_conf {		/* sections [ca], [ra] and [ra_sign], the same with next_, [old_ra] and [older_ra] */
	char *certificate;	/* PEM or DER file */
	char *key;		/* PEM file (0600), or a pkcs11: URI */
	char *pin_file;		/* PIN of the token, 0600; NULL: none */
};

struct next_conf {		/* sections [next_ca], [next_ra] and [next_ra_sign]; dates 0: not set */
	struct key_conf ca, ra;	/* ca.certificate NULL: no next CA; ra.certificate NULL: it answers itself */
	struct key_conf ra_sign;
	char *chain;
	int64_t announce, switch_at;	/* from then it is shown; it issues */
	int64_t overlap_s;		/* so long after the switch messages to the CA before it are still answered */
};

#define OLD_RAS 2
struct old_ra_conf {		/* sections [old_ra] and [older_ra] */
	struct key_conf pair;
	int64_t until;		/* 0: until its certificate ends */
};

#endif
