/* Other people's programs in unit tests: a temporary folder, and running a command in it. */
#ifndef TESTS_RUN_H
#define TESTS_RUN_H

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"

/* A new folder below /tmp (short: sockets and tokens live in it); the caller frees the name and removes the folder. */
static inline char *run_folder(void)
{
	char template[] = "/tmp/scepter-test-XXXXXX";

	if (mkdtemp(template) == NULL)
		fail_msg("mkdtemp");
	return mem_strdup(template);
}

/* Runs a command (NULL-terminated), output and all to `log`; returns its exit status, 127 when there is no such program. */
static inline int run(const char *log, const char *const argv[])
{
	int status = -1;
	pid_t pid = fork();

	if (pid == 0) {
		int fd = open(log, O_WRONLY | O_CREAT | O_TRUNC, 0600);

		dup2(fd, STDOUT_FILENO);
		dup2(fd, STDERR_FILENO);
		unsetenv("LD_PRELOAD");
		execvp(argv[0], (char *const *)argv);
		_exit(127);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		fail_msg("%s did not end well", argv[0]);
	return WEXITSTATUS(status);
}

/* The same, and the test fails with the command's output when the status is not 0. */
static inline void run_ok(const char *log, const char *const argv[])
{
	struct buf text = {0};
	int status = run(log, argv);

	if (status == 0)
		return;
	file_read(log, &text, NULL);
	print_error("%s", text.p == NULL ? "" : (char *)text.p);
	buf_free(&text);
	fail_msg("%s: exit status %d", argv[0], status);
}

/* Removes a folder made by run_folder and frees its name. */
static inline void run_remove(char *folder)
{
	const char *const argv[] = {"rm", "-rf", folder, NULL};

	run("/dev/null", argv);
	free(folder);
}

#endif
