/* [limits] of a profile: so many requests in so much time; most 0: any number. */
#ifndef CONF_LIMITS_CONF_H
#define CONF_LIMITS_CONF_H

#include "conf/table.h"

struct limits_conf {
	struct conf_rate per_source, per_profile;	/* of all requests */
	struct conf_rate per_device, per_key;		/* of those whose challenge, or old certificate, is right */
	struct conf_rate wrong_challenges;		/* by source */
};

#endif
