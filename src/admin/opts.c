#include "admin/opts.h"

#include <argp.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/buf.h"
#include "base/mem.h"
#include "conf/date.h"

#define COUNT_MAX 1000000000L
#define DAY 86400L
#define SECONDS_MAX (1000 * 365 * DAY)
#define KEY_NO_LETTER 0x100	/* argp keys of options without a letter: this plus the row's number */

struct parse {
	const struct opts *opts;
	void *args;
};

static bool read_number(const char *text, const char **end, long *out)
{
	char *stop;
	long n;

	if (*text < '0' || *text > '9')	/* strtol would take blanks and signs */
		return false;
	errno = 0;
	n = strtol(text, &stop, 10);
	if (errno != 0 || n > COUNT_MAX)
		return false;
	*end = stop;
	*out = n;
	return true;
}

bool opts_duration(const char *text, long *seconds)
{
	static const struct {
		char letter;
		long seconds;
	} units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', DAY}, {'w', 7 * DAY}, {'y', 365 * DAY}};
	const char *unit;
	long n;
	size_t i;

	if (!read_number(text, &unit, &n) || n == 0)
		return false;
	for (i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (unit[0] == units[i].letter && unit[1] == '\0' && n <= SECONDS_MAX / units[i].seconds) {
			*seconds = n * units[i].seconds;
			return true;
		}
	}
	return false;
}

static bool read_time(const char *text, time_t *out)
{
	long seconds;

	if (!opts_duration(text, &seconds))
		return date_parse(text, out);
	*out = time(NULL) + seconds;
	return true;
}

static bool read_count(const char *text, long least, long *out)
{
	const char *end;
	long n;

	if (!read_number(text, &end, &n) || *end != '\0' || n < least)
		return false;
	*out = n;
	return true;
}

static bool is_arg(const struct opt *opt)
{
	return opt->kind == OPT_ARG || opt->kind == OPT_ARG_MAYBE;
}

static void list_add(struct opt_list *list, const char *value)
{
	list->values = mem_resize(list->values, (list->n + 1) * sizeof(*list->values));
	list->values[list->n++] = value;
}

static void set(const struct opt *opt, char *value, struct argp_state *state)
{
	char *field = (char *)((struct parse *)state->input)->args + opt->at;

	switch (opt->kind) {
	case OPT_FLAG:
		*(bool *)field = true;
		break;
	case OPT_COUNT:
	case OPT_NUMBER:
		if (!read_count(value, opt->kind == OPT_COUNT, (long *)(void *)field))
			argp_error(state, "--%s '%s' is not a number from %d to %ld", opt->name, value,
			    opt->kind == OPT_COUNT, COUNT_MAX);
		break;
	case OPT_DURATION:
		if (!opts_duration(value, (long *)(void *)field))
			argp_error(state, "--%s '%s' is not a duration: write for example 90s, 30m, 24h, 7d, 2w or 1y",
			    opt->name, value);
		break;
	case OPT_TIME:
		if (!read_time(value, (time_t *)(void *)field))
			argp_error(state, "--%s '%s' is not a time: write for example 2027-01-31, 2027-01-31T12:00:00Z,"
			    " or 30d for 30 days from now", opt->name, value);
		break;
	case OPT_TEXT:
	case OPT_LIST:
	case OPT_ARG:
	case OPT_ARG_MAYBE:
		if (*value == '\0')
			argp_error(state, "%s%s is empty", is_arg(opt) ? "" : "--", opt->name);
		if (opt->kind == OPT_LIST)
			list_add((struct opt_list *)(void *)field, value);
		else
			*(const char **)(void *)field = value;
		break;
	}
}

/* The table's argument number n (from 0), or NULL. */
static const struct opt *arg_row(const struct opt *table, unsigned n)
{
	for (; table->name != NULL; table++) {
		if (is_arg(table) && n-- == 0)
			return table;
	}
	return NULL;
}

static const struct opt *option_row(const struct opt *table, int key)
{
	int i;

	if (key >= KEY_NO_LETTER)
		return &table[key - KEY_NO_LETTER];
	for (i = 0; table[i].name != NULL; i++) {
		if (table[i].letter == key)
			return &table[i];
	}
	return NULL;
}

static error_t parse_one(int key, char *value, struct argp_state *state)
{
	const struct opt *table = ((struct parse *)state->input)->opts->table, *opt;

	switch (key) {
	case ARGP_KEY_INIT:
	case ARGP_KEY_SUCCESS:
	case ARGP_KEY_ERROR:
	case ARGP_KEY_FINI:
	case ARGP_KEY_NO_ARGS:
	case ARGP_KEY_ARGS:
		return ARGP_ERR_UNKNOWN;
	case ARGP_KEY_ARG:
		opt = arg_row(table, state->arg_num);
		if (opt == NULL)
			argp_error(state, "'%s' is one argument too many", value);
		else
			set(opt, value, state);
		return 0;
	case ARGP_KEY_END:
		opt = arg_row(table, state->arg_num);
		if (opt != NULL && opt->kind == OPT_ARG)
			argp_error(state, "%s is missing", opt->name);
		return 0;
	}
	opt = option_row(table, key);
	if (opt == NULL)
		return ARGP_ERR_UNKNOWN;
	set(opt, value, state);
	return 0;
}

/* The table as argp wants it; arguments become the usage line. The process ends soon: nothing is freed by argp on --help. */
static struct argp_option *make_options(const struct opt *table, struct buf *args_doc)
{
	struct argp_option *options;
	size_t n = 0, i, used = 0;

	while (table[n].name != NULL)
		n++;
	options = mem_alloc((n + 1) * sizeof(*options));
	for (i = 0; i < n; i++) {
		if (is_arg(&table[i])) {
			buf_printf(args_doc, table[i].kind == OPT_ARG ? "%s%s" : "%s[%s]", args_doc->n > 0 ? " " : "",
			    table[i].name);
			continue;
		}
		options[used].name = table[i].name;
		options[used].key = table[i].letter != 0 ? table[i].letter : KEY_NO_LETTER + (int)i;
		options[used].arg = table[i].value;
		options[used++].doc = table[i].doc;
	}
	return options;
}

void opts_parse(const struct opts *opts, int argc, char **argv, void *args)
{
	struct buf args_doc = {0};
	struct argp_option *options = make_options(opts->table, &args_doc);
	struct parse parse = {.opts = opts, .args = args};
	struct argp argp = {.options = options, .parser = parse_one, .doc = opts->doc, .args_doc = (const char *)args_doc.p};

	argp_parse(&argp, argc, argv, 0, NULL, &parse);
	free(options);
	buf_free(&args_doc);
}
