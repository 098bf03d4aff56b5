/* The rules about names that settings give: attributes that must or must not be there, regular expressions. */
#ifndef CA_POLICY_RULES_H
#define CA_POLICY_RULES_H

#include <regex.h>

#include "base/problems.h"
#include "conf/conf.h"
#include "pki/name.h"

#define RULES_MAX 10

struct rules {
	regex_t match[RULES_MAX];	/* as in the table of policy_rules.c */
	bool has[RULES_MAX];
	struct buf required, forbidden;	/* OIDs, TLVs one after the other */
	const struct cert_conf *conf;
};

/* Everything wrong goes to `problems`. */
void rules_load(struct rules *rules, const struct profile_conf *conf, struct problems *problems);
void rules_free(struct rules *rules);

/* The subject that a request asks for. Error: SUBJECT, with the rule and the value. */
enum err rules_check_subject(const struct rules *rules, struct bytes subject, struct why *why);
/* One name that a certificate is to have. The same. */
enum err rules_check_san(const struct rules *rules, const struct san *san, struct why *why);

#endif
