/* [signed_challenge] of a profile: Intune-style challenges that somebody else's key signed, checked here. */
#ifndef CONF_SIGNED_CONF_H
#define CONF_SIGNED_CONF_H

#include <stdbool.h>
#include <stdint.h>

#include "conf/table.h"

/* bits of optional_claims: what a token may lack */
enum conf_claim { CLAIM_NONCE = 1, CLAIM_IAT = 2, CLAIM_EXP = 4, CLAIM_AUD = 8 };

/* What the settings can be at most. A spent nonce is remembered as if they were: by then no profile takes its token. */
#define SIGNED_VALIDITY_MAX_S (INT64_C(30) * 24 * 3600)
#define SIGNED_SKEW_MAX_S INT64_C(3600)

struct signed_conf {
	char *anchors;			/* PEM file; NULL: off */
	char *audience;			/* NULL: any */
	int64_t validity_s, skew_s;
	struct conf_rate per_device;
	unsigned optional_claims;	/* enum conf_claim bits */
	bool unbound_san_allowed;	/* names of a kind for which there is no claim */
};

#endif
