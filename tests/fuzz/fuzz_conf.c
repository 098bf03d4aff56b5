/* The bytes as scepter.ini and as a profile: whatever is accepted is printed and read again as the same. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "conf/conf.h"
#include "conf/settings.h"
#include "conf/value.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A file in memory, with a name. */
static int make_file(const void *data, size_t size, char name[64])
{
	int fd = memfd_create("fuzz", MFD_CLOEXEC);

	if (fd < 0 || write(fd, data, size) != (ssize_t)size)
		abort();
	snprintf(name, 64, "/proc/self/fd/%d", fd);
	return fd;
}

static void print(const struct setting_table *table, const void *conf, char **text)
{
	size_t n;
	FILE *f = open_memstream(text, &n);

	if (table == &server_settings)
		conf_print(f, conf);
	else
		conf_print_profile(f, conf);
	fclose(f);
}

static void check(const struct setting_table *table, const uint8_t *data, size_t size)
{
	struct conf server = {0}, server2 = {0};
	struct profile_conf profile = {0}, profile2 = {0};
	bool is_server = table == &server_settings;
	void *conf = is_server ? (void *)&server : &profile, *again = is_server ? (void *)&server2 : &profile2;
	struct problems p = {0};
	char name[64], *text = NULL, *text2 = NULL;
	int fd = make_file(data, size, name);

	server.file = server2.file = profile.file = profile2.file = name;
	settings_read(table, name, conf, &p);
	close(fd);
	print(table, conf, &text);
	/* a conninfo with a password is not printed, a value with both quotes cannot be written */
	if (p.n == 0 && strstr(text, "not shown") == NULL && (strchr(text, '"') == NULL || strchr(text, '\'') == NULL)) {
		fd = make_file(text, strlen(text), name);
		settings_read(table, name, again, &p);
		close(fd);
		print(table, again, &text2);
		if (p.n != 0 || strcmp(strchr(text, '\n'), strchr(text2, '\n')) != 0)
			abort();
		free(text2);
	}
	free(text);
	conf_values_free(table, conf);
	conf_values_free(table, again);
	problems_free(&p);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	check(&server_settings, data, size);
	check(&profile_settings, data, size);
	return 0;
}
