/* Static secrets and the making of one-time challenges. */
#include "auth/challenge.h"	/* before cmocka.h, which has a macro fail() */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char path[] = "/tmp/test_challenge.XXXXXX";

static void put(const char *text, mode_t mode)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(chmod(path, mode), 0);
}

static bool match(const struct secrets *s, const char *challenge)
{
	return secrets_match(s, bytes_str(challenge));
}

static void reads_one_secret_a_line(void **state)
{
	struct secrets *s = NULL;
	struct why why;

	(void)state;
	put("# made in spring\n\nfirst-secret\r\n  \t\nsecond secret \nlast-without-newline", 0600);
	assert_int_equal(secrets_read(path, &s, &why), ERR_OK);
	assert_true(match(s, "first-secret"));
	assert_true(match(s, "second secret "));
	assert_true(match(s, "last-without-newline"));
	assert_false(match(s, "first-secret\r"));
	assert_false(match(s, "second secret"));
	assert_false(match(s, "first-secre"));
	assert_false(match(s, "first-secretX"));
	assert_false(match(s, "# made in spring"));
	assert_false(match(s, ""));
	assert_false(secrets_match(s, bytes_of(NULL, 0)));
	secrets_free(s);
}

static void no_secrets_match_nothing(void **state)
{
	(void)state;
	assert_false(match(NULL, "anything"));
	assert_false(match(NULL, ""));
	secrets_free(NULL);
}

static void refuses(const char *text, mode_t mode, enum err err, const char *says)
{
	struct secrets *s = NULL;
	struct why why;

	put(text, mode);
	assert_int_equal(secrets_read(path, &s, &why), err);
	assert_int_equal(why.err, err);
	assert_non_null(strstr(why.text, path));
	assert_non_null(strstr(why.text, says));
	assert_null(s);
	assert_null(strstr(why.text, "short12"));
	assert_int_equal(secrets_read(path, &s, NULL), err);
}

static void refuses_bad_files(void **state)
{
	struct secrets *s = NULL;
	struct why why;
	char *many = calloc(1, 1001 * 10 + 1);
	int i;

	(void)state;
	refuses("\xef\xbb\xbf" "first-secret\n", 0600, ERR_CONFIG, "byte order mark");
	refuses("", 0600, ERR_CONFIG, "no secret");
	refuses("# only\n \n#comments\n", 0600, ERR_CONFIG, "no secret");
	refuses("long-enough\nshort12\n", 0600, ERR_CONFIG, "line 2");
	refuses("good-secret\n", 0640, ERR_FILE, "chmod");
	refuses("good-secret\n", 0604, ERR_FILE, "chmod");
	for (i = 0; i < 1001; i++)
		memcpy(many + 10L * i, "012345678\n", 10);
	refuses(many, 0600, ERR_CONFIG, "1000");
	free(many);
	assert_int_equal(secrets_read("/nonexistent/secrets", &s, &why), ERR_FILE);
}

static void eight_octets_are_enough(void **state)
{
	struct secrets *s = NULL;
	struct why why;

	(void)state;
	put("12345678\n", 0600);
	assert_int_equal(secrets_read(path, &s, &why), ERR_OK);
	assert_true(match(s, "12345678"));
	secrets_free(s);
}

static void makes_fresh_challenges(void **state)
{
	struct buf a = {0}, b = {0};
	struct why why;
	unsigned seen = 0;
	int i;

	(void)state;
	buf_add_str(&a, "x");
	assert_int_equal(challenge_generate(&a, &why), ERR_OK);
	assert_int_equal(a.n, 33);
	assert_int_equal(a.p[0], 'x');
	assert_int_equal(strspn((char *)a.p + 1, "abcdefghijklmnopqrstuvwxyz234567"), 32);
	/* every one of the 32 characters turns up, at the last place too: no bits are lost */
	for (i = 0; i < 2000 && seen != 0xffffffff; i++) {
		buf_free(&b);
		assert_int_equal(challenge_generate(&b, &why), ERR_OK);
		seen |= 1u << (b.p[31] >= 'a' ? b.p[31] - 'a' : b.p[31] - '2' + 26);
	}
	assert_int_equal(seen, 0xffffffff);
	assert_memory_not_equal(a.p + 1, b.p, 32);
	buf_free(&a);
	buf_free(&b);
}

static int make_file(void **state)
{
	(void)state;
	return close(mkstemp(path));
}

static int remove_file(void **state)
{
	(void)state;
	return unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(reads_one_secret_a_line),
	    cmocka_unit_test(no_secrets_match_nothing),
	    cmocka_unit_test(refuses_bad_files),
	    cmocka_unit_test(eight_octets_are_enough),
	    cmocka_unit_test(makes_fresh_challenges),
	};

	return cmocka_run_group_tests(tests, make_file, remove_file);
}
