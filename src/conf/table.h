/* The table of every setting: what reading, checking, printing and the manual page go by. */
#ifndef CONF_TABLE_H
#define CONF_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum conf_kind {	/* how a value is written, and the field it is stored in */
	KIND_TEXT,	/* char *: as it stands */
	KIND_CONNINFO,	/* char *: the same; printed only when it holds no password */
	KIND_PATH,	/* char *: a file, relative to the one that names it */
	KIND_KEY,	/* char *: the same, or a "pkcs11:" URI */
	KIND_LISTEN,	/* char *: "/path" of a unix socket or "address:port" */
	KIND_HEADER,	/* char *: the name of a header of HTTP */
	KIND_URL_PATH,	/* char *: "/scep" */
	KIND_BOOL,	/* bool: the words of the row, or yes and no */
	KIND_ENUM,	/* an enum: one of the words */
	KIND_WORDS,	/* unsigned: the words' bits, separated by blanks or commas; or "none" where zero makes sense */
	KIND_OIDS,	/* char **: words or dotted OIDs, NULL-terminated; or "none" */
	KIND_NAMES,	/* char **: texts without blanks, NULL-terminated; NULL: unset */
	KIND_URLS,	/* the same, of http:// or https:// URLs */
	KIND_CIDRS,	/* char **: the same, each an address or a range of addresses */
	KIND_URL_PATHS,	/* char **: the same, each a path in a URL */
	KIND_INT,	/* int64_t */
	KIND_SIZE,	/* int64_t: octets, "64k", "1m" */
	KIND_SECONDS,	/* int64_t: "90d", "12h", "30m", "45s", plain seconds */
	KIND_MILLIS,	/* int64_t in milliseconds: the same, and "500ms" */
	KIND_MODE,	/* unsigned: octal */
	KIND_DATE,	/* int64_t: seconds since 1970, 0 when unset; "2027-01-31T12:00:00Z" or "2027-01-31" */
	KIND_RATE,	/* struct conf_rate: "3/24h", "0" for off */
};

struct conf_rate {
	int64_t most, window_s;	/* so many in so many seconds; most 0: any number */
};

struct conf_word {
	const char *word;
	int value;		/* for KIND_WORDS a bit */
	const char *oid;	/* for KIND_OIDS */
	const char *refused;	/* why this word is known but never accepted; NULL: it is */
};

struct setting {
	const char *section, *key;
	enum conf_kind kind;
	size_t offset;			/* in struct conf or struct profile_conf */
	const char *standard;		/* the default as text; NULL: unset */
	const char *example;		/* what the example shows when there is no default */
	int64_t min, max;		/* of numbers, in the field's unit */
	const struct conf_word *words;	/* ends with a NULL word */
	unsigned flags;
	const char *help;		/* a sentence or two, without markup */
};

enum setting_flag {
	MUST = 1,	/* has to be there */
	RESTART = 2,	/* a reload does not change it: the socket stays open */
	NONE_OK = 4,	/* "none" is a value */
	LEADS = 16,	/* without it nothing else in its section has an effect, so the others may not stand there alone */
	EXAMPLE_ON = 8,	/* the example file has it switched on: the value is the example's, not a default */
};

#define HEADER_MAX 64	/* octets of a KIND_HEADER */

struct setting_table {
	const struct setting *rows;
	size_t n;
	size_t struct_size;
};

extern const struct setting_table server_settings;	/* scepter.ini, struct conf */
extern const struct setting_table profile_settings;	/* profiles.d/NAME.ini, struct profile_conf */

/* The row, or NULL. */
const struct setting *setting_find(const struct setting_table *table, const char *section, const char *key);

#endif
