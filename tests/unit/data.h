/* Test data: files below tests/data. A bad file's name begins with the label of the error that is expected. */
#ifndef TESTS_DATA_H
#define TESTS_DATA_H

#include <dirent.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"

/* tests/data/PATH, read whole; the caller frees. */
static inline struct buf data_read(const char *path)
{
	char *full = mem_printf("%s/%s", TEST_DATA, path);
	struct buf b = {0};
	struct why why = {0};

	if (file_read(full, &b, &why) != ERR_OK)
		fail_msg("%s", why.text);
	free(full);
	return b;
}

/* Calls `check` for each file of a folder with that ending, which must hold at least `least`. */
static inline void data_each(const char *folder, const char *ending, size_t least, void (*check)(const char *name, struct bytes content))
{
	char *path = mem_printf("%s/%s", TEST_DATA, folder);
	DIR *dir = opendir(path);
	struct dirent *entry;
	size_t n = 0;

	if (dir == NULL)
		fail_msg("cannot open %s", path);
	while (dir != NULL && (entry = readdir(dir)) != NULL) {
		const char *dot = strrchr(entry->d_name, '.');
		char *file;
		struct buf content;

		if (entry->d_name[0] == '.' || dot == NULL || strcmp(dot, ending) != 0)
			continue;
		file = mem_printf("%s/%s", folder, entry->d_name);
		content = data_read(file);
		check(entry->d_name, buf_bytes(&content));
		buf_free(&content);
		free(file);
		n++;
	}
	closedir(dir);
	free(path);
	if (n < least)
		fail_msg("%s has %zu files, expected were %zu", folder, n, least);
}

/* The error whose label stands before the first '-' of a bad file's name. */
static inline enum err data_expected(const char *name)
{
	char label[32] = "";
	size_t n = strcspn(name, "-");
	int err = 0;

	memcpy(label, name, n < sizeof(label) ? n : sizeof(label) - 1);
	while (err < ERR_COUNT && strcmp(err_row((enum err)err)->label, label) != 0)
		err++;
	if (err == ERR_COUNT)
		fail_msg("%s: no error has the label '%s'", name, label);
	return (enum err)err;
}

#endif
