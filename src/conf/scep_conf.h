/* The words of a profile's section [scep]: its dialect, and what that is made of. */
#ifndef CONF_SCEP_CONF_H
#define CONF_SCEP_CONF_H

/* Whose habits the profile follows: a preset of other settings, see conf/dialect.c. */
enum conf_dialect {
	DIALECT_AUTO, DIALECT_STRICT, DIALECT_CISCO, DIALECT_WINDOWS, DIALECT_APPLE, DIALECT_JUNIPER, DIALECT_LEGACY
};
/* Which certificates GetCACert gives: RA, CA and parents, or not the parents. */
enum conf_ca_chain { CA_CHAIN_FULL, CA_CHAIN_LEAF_ONLY };
/* bits of tolerate: what clients do that the RFC does not have, and is accepted all the same */
enum conf_tolerate {
	TOLERATE_CASE = 1, TOLERATE_NO_OPERATION = 2, TOLERATE_CONTENT_TYPE = 4, TOLERATE_BASE64 = 8, TOLERATE_BASE64_POST = 16,
	TOLERATE_NONCE = 32, TOLERATE_STRINGS = 64, TOLERATE_UNSORTED = 128
};
/* bits of hide_caps */
enum conf_hide {
	HIDE_AES = 1, HIDE_DES3 = 2, HIDE_SHA1 = 4, HIDE_SHA256 = 8, HIDE_SHA384 = 16, HIDE_SHA512 = 32, HIDE_POST = 64, HIDE_RENEWAL = 128,
	HIDE_STANDARD = 256, HIDE_NEXT_CA = 512
};
/* bits of legacy and obsolete */
enum conf_legacy { LEGACY_SHA1 = 1, LEGACY_DES3 = 2 };
enum conf_obsolete { OBSOLETE_DES = 1, OBSOLETE_MD5 = 2 };	/* P-200 */

#endif
