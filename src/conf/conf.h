/*
 * The configuration: scepter.ini and one INI file per profile, as plain data. Every setting is a row of the table in
 * conf/table.c, from which reading, checking, printing and the manual page come. A struct conf is const once read; a reload
 * reads a new one.
 */
#ifndef CONF_CONF_H
#define CONF_CONF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/err.h"
#include "base/log.h"
#include "base/problems.h"

#define CONF_DEFAULT_FILE "/etc/scepter/scepter.ini"
#define CONF_ENV "SCEPTER_CONF"

enum conf_device_id { DEVICE_ID_CN, DEVICE_ID_SERIAL_NUMBER, DEVICE_ID_SUBJECT, DEVICE_ID_TRANSACTION };
/* Whether the certificate that signs a request may be renewed for the same key. */
enum conf_same_key { SAME_KEY_NEVER, SAME_KEY_PKCSREQ, SAME_KEY_ALWAYS };
enum conf_empty_content { EMPTY_CONTENT_AUTO, EMPTY_CONTENT_ABSENT, EMPTY_CONTENT_EMPTY };	/* P-198 */

/* bits of profile_conf.san_types: subjectAltName kinds that a request may bring */
enum conf_san { SAN_DNS = 1, SAN_IP = 2, SAN_EMAIL = 4, SAN_URI = 8, SAN_UPN = 16, SAN_DIRNAME = 32 };
/* bits of legacy and obsolete */
enum conf_legacy { LEGACY_SHA1 = 1, LEGACY_DES3 = 2 };
enum conf_obsolete { OBSOLETE_DES = 1, OBSOLETE_MD5 = 2 };	/* P-200 */

struct key_conf {		/* sections [ca] and [ra] */
	char *certificate;	/* PEM or DER file */
	char *key;		/* PEM file (0600), or a pkcs11: URI */
	char *pin_file;		/* PIN of the token, 0600; NULL: none */
};

struct profile_conf {
	char *name;		/* from the file name: default.ini is "default" */
	char *file;
	char *description;	/* NULL: none */
	struct key_conf ca, ra;	/* ra.certificate NULL: the CA itself answers */
	char *chain;		/* [ca] chain: PEM file of the CA's parents; NULL: none */
	/* [enrol] */
	char *static_challenge_file;	/* one secret a line, 0600; NULL: none */
	bool one_time_challenge;
	bool signer_key_must_match;	/* false: Windows signs with another key */
	int64_t min_rsa_bits, max_rsa_bits;
	enum conf_device_id device_id;
	/* [certificate] */
	int64_t validity_s, backdate_s;
	unsigned key_usage;		/* RFC 5280 bits as GNUTLS_KEY_*, never zero */
	char **extended_key_usage;	/* dotted OIDs, NULL-terminated, may be an empty list */
	unsigned san_types;		/* enum conf_san bits */
	/* [renewal] */
	bool renewal;			/* certificates of this profile may be renewed by their own keys */
	bool renewal_challenge;		/* they need a challenge besides */
	int64_t renewal_window_s;	/* so long before its end a certificate may be renewed; 0: at any time */
	int64_t renewal_grace_s;	/* so long after its end, too */
	enum conf_same_key renewal_same_key;
	bool revoke_old;		/* a renewed certificate is revoked as superseded ... */
	int64_t revoke_old_after_s;	/* ... so long after */
	/* [scep] */
	unsigned legacy, obsolete;	/* enum conf_legacy, conf_obsolete bits */
	enum conf_empty_content empty_content;
	bool include_chain;		/* CA certificates after the issued one in CertRep (P-207) */
};

struct conf {
	char *file;		/* scepter.ini */
	/* [server] */
	char *profiles_dir;
	char *listen;		/* --listen's default; NULL: none */
	unsigned listen_mode;	/* of a unix socket, e.g. 0660 */
	int64_t workers;	/* 0: one per processor when listening ourselves, none when handed a socket on fd 0 */
	char *base_path;	/* "/scep" */
	int64_t max_body, max_query;	/* octets */
	int64_t read_timeout_ms, write_timeout_ms;
	bool syslog;
	enum log_level log_level;
	/* [database] */
	char *conninfo;
	char *pepper_file;	/* 0600; keys every digest that the database stores */
	int64_t db_timeout_ms;	/* one round trip, connecting included */

	struct profile_conf **profiles;	/* sorted by name, NULL-terminated */
	size_t n_profiles;
};

/*
 * Reads scepter.ini and its profiles.d/<name>.ini. Relative paths in a file are relative to that file. Everything wrong goes to
 * `problems`; NULL when there is an error among them. The caller frees with conf_free().
 */
struct conf *conf_read(const char *file, struct problems *problems);
/* The same for --check, which goes on looking: gives what is sound, without the profiles that have errors; settings of scepter.ini that
 * are wrong or missing have their defaults, or are NULL. NULL only when scepter.ini cannot be read. */
struct conf *conf_read_sound(const char *file, struct problems *problems);
void conf_free(struct conf *conf);	/* NULL is allowed */

/* The profile called `name`, or NULL. */
const struct profile_conf *conf_profile(const struct conf *conf, const char *name);

/* Which scepter.ini: `given` (option), else $SCEPTER_CONF, else CONF_DEFAULT_FILE. */
const char *conf_file(const char *given);

/*
 * Prints an INI file with every setting, each with a line that explains it. With `conf` the values in effect; a conninfo that
 * holds a password is left out. With NULL the example file: defaults, commented out.
 */
void conf_print(FILE *f, const struct conf *conf);
void conf_print_profile(FILE *f, const struct profile_conf *profile);

/* Prints the settings of both kinds of file as the list in scepter.ini(5), in mdoc(7). */
void conf_print_manual(FILE *f);

#endif
