#include "unit.h"

#include <stdlib.h>
#include <string.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"

static char folder[] = "/tmp/test-base-file.XXXXXX";

static int set_up(void **state)
{
	(void)state;
	return mkdtemp(folder) == NULL || chdir(folder) != 0;
}

static int tear_down(void **state)
{
	(void)state;
	return chdir("/") != 0 || rmdir(folder) != 0;
}

/* The last test: the files that the others made are all there is, no temporary one. */
static void nothing_left_behind(void **state)
{
	static const char *const names[] = {"a", "secret", "fifo", "big", "link"};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		assert_int_equal(unlink(names[i]), 0);
	assert_int_equal(rmdir(folder), 0);
	assert_int_equal(mkdir(folder, 0700), 0);
}

static mode_t mode_of(const char *path)
{
	struct stat st;

	assert_int_equal(stat(path, &st), 0);
	return st.st_mode & 07777;
}

static void written_whole(void **state)
{
	struct buf got = {0};
	struct why why;

	(void)state;
	assert_int_equal(file_write("a", BYTES_LIT("one"), 0640, false, &why), ERR_OK);
	assert_int_equal(mode_of("a"), 0640);
	assert_int_equal(file_write("a", BYTES_LIT("two"), 0600, false, &why), ERR_CONFLICT);
	assert_non_null(strstr(why.text, "'a' is there already"));
	buf_add_str(&got, "kept ");
	assert_int_equal(file_read("a", &got, &why), ERR_OK);
	assert_string_equal((char *)got.p, "kept one");
	assert_int_equal(file_write("a", BYTES_LIT("t\0o"), 0600, true, &why), ERR_OK);
	assert_int_equal(mode_of("a"), 0600);
	buf_cut(&got, 0);
	assert_int_equal(file_read("a", &got, &why), ERR_OK);
	assert_true(bytes_eq(buf_bytes(&got), BYTES_LIT("t\0o")));
	assert_int_equal(file_write("a", BYTES_LIT(""), 0600, true, &why), ERR_OK);
	buf_cut(&got, 0);
	assert_int_equal(file_read("a", &got, &why), ERR_OK);
	assert_int_equal(got.n, 0);
	assert_int_equal(file_write("no-folder/a", BYTES_LIT("x"), 0600, true, &why), ERR_FILE);
	assert_non_null(strstr(why.text, "no-folder/a"));
	buf_free(&got);
}

static void secrets(void **state)
{
	static const mode_t bad[] = {0640, 0604, 0620, 0601, 0660, 0644};
	struct buf got = {0};
	struct why why;
	size_t i;

	(void)state;
	assert_int_equal(file_write("secret", BYTES_LIT("s3cret"), 0600, false, &why), ERR_OK);
	assert_int_equal(file_read_secret("secret", &got, &why), ERR_OK);
	assert_string_equal((char *)got.p, "s3cret");
	assert_int_equal(chmod("secret", 0400), 0);
	assert_int_equal(file_read_secret("secret", &got, &why), ERR_OK);
	buf_cut(&got, 0);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(chmod("secret", bad[i]), 0);
		assert_int_equal(file_read_secret("secret", &got, &why), ERR_FILE);
		assert_non_null(strstr(why.text, "chmod 600 secret"));
		assert_int_equal(got.n, 0);
		assert_int_equal(file_read("secret", &got, &why), ERR_OK);
		buf_cut(&got, 0);
	}
	/* the mode of the file counts, not that of a symbolic link to it */
	assert_int_equal(symlink("secret", "link"), 0);
	assert_int_equal(file_read_secret("link", &got, &why), ERR_FILE);
	buf_free(&got);
}

