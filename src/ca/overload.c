#include "ca/overload.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"

#define ENTRIES 128
#define NAME_SIZE 160
#define TRUST_MS 30000	/* the database may have forgotten meanwhile: it crashed, or somebody emptied the table */

struct entry {
	char name[NAME_SIZE];
	int64_t room_ms;	/* when there is room again */
	int64_t until_ms;	/* so long we answer by ourselves */
};

struct overload {
	struct entry entries[ENTRIES];
	int64_t last_ms;	/* the latest until_ms of all: nothing to look for after it */
};

struct overload *overload_new(void)
{
	return mem_alloc(sizeof(struct overload));
}

void overload_free(struct overload *o)
{
	free(o);
}

/* False: too long to be remembered. */
static bool name_of(const char *profile, const char *kind, const char *of, char name[NAME_SIZE])
{
	int n = snprintf(name, NAME_SIZE, "%s %s %s", profile, kind, of);

	return n > 0 && n < NAME_SIZE;
}

/* The entry of that name, else the one that ends first. */
static struct entry *slot_for(struct overload *o, const char *name)
{
	struct entry *first = &o->entries[0];

	for (size_t i = 0; i < ENTRIES; i++) {
		if (strcmp(o->entries[i].name, name) == 0)
			return &o->entries[i];
		if (o->entries[i].until_ms < first->until_ms)
			first = &o->entries[i];
	}
	return first;
}

void overload_note(struct overload *o, const char *profile, const char *kind, const char *of, int seconds, int64_t now_ms)
{
	char name[NAME_SIZE];
	struct entry *e;

	if (o == NULL || seconds <= 0 || !name_of(profile, kind, of, name))
		return;
	e = slot_for(o, name);
	memcpy(e->name, name, sizeof(name));
	e->room_ms = now_ms + (int64_t)seconds * 1000;
	e->until_ms = e->room_ms < now_ms + TRUST_MS ? e->room_ms : now_ms + TRUST_MS;
	if (o->last_ms < e->until_ms)
		o->last_ms = e->until_ms;
}

int overload_left(const struct overload *o, const char *profile, const char *kind, const char *of, int64_t now_ms)
{
	char name[NAME_SIZE];

	if (o == NULL || now_ms >= o->last_ms || !name_of(profile, kind, of, name))
		return 0;
	for (size_t i = 0; i < ENTRIES; i++) {
		const struct entry *e = &o->entries[i];

		if (now_ms < e->until_ms && strcmp(e->name, name) == 0)
			return (int)((e->room_ms - now_ms + 999) / 1000);
	}
	return 0;
}

int64_t overload_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}
