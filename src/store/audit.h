/* The audit trail: append-only for every role. Enrolments and operators' calls write their own rows. */
#ifndef STORE_AUDIT_H
#define STORE_AUDIT_H

#include "store/enrol.h"

struct store_event {
	const char *kind;		/* "refuse", "challenge.new", ...: at most 40 characters */
	const char *profile;		/* NULL: none */
	const char *reason;		/* an error's label, or "" */
	const char *actor;		/* who: address or operator */
	const char *txid;		/* printable; NULL: none */
	const char *detail;		/* a sentence; never a secret */
};

enum err store_audit(struct store *s, const struct store_event *e, struct why *why);

/*
 * The audit row of a refusal, which is counted in all of `rates`, whatever their `when`. Over one of them nothing is counted or written: verdict
 * THROTTLED, else GO_ON. The profile is the event's.
 */
enum err store_refuse(struct store *s, const struct store_event *e, const struct store_rate *rates, size_t n, struct store_answer *out,
    struct why *why);

#endif