static void refused(void **state)
{
	struct buf got = {0};
	struct why why;
	int fd;

	(void)state;
	assert_int_equal(file_read("missing", &got, &why), ERR_FILE);
	assert_string_equal(why.text, "cannot open 'missing': No such file or directory; is the name right?");
	assert_int_equal(file_read(".", &got, &why), ERR_FILE);
	assert_non_null(strstr(why.text, "not a regular file"));
	assert_int_equal(mkfifo("fifo", 0600), 0);	/* must not wait for a writer */
	assert_int_equal(file_read("fifo", &got, &why), ERR_FILE);
	assert_int_equal(file_read("/dev/zero", &got, &why), ERR_FILE);
	fd = open("big", O_WRONLY | O_CREAT, 0600);
	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, (off_t)FILE_MAX + 1), 0);
	assert_int_equal(file_read("big", &got, &why), ERR_FILE);
	assert_non_null(strstr(why.text, "larger than"));
	assert_int_equal(ftruncate(fd, (off_t)FILE_MAX), 0);
	assert_int_equal(file_read("big", &got, &why), ERR_OK);
	assert_int_equal(got.n, FILE_MAX);
	/* sizes that /proc does not tell beforehand */
	buf_cut(&got, 0);
	assert_int_equal(file_read("/proc/self/status", &got, &why), ERR_OK);
	assert_true(got.n > 100);
	close(fd);
	buf_free(&got);
}

static void rewritten(void **state)
{
	struct buf got = {0};
	struct stat st;
	struct why why;

	(void)state;
	assert_int_equal(file_rewrite("kept", BYTES_LIT("x"), &why), ERR_FILE);
	assert_int_equal(file_write("kept", BYTES_LIT("before"), 0640, false, &why), ERR_OK);
	if (getuid() == 0)
		assert_int_equal(chown("kept", 65534, 65534), 0);
	assert_int_equal(symlink("kept", "link"), 0);
	assert_int_equal(file_rewrite("link", BYTES_LIT("after"), &why), ERR_OK);
	assert_int_equal(lstat("link", &st), 0);
	assert_true(S_ISLNK(st.st_mode));
	assert_int_equal(stat("kept", &st), 0);
	assert_int_equal(st.st_mode & 07777, 0640);
	assert_int_equal(st.st_uid, getuid() == 0 ? 65534 : getuid());
	assert_int_equal(file_read("kept", &got, &why), ERR_OK);
	assert_string_equal(buf_str(&got), "after");
	assert_int_equal(unlink("link") | unlink("kept"), 0);
	buf_free(&got);
}

static void from_standard_input(void **state)
{
	struct buf got = {0};
	struct why why;
	int ends[2], saved = dup(STDIN_FILENO);

	(void)state;
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(write(ends[1], "piped", 5), 5);
	close(ends[1]);
	dup2(ends[0], STDIN_FILENO);
	close(ends[0]);
	assert_int_equal(file_read_secret("-", &got, &why), ERR_OK);
	assert_string_equal((char *)got.p, "piped");
	dup2(saved, STDIN_FILENO);
	close(saved);
	buf_free(&got);
}

static void beside(void **state)
{
	static const char *const rows[][3] = {
	    {"/etc/scepter/scepter.ini", "ca/ca.pem", "/etc/scepter/ca/ca.pem"},
	    {"/etc/scepter/scepter.ini", "/ca.pem", "/ca.pem"},
	    {"scepter.ini", "ca.pem", "ca.pem"},
	    {"conf/scepter.ini", "../ca.pem", "conf/../ca.pem"},
	    {"/scepter.ini", "ca.pem", "/ca.pem"},
	};
	size_t i;

	(void)state;
	assert_null(file_beside("/etc/x", NULL));
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char *path = file_beside(rows[i][0], rows[i][1]);

		assert_string_equal(path, rows[i][2]);
		free(path);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(rewritten),
	    cmocka_unit_test(written_whole), cmocka_unit_test(secrets), cmocka_unit_test(refused),
	    cmocka_unit_test(from_standard_input), cmocka_unit_test(beside),
	    cmocka_unit_test(nothing_left_behind),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
