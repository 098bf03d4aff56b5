#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"

/* Appends all of `fd`. The buffer is sized at once where the size is known, so that a secret leaves no copies behind. */
static enum err read_all(int fd, size_t expected, const char *path, struct buf *out, struct why *why)
{
	size_t start = out->n, want = expected + 1;
	ssize_t got;

	for (;;) {
		uint8_t *p = buf_grow(out, want);

		do
			got = read(fd, p, want);
		while (got < 0 && errno == EINTR);
		if (got < 0)
			return fail(why, ERR_FILE, "cannot read '%s': %s", path, strerror(errno));
		buf_cut(out, out->n - (want - (size_t)got));
		if (got == 0)
			return ERR_OK;
		if (out->n - start > FILE_MAX)
			return fail(why, ERR_FILE, "'%s' is larger than %zu octets", path, FILE_MAX);
		want = 4096 + out->n - start;
	}
}

static enum err check_kind(int fd, const char *path, bool secret, size_t *size, struct why *why)
{
	struct stat st;

	if (fstat(fd, &st) != 0)
		return fail(why, ERR_FILE, "cannot look at '%s': %s", path, strerror(errno));
	if (!S_ISREG(st.st_mode))
		return fail(why, ERR_FILE, "'%s' is not a regular file", path);
	if (st.st_size > (off_t)FILE_MAX)
		return fail(why, ERR_FILE, "'%s' is larger than %zu octets", path, FILE_MAX);
	if (secret && (st.st_mode & 077) != 0)
		return fail(why, ERR_FILE, "'%s' is open to group or others (mode %04o): chmod 600 %s", path,
		    (unsigned)st.st_mode & 07777, path);
	*size = (size_t)st.st_size;
	return ERR_OK;
}

/* What most often helps. */
static const char *remedy_of(int error)
{
	switch (error) {
	case ENOENT:
		return "; is the name right?";
	case EACCES:
		return "; let the user that this runs as read it";
	default:
		return "";
	}
}

static enum err read_path(const char *path, bool secret, struct buf *out, struct why *why)
{
	bool is_stdin = strcmp(path, "-") == 0;
	/* O_NONBLOCK: a FIFO in the place of a file must not hold us up before fstat tells */
	int fd = is_stdin ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	size_t size = 0, start = out->n;
	enum err err = ERR_OK;

	if (fd < 0)
		return fail(why, ERR_FILE, "cannot open '%s': %s%s", path, strerror(errno), remedy_of(errno));
	if (!is_stdin)
		err = check_kind(fd, path, secret, &size, why);
	if (err == ERR_OK)
		err = read_all(fd, size, path, out, why);
	if (err != ERR_OK && out->n > start) {
		mem_wipe(out->p + start, out->n - start);
		buf_cut(out, start);
	}
	if (!is_stdin)
		close(fd);
	return err;
}

enum err file_read(const char *path, struct buf *out, struct why *why)
{
	return read_path(path, false, out, why);
}

enum err file_read_secret(const char *path, struct buf *out, struct why *why)
{
	return read_path(path, true, out, why);
}

bool file_write_all(int fd, struct bytes content)
{
	while (content.n > 0) {
		ssize_t n = write(fd, content.p, content.n);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return false;
		content = bytes_cut(content, (size_t)n, content.n);
	}
	return true;
}

/* The rename is durable only once its folder is (fsync(2)). Some file systems refuse this: nothing is lost then but time. */
static void sync_folder_of(const char *path)
{
	char *folder = file_beside(path, ".");
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd >= 0) {
		(void)fsync(fd);
		close(fd);
	}
	free(folder);
}

/* Puts the finished temporary file in its place; without `replace` link(2), which never overwrites. */
static enum err put_in_place(const char *tmp, const char *path, bool replace, struct why *why)
{
	if (replace) {
		if (rename(tmp, path) != 0)
			return fail(why, ERR_FILE, "cannot write '%s': %s", path, strerror(errno));
		return ERR_OK;
	}
	if (link(tmp, path) != 0) {
		if (errno == EEXIST)
			return fail(why, ERR_CONFLICT, "'%s' is there already", path);
		return fail(why, ERR_FILE, "cannot write '%s': %s", path, strerror(errno));
	}
	unlink(tmp);
	return ERR_OK;
}

/* What the new file is to be like. */
struct like {
	mode_t mode;
	bool replace;
	const struct stat *owner;	/* NULL: whoever writes it */
};

static bool finish(int fd, const struct like *like)
{
	return (like->owner == NULL || fchown(fd, like->owner->st_uid, like->owner->st_gid) == 0) && fchmod(fd, like->mode) == 0 &&
	    fsync(fd) == 0;
}

static enum err write_file(const char *path, struct bytes content, const struct like *like, struct why *why)
{
	char *tmp = mem_printf("%s.XXXXXX", path);
	enum err err;
	int fd;

	fd = mkostemp(tmp, O_CLOEXEC);	/* mode 0600 until it is complete */
	if (fd < 0) {
		err = fail(why, ERR_FILE, "cannot write in the folder of '%s': %s", path, strerror(errno));
		free(tmp);
		return err;
	}
	if (!file_write_all(fd, content) || !finish(fd, like))
		err = fail(why, ERR_FILE, "cannot write '%s': %s", tmp, strerror(errno));
	else
		err = put_in_place(tmp, path, like->replace, why);
	close(fd);
	if (err == ERR_OK)
		sync_folder_of(path);
	else
		unlink(tmp);
	free(tmp);
	return err;
}

enum err file_write(const char *path, struct bytes content, mode_t mode, bool replace, struct why *why)
{
	return write_file(path, content, &(struct like){.mode = mode, .replace = replace}, why);
}

enum err file_may_write(const char *path, struct why *why)
{
	char *tmp = mem_printf("%s.XXXXXX", path);
	int fd = mkostemp(tmp, O_CLOEXEC);
	enum err err = ERR_OK;
	struct stat st;

	if (fd < 0) {
		err = fail(why, ERR_FILE, "cannot write in the folder of '%s': %s", path, strerror(errno));
	} else {
		close(fd);
		unlink(tmp);
		if (stat(path, &st) == 0 && !S_ISREG(st.st_mode))
			err = fail(why, ERR_FILE, "'%s' is there and is not a regular file", path);
	}
	free(tmp);
	return err;
}

enum err file_rewrite(const char *path, struct bytes content, struct why *why)
{
	char *target = realpath(path, NULL);	/* a symbolic link stays one */
	struct stat st;
	enum err err;

	if (target == NULL || stat(target, &st) != 0)
		err = fail(why, ERR_FILE, "cannot look at '%s': %s%s", path, strerror(errno), remedy_of(errno));
	else
		err = write_file(target, content, &(struct like){.mode = st.st_mode & 07777, .replace = true, .owner = &st}, why);
	free(target);
	return err;
}

char *file_beside(const char *base_file, const char *name)
{
	const char *slash;

	if (name == NULL)
		return NULL;
	slash = strrchr(base_file, '/');
	if (name[0] == '/' || slash == NULL)
		return mem_strdup(name);
	return mem_printf("%.*s/%s", (int)(slash - base_file), base_file, name);
}
