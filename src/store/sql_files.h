/* The files of src/store/sql, embedded at build time (sql/embed.awk). */
#ifndef STORE_SQL_FILES_H
#define STORE_SQL_FILES_H

#include <stddef.h>

struct sql_file {
	int version;		/* 0: not a migration but what `db init` runs before them (roles and schema) */
	int min_reader;		/* the oldest program, by its newest version, that still works with this schema */
	const char *name;	/* NULL ends the table */
	const char *text;
};

extern const struct sql_file sql_files[];	/* sorted by version */

#endif
