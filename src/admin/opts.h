/* A verb's options and arguments as a table; one parser (argp) for all verbs, which gives them --help, --usage and --version. */
#ifndef ADMIN_OPTS_H
#define ADMIN_OPTS_H

#include <stdbool.h>
#include <stddef.h>

/* What an option's value is, and the type of the field it goes to. */
enum opt_kind {
	OPT_FLAG,	/* bool; takes no value */
	OPT_TEXT,	/* const char *, not empty */
	OPT_LIST,	/* struct opt_list: may be given several times, none empty */
	OPT_COUNT,	/* long, 1 to 1,000,000,000 */
	OPT_NUMBER,	/* long, 0 to 1,000,000,000 */
	OPT_DURATION,	/* long, seconds: "90s", "30m", "24h", "7d", "2w", "1y"; more than 0 */
	OPT_TIME,	/* time_t: "2027-01-31", "2027-01-31T12:00:00Z", or a duration from now */
	OPT_ARG,	/* const char *: an argument that must be there, in the table's order; name is what --help calls it */
	OPT_ARG_MAYBE	/* const char *: one that may be left out */
};

struct opt_list {
	const char **values;	/* the caller frees the array */
	size_t n;
};

struct opt {
	const char *name;	/* long name, without "--" */
	int letter;		/* 0: none */
	enum opt_kind kind;
	size_t at;		/* offsetof() in the verb's struct */
	const char *value;	/* what --help calls the value; NULL for a flag or an argument */
	const char *doc;
};

#define OPT_CONF(type) \
	{"conf", 'c', OPT_TEXT, offsetof(type, conf), "FILE", \
	    "the responder's scepter.ini ($SCEPTER_CONF, else /etc/scepter/scepter.ini)"}
#define OPT_CONNINFO(type) \
	{"conninfo", 0, OPT_TEXT, offsetof(type, conninfo), "CONNINFO", \
	    "connect with this instead of [database] conninfo, e.g. as another role: 'dbname=scepter user=alice'"}
#define OPT_JSON_AT(type, field) {"json", 'j', OPT_FLAG, offsetof(type, field), NULL, "print JSON"}
#define OPT_JSON(type) OPT_JSON_AT(type, json)

struct opts {
	const char *doc;	/* what the verb does, for --help */
	const struct opt *table;	/* ends with a NULL name */
};

/* Fills `args` (which holds the defaults) from the command line. Ends the process on --help (0) and on wrong options (2). */
void opts_parse(const struct opts *opts, int argc, char **argv, void *args);

/* Seconds of "90s", "30m", "24h", "7d", "2w", "1y"; false for anything else, zero, or more than 1,000 years. */
bool opts_duration(const char *text, long *seconds);

#endif
