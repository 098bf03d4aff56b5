#include "admin/verb.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/problems.h"

static int help_run(int argc, char **argv);

const struct verb verbs[] = {
    {"help", "what the verbs are, or how to use one: help [VERB]", help_run},
    {NULL, NULL, NULL},
};

int verb_failed(const struct why *why)
{
	fprintf(stderr, "%s: %s\n", program_invocation_name, why->text);
	return err_row(why->err)->whose == OPERATOR ? EXIT_CONFIG : EXIT_FAILED;
}

int verb_misused(const char *fmt, ...)
{
	va_list ap;

	fprintf(stderr, "%s: ", program_invocation_name);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fprintf(stderr, "\nTry `%s --help' for more information.\n", program_invocation_name);
	return EXIT_USAGE;
}

void verb_note(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
}

/* Is `word` the whole of `name`, or the first of its two words? */
static bool is_group(const char *name, const char *word)
{
	size_t n = strlen(word);

	return strncmp(name, word, n) == 0 && name[n] == ' ';
}

/* The verb that the first words are; *used says how many of them belong to its name. */
static const struct verb *find(int argc, char **argv, int *used)
{
	const struct verb *v;
	size_t n;

	for (v = verbs; argc > 0 && v->name != NULL; v++) {
		if (strcmp(v->name, argv[0]) == 0) {
			*used = 1;
			return v;
		}
		n = strlen(argv[0]);
		if (argc > 1 && is_group(v->name, argv[0]) && strcmp(v->name + n + 1, argv[1]) == 0) {
			*used = 2;
			return v;
		}
	}
	return NULL;
}

static bool group_exists(const char *word)
{
	const struct verb *v;

	for (v = verbs; v->name != NULL; v++) {
		if (is_group(v->name, word))
			return true;
	}
	return false;
}

/* The verbs, or those of one group ("ca"; NULL: all). */
static void list_verbs(FILE *f, const char *group)
{
	const struct verb *v;

	for (v = verbs; v->name != NULL; v++) {
		if (group == NULL || is_group(v->name, group))
			fprintf(f, "  %-18s %s\n", v->name, v->summary);
	}
}

static void list_all(FILE *f)
{
	fputs("Usage: scepter VERB [OPTION...]\n\n", f);
	list_verbs(f, NULL);
	fputs("\n`scepter VERB --help' or `scepter help VERB' explains one verb; scepter(1) has the exit codes.\n", f);
}

/* Neither a verb nor a group: says so, with the nearest of either. */
static int unknown(const char *first, const char *second)
{
	const char *words[128];
	char *typed = second == NULL ? mem_strdup(first) : mem_printf("%s %s", first, second);
	const char *near = NULL;
	size_t n = 0;

	if (group_exists(first)) {
		fprintf(stderr, "scepter: '%s' is %s:\n", typed, second == NULL ? "not complete" : "not a verb");
		list_verbs(stderr, first);
	} else {
		for (; n < 127 && verbs[n].name != NULL; n++)
			words[n] = verbs[n].name;
		words[n] = NULL;
		near = nearest_word(typed, words);
		if (near == NULL)
			near = nearest_word(first, words);
		if (near != NULL)
			fprintf(stderr, "scepter: '%s' is not a verb; did you mean '%s'?\n", typed, near);
		else
			fprintf(stderr, "scepter: '%s' is not a verb; `scepter help' lists them\n", typed);
	}
	free(typed);
	return EXIT_USAGE;
}

/* Runs a verb under its full name, which is what its help and its messages then call it. */
static int run(const struct verb *v, int argc, char **argv)
{
	char *name = mem_printf("scepter %s", v->name);
	int code;

	argv[0] = name;
	program_invocation_name = name;
	code = v->run(argc, argv);
	argv[0] = program_invocation_name = (char *)"scepter";
	free(name);
	return code;
}

static int help_run(int argc, char **argv)
{
	static char option[] = "--help";
	const struct verb *v;
	char *help[] = {NULL, option, NULL};
	int used;

	if (argc < 2 || argv[1][0] == '-') {
		list_all(stdout);
		return EXIT_OK;
	}
	v = find(argc - 1, argv + 1, &used);
	if (v == NULL && argc == 2 && group_exists(argv[1])) {
		list_verbs(stdout, argv[1]);
		return EXIT_OK;
	}
	if (v == NULL)
		return unknown(argv[1], argc > 2 ? argv[2] : NULL);
	if (v->run == help_run) {
		list_all(stdout);
		return EXIT_OK;
	}
	return run(v, 2, help);
}

int verbs_main(int argc, char **argv)
{
	const struct verb *v;
	int used = 0;

	if (argc < 2) {
		list_all(stderr);
		return EXIT_USAGE;
	}
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 || strcmp(argv[1], "-?") == 0) {
		list_all(stdout);
		return EXIT_OK;
	}
	if (strcmp(argv[1], "--version") == 0 || strcmp(argv[1], "-V") == 0) {
		puts("scepter " PACKAGE_VERSION);
		return EXIT_OK;
	}
	v = find(argc - 1, argv + 1, &used);
	if (v == NULL && argc == 3 && group_exists(argv[1]) && strcmp(argv[2], "--help") == 0) {
		list_verbs(stdout, argv[1]);
		return EXIT_OK;
	}
	if (v == NULL)
		return unknown(argv[1], argc > 2 && argv[2][0] != '-' ? argv[2] : NULL);
	return run(v, argc - used, argv + used);
}
