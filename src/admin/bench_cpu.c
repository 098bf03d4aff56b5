#include "admin/bench_cpu.h"

#include <ctype.h>
#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct stat_line {
	pid_t pid, parent;
	unsigned long own, reaped;	/* clock ticks: utime + stime, cutime + cstime */
};

/* proc(5): the command in field 2 may hold anything, so the fields are counted from its last ')'. */
static bool read_stat(pid_t pid, struct stat_line *out)
{
	unsigned long utime, stime;
	char path[64], line[1024], *p;
	long cutime, cstime;
	size_t n;
	FILE *f;
	int parent;

	snprintf(path, sizeof(path), "/proc/%ld/stat", (long)pid);
	f = fopen(path, "re");
	if (f == NULL)
		return false;
	n = fread(line, 1, sizeof(line) - 1, f);
	fclose(f);
	line[n] = '\0';
	p = strrchr(line, ')');
	if (p == NULL || sscanf(p + 1, " %*c %d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu %ld %ld", &parent, &utime, &stime,
	    &cutime, &cstime) != 5)
		return false;
	*out = (struct stat_line){.pid = pid, .parent = parent, .own = utime + stime, .reaped = (unsigned long)(cutime + cstime)};
	return true;
}

static size_t read_all(struct stat_line *out, size_t max)
{
	DIR *dir = opendir("/proc");
	struct dirent *entry;
	size_t n = 0;

	if (dir == NULL)
		return 0;
	while (n < max && (entry = readdir(dir)) != NULL)
		if (isdigit((unsigned char)entry->d_name[0]) && read_stat((pid_t)strtol(entry->d_name, NULL, 10), &out[n]))
			n++;
	closedir(dir);
	return n;
}

/* Moves `pid` and its descendants to the front of `all`; returns how many. */
static size_t family(struct stat_line *all, size_t n, pid_t pid)
{
	size_t members = 0, before;

	do {
		before = members;
		for (size_t i = members; i < n; i++) {
			bool in = all[i].pid == pid;

			for (size_t j = 0; j < members && !in; j++)
				in = all[i].parent == all[j].pid;
			if (in) {
				struct stat_line t = all[i];

				all[i] = all[members];
				all[members++] = t;
			}
		}
	} while (members > before);
	return members;
}

/* Nanoseconds on the processor of every thread (schedstat: "run wait slices"), or false where the kernel does not count them. */
static bool run_time(pid_t pid, double *seconds)
{
	char path[320];
	unsigned long long ns;
	struct dirent *entry;
	double sum = 0;
	bool any = false;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%ld/task", (long)pid);
	dir = opendir(path);
	if (dir == NULL)
		return false;
	while ((entry = readdir(dir)) != NULL) {
		FILE *f;

		if (!isdigit((unsigned char)entry->d_name[0]))
			continue;
		snprintf(path, sizeof(path), "/proc/%ld/task/%s/schedstat", (long)pid, entry->d_name);
		f = fopen(path, "re");
		if (f == NULL)
			continue;
		if (fscanf(f, "%llu", &ns) == 1) {
			sum += (double)ns / 1e9;
			any = true;
		}
		fclose(f);
	}
	closedir(dir);
	*seconds = sum;
	return any;
}

enum err bench_cpu_read(pid_t pid, double *seconds, struct why *why)
{
	static struct stat_line all[1 << 15];
	size_t n = family(all, read_all(all, sizeof(all) / sizeof(all[0])), pid);
	double tick = 1.0 / (double)sysconf(_SC_CLK_TCK), sum = 0, own;

	if (n == 0)
		return fail(why, ERR_CONFIG, "there is no process %ld", (long)pid);
	for (size_t i = 0; i < n; i++) {
		if (!run_time(all[i].pid, &own))
			own = (double)all[i].own * tick;
		sum += own + (double)all[i].reaped * tick;
	}
	*seconds = sum;
	return ERR_OK;
}

static long read_pss(pid_t pid)
{
	char path[64], line[256];
	long kib = -1;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%ld/smaps_rollup", (long)pid);
	f = fopen(path, "re");
	if (f == NULL)
		return -1;
	while (kib < 0 && fgets(line, sizeof(line), f) != NULL)
		if (sscanf(line, "Pss: %ld kB", &kib) != 1)
			kib = -1;
	fclose(f);
	return kib;
}

size_t bench_procs(pid_t pid, struct bench_proc *out, size_t max)
{
	static struct stat_line all[1 << 15];
	size_t n = family(all, read_all(all, sizeof(all) / sizeof(all[0])), pid);

	if (n > max)
		n = max;
	for (size_t i = 0; i < n; i++)
		out[i] = (struct bench_proc){.pid = all[i].pid, .pss_kib = read_pss(all[i].pid)};
	return n;
}
