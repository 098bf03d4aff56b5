/* Revocation, and the look that GetCert takes at certificates. */
#ifndef STORE_REVOKE_H
#define STORE_REVOKE_H

#include "store/store.h"

struct store_revocation {
	const char *serial;		/* hexadecimal, as people write it */
	int reason;			/* RFC 5280, 5.3.1 */
	const char *reason_name;	/* for the audit trail */
	time_t invalid_since;		/* 0: not known */
	const char *actor;
};

/* What is in the database afterwards. */
struct store_revoked {
	bool before;		/* it was revoked already: nothing was changed */
	time_t at;
	int reason;
};

/* Revokes a certificate, from now on and for good; writes the audit row. One that is to be revoked later is revoked now. Error: NOT_FOUND. */
enum err store_revoke(struct store *s, const struct store_revocation *r, struct store_revoked *out, struct why *why);

/* What GetCert asks for: certificates of an authority, and those of another one that issued in the profile. */
struct store_lookup_of {
	struct bytes authority;
	const char *profile;			/* NULL: the authority's alone */
	struct bytes serial, signer_serial;	/* n == 0: none */
};

/* What it needs to know: two certificates, or none. */
struct store_found {
	struct buf cert;	/* the one asked for; empty: there is none */
	struct buf signer;	/* as it is stored; empty: there is none */
	bool signer_revoked;
};

/* Serial numbers of another size than ours belong to nothing that is stored. `found` is freed with store_found_free. */
enum err store_lookup(struct store *s, const struct store_lookup_of *of, struct store_found *out, struct why *why);
void store_found_free(struct store_found *found);

#endif
