/* What a certificate may be: a pure function of the profile, the request, what is known of the device, and the time (RFC 5280; P-120 to P-123). */
#ifndef CA_POLICY_H
#define CA_POLICY_H

#include "auth/values.h"
#include "base/problems.h"
#include "conf/conf.h"
#include "pki/cert.h"
#include "pki/csr.h"

#define POLICY_MAX_SUBJECT 2048	/* octets of a subject Name */
#define POLICY_MAX_SANS 64	/* names in a subjectAltName */
#define POLICY_MAX_PURPOSES 32	/* in a requested extendedKeyUsage */

/* The settings of [certificate], [subject], [san] and [extensions], compiled: templates, expressions and extensions are not parsed again. */
struct policy;

/*
 * Compiles and checks them; everything wrong goes to `problems`, with its setting. What it gives is whole when nothing was wrong. `conf` outlives
 * it.
 */
struct policy *policy_load(const struct profile_conf *conf, struct problems *problems);
void policy_free(struct policy *policy);	/* NULL is allowed */

/* Do subjects come from a template, whatever requests ask for? */
bool policy_makes_subjects(const struct policy *policy);

struct facts {
	const struct csr *csr;
	struct key_kind key;	/* of the CSR */
	bool key_is_ours;	/* the CA's or RA's own key (P-123) */
	time_t ca_not_after;
	const struct values *values;	/* what the authenticators know of the device; NULL: nothing */
	const struct cert *renews;	/* the certificate that is renewed; NULL: a first one */
	bool foreign;			/* it is a former CA's: another policy made its names */
};

/* The template to sign; freed with template_free. */
struct template {
	struct bytes subject;	/* Name TLV, a view into the CSR or into own_subject */
	struct buf own_subject;
	struct buf san;		/* GeneralNames TLV, empty: none */
	struct buf sans_text;	/* for the database; "" for none */
	struct buf left_out;	/* what was asked for and not given, for the log; empty: nothing */
	time_t not_before, not_after;
	unsigned key_usage;	/* GNUTLS_KEY_* bits */
	const char *const *eku;	/* NULL-terminated: of the profile, or own_eku */
	const char **own_eku;	/* NULL: nothing was asked for besides */
	struct buf extensions;	/* more of them, as Extension TLVs */
};

/*
 * Decides on one request. What the profile does not allow is left out or refused, never copied; what nobody may ask for is refused. A renewed
 * certificate keeps what templates decided, without their values being known again.
 * Errors: KEY_WEAK (a kind of key that the profile does not take), SUBJECT (nothing names the device; a name breaks a rule; a template has no
 * value), CSR (asks to be a CA, malformed extensions, one of our own keys, more than is allowed where that is refused).
 */
enum err policy_decide(const struct policy *policy, const struct facts *facts, time_t now, struct template *out, struct why *why);
void template_free(struct template *t);

/*
 * A renewal by the certificate `old` asks for no name that this has not: the subject is the same, the accepted kinds of subjectAltName are a
 * part of its own, and so is a SID; where the profile has templates for them, they are not looked at. Errors: RENEWAL; CSR and SUBJECT as in
 * policy_decide.
 */
enum err policy_within(const struct policy *policy, const struct csr *csr, const struct cert *old, struct why *why);

#endif
