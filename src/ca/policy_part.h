/* What the files that make up the policy share; of interest to nobody else. */
#ifndef CA_POLICY_PART_H
#define CA_POLICY_PART_H

#include "ca/policy.h"
#include "ca/policy_rules.h"
#include "ca/san_template.h"
#include "ca/subject_template.h"

struct policy {
	const struct profile_conf *conf;
	struct subject_template *subject;	/* NULL: the request's */
	struct san_template *sans;		/* NULL: the request's */
	struct rules rules;
	struct buf extensions;			/* that every certificate gets: Extension TLVs */
};

/* Each of them fills its part of the template. policy_names.c: */
enum err policy_sans(const struct policy *policy, const struct facts *facts, struct template *t, struct why *why);
enum err policy_subject(const struct policy *policy, const struct facts *facts, struct template *t, struct why *why);
/* The names that a request asks for, without those that are left out. */
enum err policy_requested_sans(const struct policy *policy, const struct csr *csr, struct template *t, struct why *why);

/* policy_usage.c */
enum err policy_key(const struct policy *policy, struct key_kind key, struct why *why);
enum err policy_usage(const struct policy *policy, const struct facts *facts, struct template *t, struct why *why);

/* policy_extensions.c */
enum err policy_extensions(const struct policy *policy, const struct facts *facts, struct template *t, struct why *why);
/* The request's SID extension is the old certificate's, or there is none. Errors: RENEWAL, CSR. */
enum err policy_sid_within(const struct policy *policy, const struct csr *csr, const struct cert *old, struct why *why);
/* Those that every certificate gets; policy_load's part. */
void policy_extensions_load(struct policy *policy, struct problems *problems);
/* A SID as text: "S-1-5-21-...". */
bool sid_is_sound(struct bytes text);

/* custom_extension.c: appends what [extensions] custom says, as Extension TLVs. Error: CONFIG. */
enum err custom_extensions_parse(const char *text, struct buf *out, struct why *why);

/* "FILE [section] key", for problems. The caller frees. */
char *policy_where(const struct profile_conf *conf, const char *section, const char *key);

/* More was asked for than is allowed: notes what is left out, or refuses with CSR, as the profile says. */
enum err policy_excess(const struct policy *policy, struct template *t, const char *what, struct why *why);

#endif
