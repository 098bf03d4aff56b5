/* What each dialect stands for, and that a path leads to one profile. */
#include "unit.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "conf/conf.h"

/* A folder with a scepter.ini and an empty profiles.d. */
static char folder[] = "/tmp/test-conf-dialect.XXXXXX";
static const char server_ini[] = "[database]\nconninfo = dbname=x\npepper_file = pepper\n";

static int set_up(void **state)
{
	struct why why;

	(void)state;
	return mkdtemp(folder) == NULL || chdir(folder) != 0 || mkdir("profiles.d", 0700) != 0 ||
	    file_write("scepter.ini", bytes_str(server_ini), 0600, true, &why) != ERR_OK;
}

static int tear_down(void **state)
{
	(void)state;
	return unlink("scepter.ini") != 0 || rmdir("profiles.d") != 0 || chdir("/") != 0 || rmdir(folder) != 0;
}

/* One profile with `lines` in its [scep]. The caller frees. */
static struct conf *read_scep(const char *lines)
{
	char *text = mem_printf("[ca]\ncertificate = c\nkey = k\n[scep]\n%s\n", lines);
	struct problems p = {0};
	struct conf *conf;
	struct why why;

	assert_int_equal(file_write("profiles.d/x.ini", bytes_str(text), 0600, true, &why), ERR_OK);
	conf = conf_read("scepter.ini", &p);
	assert_non_null(conf);
	assert_int_equal(p.n, 0);
	unlink("profiles.d/x.ini");
	free(text);
	return conf;
}

static void dialects(void **state)
{
	static const unsigned usual = TOLERATE_CASE | TOLERATE_NO_OPERATION | TOLERATE_CONTENT_TYPE | TOLERATE_BASE64 | TOLERATE_NONCE |
	    TOLERATE_STRINGS | TOLERATE_UNSORTED;
	static const struct {
		const char *lines;
		unsigned tolerate, hide_caps;
		bool get, post, match, chain_in_answer;
		enum conf_ca_chain ca_chain;
		enum conf_empty_content empty;
	} rows[] = {
	    {"", usual, 0, true, true, true, false, CA_CHAIN_FULL, EMPTY_CONTENT_AUTO},
	    {"dialect = auto", usual, 0, true, true, true, false, CA_CHAIN_FULL, EMPTY_CONTENT_AUTO},
	    {"dialect = Strict", 0, 0, false, true, true, false, CA_CHAIN_FULL, EMPTY_CONTENT_ABSENT},
	    {"get = yes\ndialect = strict\ntolerate = case", TOLERATE_CASE, 0, true, true, true, false, CA_CHAIN_FULL, EMPTY_CONTENT_ABSENT},
	    {"dialect = cisco", usual, 0, true, true, true, true, CA_CHAIN_FULL, EMPTY_CONTENT_AUTO},
	    {"dialect = windows", usual, 0, true, true, false, false, CA_CHAIN_FULL, EMPTY_CONTENT_AUTO},
	    {"dialect = windows\n[enrol]\nsigner_key = must-match", usual, 0, true, true, true, false, CA_CHAIN_FULL, EMPTY_CONTENT_AUTO},
	    {"dialect = apple", usual, 0, true, true, true, false, CA_CHAIN_LEAF_ONLY, EMPTY_CONTENT_AUTO},
	    {"dialect = juniper", usual, 0, true, false, true, false, CA_CHAIN_FULL, EMPTY_CONTENT_AUTO},
	    {"dialect = legacy", usual | TOLERATE_BASE64_POST, HIDE_RENEWAL | HIDE_STANDARD, true, true, true, false, CA_CHAIN_LEAF_ONLY,
		EMPTY_CONTENT_AUTO},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct conf *conf = read_scep(rows[i].lines);
		const struct profile_conf *p = conf->profiles[0];

		print_message("# %s\n", rows[i].lines);
		assert_int_equal(p->tolerate, rows[i].tolerate);
		assert_int_equal(p->hide_caps, rows[i].hide_caps);
		assert_int_equal(p->get, rows[i].get);
		assert_int_equal(p->post, rows[i].post);
		assert_int_equal(p->signer_key_must_match, rows[i].match);
		assert_int_equal(p->include_chain, rows[i].chain_in_answer);
		assert_int_equal(p->ca_chain, rows[i].ca_chain);
		assert_int_equal(p->empty_content, rows[i].empty);
		assert_int_equal(p->legacy | p->obsolete, 0);	/* algorithms are nobody's dialect */
		conf_free(conf);
	}
}

/* A path leads to one profile. */
static void paths_of_two(void **state)
{
	static const char profile[] = "[profile]\npaths = /a /b\n[ca]\ncertificate = c\nkey = k\n";
	struct problems p = {0};
	struct why why;

	(void)state;
	assert_int_equal(file_write("profiles.d/x.ini", bytes_str(profile), 0600, true, &why), ERR_OK);
	assert_int_equal(file_write("profiles.d/y.ini", bytes_str(profile), 0600, true, &why), ERR_OK);
	assert_null(conf_read("scepter.ini", &p));
	assert_int_equal(p.n_errors, 2);
	assert_non_null(strstr(p.list[0].where, "y.ini [profile] paths"));
	assert_non_null(strstr(p.list[0].text, "'/a' is a path of profile 'x' already"));
	problems_free(&p);
	unlink("profiles.d/x.ini");
	unlink("profiles.d/y.ini");
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(dialects), cmocka_unit_test(paths_of_two)};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
