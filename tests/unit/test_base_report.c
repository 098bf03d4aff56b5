/* What people read: the error table and struct why, problem lists, suggestions, log lines. */
#include "unit.h"

#include <string.h>
#include <regex.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/problems.h"

static void error_table(void **state)
{
	int i;

	(void)state;
	for (i = 0; i < ERR_COUNT; i++) {
		const struct err_row *row = err_row((enum err)i);

		for (int other = 0; other < i; other++)
			assert_string_not_equal(row->label, err_row((enum err)other)->label);
		assert_true(row->http >= 200 && row->http < 600);
		if (row->whose == OPERATOR)	/* a device is never told FAILURE because our side is broken */
			assert_int_equal(row->fail_info, FI_NONE);
	}
	assert_string_equal(err_row(ERR_COUNT)->name, "INTERNAL");
	assert_string_equal(err_row((enum err)-1)->name, "INTERNAL");
}

static void sentences(void **state)
{
	struct why why;
	char longer[1000];

	(void)state;
	assert_int_equal(fail(&why, ERR_KEY_WEAK, "RSA %d bits\nforged line", 512), ERR_KEY_WEAK);
	assert_string_equal(why.text, "RSA 512 bits?forged line");
	assert_int_equal(fail_in(&why, "profile '%s'", "x"), ERR_KEY_WEAK);
	assert_string_equal(why.text, "profile 'x': RSA 512 bits?forged line");
	fail(&why, ERR_CSR, "C1 \xc2\x9b" "31m, NEL \xc2\x85, RLO \u202e, \u00fc");
	assert_string_equal(why.text, "C1 ??31m, NEL ??, RLO ???, \u00fc");
	fail(&why, ERR_KEY_WEAK, "RSA 512 bits?forged line");
	fail_in(&why, "profile '%s'", "x");
	fail(&why, ERR_CSR, "inner: %s", why.text);	/* the old sentence may be an argument of the new one */
	assert_string_equal(why.text, "inner: profile 'x': RSA 512 bits?forged line");
	memset(longer, 'x', sizeof(longer));
	longer[sizeof(longer) - 1] = '\0';
	fail(&why, ERR_CSR, "%s", longer);
	assert_int_equal(strlen(why.text), sizeof(why.text) - 1);
	fail_in(&why, "%s", longer);
	assert_true(strlen(why.text) < sizeof(why.text));
	assert_int_equal(fail(NULL, ERR_CSR, "nobody listens"), ERR_CSR);
}

static void problem_lists(void **state)
{
	struct problems p = {0};
	struct why why;
	int i;

	(void)state;
	fail(&why, ERR_FILE, "cannot open 'x'");
	for (i = 0; i < 100; i++)
		problem_add(&p, i % 2 ? PROBLEM_ERROR : PROBLEM_WARNING, "where", "number %d\x1b[31m", i);
	problem_why(&p, "there", &why);
	assert_int_equal(p.n, 101);
	assert_int_equal(p.n_errors, 51);
	assert_string_equal(p.list[99].text, "number 99?[31m");
	assert_string_equal(p.list[99].where, "where");
	assert_string_equal(p.list[100].text, "cannot open 'x'");
	assert_int_equal(p.list[100].level, PROBLEM_ERROR);
	problems_free(&p);
	assert_int_equal(p.n, 0);
	problems_free(&p);
	problems_free(NULL);
}

static void suggestions(void **state)
{
	static const char *const words[] = {"validity", "backdate", "san", "key_usage", "extended_key_usage", "key", NULL};
	static const struct {
		const char *word, *want;
	} rows[] = {
	    {"valdity", "validity"}, {"vaildity", "validity"}, {"VALIDITY", "validity"}, {"validitty", "validity"},
	    {"key-usage", "key_usage"}, {"keyusage", "key_usage"}, {"ext_key_usage", "extended_key_usage"}, {"sna", "san"},
	    {"keys", "key"}, {"colour", NULL}, {"", NULL}, {"x", NULL}, {"lifetime", NULL},
	    {"0123456789012345678901234567890123456789012345678901234567890123456789", NULL},
	};
	static const char *const none[] = {NULL};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *got = nearest_word(rows[i].word, words);

		print_message("# %s -> %s\n", rows[i].word, got ? got : "nothing");
		if (rows[i].want == NULL)
			assert_null(got);
		else
			assert_string_equal(got, rows[i].want);
	}
	assert_null(nearest_word("x", none));
}

