/*
 * Feeds a fuzz target its corpus and every input that once crashed it, so that `make check` replays them with any compiler. The
 * program is called replay_NAME, is linked from this file and fuzz_NAME.c, and reads corpus/NAME and crashes/NAME beside this
 * file (or the folders given). Prints TAP: an input that crashes leaves the plan incomplete, after its name.
 *
 * A layer's automake fragment says:
 *	check_PROGRAMS += tests/fuzz/replay_NAME
 *	tests_fuzz_replay_NAME_SOURCES = tests/fuzz/replay.c tests/fuzz/fuzz_NAME.c
 *	tests_fuzz_replay_NAME_LDADD = $(LINK_PKI)
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static unsigned count;

static int visible(const struct dirent *e)
{
	return e->d_name[0] != '.';
}

static void feed_file(const char *path)
{
	struct buf in = {0};
	struct why why;
	uint8_t *exact;

	printf("# %s\n", path);
	fflush(stdout);
	if (file_read(path, &in, &why) != ERR_OK) {
		printf("not ok %u - %s: %s\n", ++count, path, why.text);
		return;
	}
	exact = mem_alloc(in.n);	/* no spare octet after the input, so that a sanitizer sees a read past it */
	if (in.n > 0)
		memcpy(exact, in.p, in.n);
	LLVMFuzzerTestOneInput(exact, in.n);
	printf("ok %u - %s\n", ++count, path);
	free(exact);
	buf_free(&in);
}

static void feed_folder(const char *folder)
{
	struct dirent **list;
	int n = scandir(folder, &list, visible, alphasort);

	if (n < 0)
		return;		/* not every target has crashed yet */
	for (int i = 0; i < n; i++) {
		char *path = mem_printf("%s/%s", folder, list[i]->d_name);

		feed_file(path);
		free(path);
		free(list[i]);
	}
	free(list);
}

static void feed_own(const char *program)
{
	static const char *const kinds[] = {"corpus", "crashes"};
	const char *base = strrchr(program, '/');
	const char *name = strstr(base != NULL ? base : program, "replay_");

	for (size_t i = 0; name != NULL && i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		char *folder = mem_printf("%s/../fuzz/%s/%s", TEST_DATA, kinds[i], name + strlen("replay_"));

		feed_folder(folder);
		free(folder);
	}
}

int main(int argc, char **argv)
{
	LLVMFuzzerTestOneInput((const uint8_t *)"", 0);
	if (argc == 1)
		feed_own(argv[0]);
	for (int i = 1; i < argc; i++)
		feed_folder(argv[i]);
	if (count == 0)
		printf("not ok %u - no corpus for %s\n", ++count, argv[0]);
	printf("1..%u\n", count);
	return 0;
}
