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
#include "conf/admin_conf.h"
#include "conf/profile_conf.h"

#define CONF_DEFAULT_FILE "/etc/scepter/scepter.ini"
#define CONF_ENV "SCEPTER_CONF"

struct conf {
	char *file;		/* scepter.ini */
	/* [server] */
	char *profiles_dir;
	char *listen;		/* --listen's default; NULL: none */
	unsigned listen_mode;	/* of a unix socket, e.g. 0660 */
	int64_t workers;	/* 0: one per processor when listening ourselves, none when handed a socket on fd 0 */
	char *base_path;	/* "/scep" */
	char *mtls_path;	/* "/scep-mtls": the same with a client certificate */
	char **trusted_proxies;	/* ranges of addresses whose client_cert_header counts; both NULL: none */
	char *client_cert_header;
	int64_t max_body, max_query;	/* octets */
	int64_t read_timeout_ms, write_timeout_ms;
	bool syslog;
	enum log_level log_level;
	/* [database] */
	char *conninfo;
	char *pepper_file;	/* 0600; keys every digest that the database stores */
	int64_t db_timeout_ms;	/* one round trip, connecting included */
	struct admin_conf admin;

	struct profile_conf **profiles;	/* sorted by name, NULL-terminated */
	size_t n_profiles;
};

/*
 * Reads scepter.ini and its profiles.d/<name>.ini. Relative paths in a file are relative to that file. Everything wrong goes to
 * `problems`; NULL when there is an error among them. The caller frees with conf_free().
 */
struct conf *conf_read(const char *file, struct problems *problems);
/* The same for --check, which goes on looking: settings that are wrong or missing have their defaults, or are NULL, and profiles with such
 * are marked as unsound. NULL only when scepter.ini cannot be read. */
struct conf *conf_read_anyway(const char *file, struct problems *problems);
void conf_free(struct conf *conf);	/* NULL is allowed */

/* [a-z0-9][a-z0-9._-]{0,62}, except what every profile's path may end with: it stands in URLs, in the database and in file names. */
bool conf_is_profile_name(const char *name);

/* The profile called `name`, or NULL: none, or an unsound one. */
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
