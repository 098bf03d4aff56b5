#include "admin/verb.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "admin/client_verbs.h"
#include "admin/verbs.h"
#include "base/mem.h"
#include "base/problems.h"

#define VERBS_MAX 100	/* looked through for a suggestion */

static int help_run(int argc, char **argv);

const struct verb verbs[] = {
    {"ca init", "make a CA, self-signed or under a parent", ca_init_run},
    {"ca issue-ra", "make the RA with which the responder opens and signs", ca_issue_ra_run},
    {"ca rollover", "prepare the CA and RA that follow a profile's", ca_rollover_run},
    {"ca rotate-ra", "give a profile a new RA; the present one opens on", ca_rotate_ra_run},
    {"db init", "prepare the database: roles, schema, pepper", db_init_run},
    {"db migrate", "bring the schema up to date", db_migrate_run},
    {"db status", "tell the schema's version and what is stored", db_status_run},
    {"challenge new", "make a one-time challenge and print it", challenge_new_run},
    {"challenge list", "list one-time challenges", challenge_list_run},
    {"challenge revoke", "make a challenge useless", challenge_revoke_run},
    {"request list", "list requests that wait for approval", request_list_run},
    {"request show", "show one such request", request_show_run},
    {"request approve", "approve it", request_approve_run},
    {"request reject", "reject it", request_reject_run},
    {"cert list", "list the certificates that were issued", cert_list_run},
    {"cert show", "show one certificate that was issued", cert_show_run},
    {"cert revoke", "revoke a certificate for good", cert_revoke_run},
    {"crl", "show or write the CRL, or sign a new one", crl_run},
    {"profile list", "list the profiles, their CAs, and what was issued", profile_list_run},
    {"profile show", "show all settings of a profile that are in effect", profile_show_run},
    {"profile new", "make a profile, or a copy of one", profile_new_run},
    {"check", "say everything that is wrong with the configuration", check_run},
    {"show", "tell what any SCEP message, request or certificate is", show_run},
    {"enroll", "get a certificate from a SCEP server", enroll_run},
    {"bench", "measure how fast a SCEP server enrols", bench_run},
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

/* The verb that was probably meant, or NULL. */
static const char *nearest_verb(const char *typed)
{
	const char *words[VERBS_MAX + 1];
	size_t n;

	for (n = 0; n < VERBS_MAX && verbs[n].name != NULL; n++)
		words[n] = verbs[n].name;
	words[n] = NULL;
	return nearest_word(typed, words);
}

/* No verb: says so, with the nearest one, or what begins with the first word. */
static int unknown(const char *first, const char *second)
{
	char *typed = second == NULL ? mem_strdup(first) : mem_printf("%s %s", first, second);
	bool group = group_exists(first);
	const char *near = group && second == NULL ? NULL : nearest_verb(typed);

	if (near == NULL && !group)
		near = nearest_verb(first);
	if (near != NULL) {
		fprintf(stderr, "scepter: '%s' is not a verb; did you mean '%s'?\n", typed, near);
	} else if (group) {
		fprintf(stderr, "scepter: '%s' is %s:\n", typed, second == NULL ? "not complete" : "not a verb");
		list_verbs(stderr, first);
	} else {
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
