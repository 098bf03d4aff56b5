/* Files, read and written whole. */
#ifndef BASE_FILE_H
#define BASE_FILE_H

#include <sys/types.h>

#include "base/buf.h"
#include "base/err.h"

#define FILE_MAX ((size_t)16 << 20)	/* larger files are refused */

/* Reads a regular file (or a pipe, for "-": standard input). Errors: FILE, with the cause and the path in `why`. */
enum err file_read(const char *path, struct buf *out, struct why *why);

/* The same for secrets: refuses a file that its group or others can read (mode & 077), naming the chmod that helps. */
enum err file_read_secret(const char *path, struct buf *out, struct why *why);

/*
 * Writes a whole file through a temporary one in the same folder, fsync and rename, so that a reader or a crash sees the old
 * or the new file. mode: e.g. 0600. CONFLICT when the file exists and `replace` is false.
 */
enum err file_write(const char *path, struct bytes content, mode_t mode, bool replace, struct why *why);

/* Could file_write replace or make it? For those who must know before they do what cannot be undone. */
enum err file_may_write(const char *path, struct why *why);

/* file_write for a file that is there, with the mode and owner that it has (who could read it still can), also behind a symbolic link. */
enum err file_rewrite(const char *path, struct bytes content, struct why *why);

/* Writes all of it to a descriptor, whatever interrupts; false, with errno, when that fails. */
bool file_write_all(int fd, struct bytes content);

/* Path `name` taken relative to the folder of `base_file` unless absolute; the caller frees. NULL name gives NULL. */
char *file_beside(const char *base_file, const char *name);

#endif