/* Runs with standard error in a pipe and gives what came out. */
static void log_to_pipe(void (*write_log)(void), char *got, size_t size)
{
	int ends[2], saved = dup(STDERR_FILENO);
	ssize_t n;

	assert_int_equal(pipe(ends), 0);
	dup2(ends[1], STDERR_FILENO);
	write_log();
	dup2(saved, STDERR_FILENO);
	close(saved);
	close(ends[1]);
	n = read(ends[0], got, size - 1);
	close(ends[0]);
	got[n < 0 ? 0 : n] = '\0';
}

static void some_lines(void)
{
	log_open(LOG_TO_STDERR, LOG_WARN_, "scep");
	log_error("first %d\nInjected line", 1);
	log_info("not at this level");
	log_warn("second");
}

static void a_long_line(void)
{
	log_open(LOG_TO_STDERR, LOG_DEBUG_, "scep");
	log_debug("%05000d", 7);
}

static void log_lines(void **state)
{
	static const char expected[] = "^20[0-9]{2}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z scep\\[[0-9]+\\] "
	    "error: first 1\\?Injected line\n[^\n]+ warning: second\n$";
	char got[8192];
	regex_t re;

	(void)state;
	log_to_pipe(some_lines, got, sizeof(got));
	assert_int_equal(regcomp(&re, expected, REG_EXTENDED | REG_NOSUB), 0);
	assert_int_equal(regexec(&re, got, 0, NULL, 0), 0);
	regfree(&re);
	log_to_pipe(a_long_line, got, sizeof(got));
	assert_true(strlen(got) > 2000 && strlen(got) < 2300);
	assert_int_equal(got[strlen(got) - 1], '\n');
	assert_int_equal(log_level_of(ERR_DB), LOG_ERROR_);
	assert_int_equal(log_level_of(ERR_KEY_WEAK), LOG_WARN_);
	assert_int_equal(log_level_of(ERR_SYNTAX), LOG_INFO_);
}

#ifdef __SANITIZE_ADDRESS__
#define OTHER_HEAP 1
#elif defined(__has_feature)
#define OTHER_HEAP __has_feature(address_sanitizer)
#else
#define OTHER_HEAP 0
#endif

/* A third of what there can be: no library is asked, since what it makes of it is not ours. */
static void *ask(int how)
{
	volatile size_t all = SIZE_MAX / 3;

	return how == 0 ? malloc(all) : how == 1 ? calloc(all, 1) : realloc(malloc(1), all);
}

/* Libraries have no other than these. */
static void memory_that_is_not_there_ends_the_process(void **state)
{
	char said[100];
	int status, ends[2];

	(void)state;
	if (OTHER_HEAP)	/* which ends it in its own words */
		return;
	for (int how = 0; how < 3; how++) {
		ssize_t n;
		pid_t pid;

		assert_int_equal(pipe(ends), 0);
		pid = fork();
		if (pid == 0) {
			mem_no_core();
			signal(SIGABRT, SIG_DFL);	/* cmocka catches it */
			dup2(ends[1], STDERR_FILENO);
			_exit(ask(how) == NULL);
		}
		close(ends[1]);
		n = read(ends[0], said, sizeof(said) - 1);
		assert_true(n > 0);
		said[n] = '\0';
		assert_string_equal(said, "out of memory\n");
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
		close(ends[0]);
	}
	free(realloc(malloc(10), 0));	/* no memory was asked for */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(error_table), cmocka_unit_test(sentences), cmocka_unit_test(problem_lists),
	    cmocka_unit_test(suggestions), cmocka_unit_test(log_lines),
	    cmocka_unit_test(memory_that_is_not_there_ends_the_process),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
