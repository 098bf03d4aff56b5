#include "conf/ini.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <iniparser/iniparser.h>

#include "base/file.h"
#include "base/mem.h"
#include "conf/scan.h"

/* iniparser tells about errors through a callback without an argument of ours, hence this. */
static char complaint[300];

static int keep_complaint(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

static int keep_complaint(const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(complaint, sizeof(complaint), fmt, ap);
	va_end(ap);
	return n;
}

/* iniparser reads only files that have a name: the checked lines get one in memory, so that what we checked is what it reads. */
static dictionary *parse(struct bytes clean)
{
	char name[64];
	dictionary *dict = NULL;
	int fd = memfd_create("conf", MFD_CLOEXEC);

	complaint[0] = '\0';
	if (fd < 0 || !file_write_all(fd, clean)) {
		keep_complaint("no memory file: %s", strerror(errno));
	} else {
		snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
		iniparser_set_error_callback(keep_complaint);
		dict = iniparser_load(name);
		iniparser_set_error_callback(NULL);
	}
	if (fd >= 0)
		close(fd);
	return dict;
}

static void take_values(struct ini *ini, const dictionary *dict)
{
	size_t i;

	for (i = 0; i < ini->n; i++) {
		struct ini_entry *e = &ini->list[i];
		char *name;

		if (e->key == NULL)
			continue;
		name = mem_printf("%s:%s", e->section, e->key);
		e->value = mem_strdup(iniparser_getstring(dict, name, NULL));
		free(name);
	}
}

bool ini_read(const char *file, struct ini *ini, struct problems *problems)
{
	struct buf text = {0}, clean = {0};
	struct why why;
	dictionary *dict;

	if (file_read(file, &text, &why) != ERR_OK) {
		problem_why(problems, file, &why);
		return false;
	}
	if (text.n > INI_MAX_OCTETS) {
		problem_add(problems, PROBLEM_ERROR, file, "larger than %zu octets", INI_MAX_OCTETS);
		buf_free(&text);
		return false;
	}
	scan_lines(file, buf_bytes(&text), ini, &clean, problems);
	buf_add_byte(&clean, '\n');
	dict = parse(buf_bytes(&clean));
	if (dict == NULL)
		problem_add(problems, PROBLEM_ERROR, file, "cannot be parsed (%s)", complaint);
	else
		take_values(ini, dict);
	iniparser_freedict(dict);
	buf_wipe(&text);
	buf_wipe(&clean);
	if (dict == NULL)
		ini_free(ini);
	return dict != NULL;
}

void ini_free(struct ini *ini)
{
	size_t i;

	for (i = 0; i < ini->n; i++) {
		free(ini->list[i].section);
		free(ini->list[i].key);
		free(ini->list[i].value);
	}
	free(ini->list);
	*ini = (struct ini){0};
}
