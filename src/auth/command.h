/* A program of the operator's that is asked what a web hook is asked: octets to its standard input, octets from its standard output. */
#ifndef AUTH_COMMAND_H
#define AUTH_COMMAND_H

#include "base/buf.h"
#include "base/err.h"

/* An absolute path of a regular file that can be run and that only its owner can write. Error: FILE. */
enum err command_check(const char *path, struct why *why);

/*
 * Runs it, without a shell, arguments or our environment, in a process group of its own that ends with it, or when the time is over; the
 * caller ignores SIGPIPE, as everything that serves does. It need not read its input. Error: HOOK (cannot be run, too late, ended otherwise
 * than by exit 0, more than HOOK_ANSWER_MAX octets), with the first line of what it wrote to its standard error.
 */
enum err command_run(const char *path, long timeout_ms, struct bytes input, struct buf *answer, struct why *why);

#endif
