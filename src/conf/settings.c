#include "conf/settings.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "conf/dialect.h"
#include "conf/ini.h"
#include "conf/value.h"

/* Places a problem at "FILE:LINE [section] key"; line 0: not there. */
static void problem_at(struct problems *problems, const char *file, const struct ini_entry *e, const char *text)
{
	char *where;

	if (e->line == 0)
		where = mem_printf("%s [%s] %s", file, e->section, e->key);
	else
		where = mem_printf("%s:%u [%s]%s%s", file, e->line, e->section, e->key ? " " : "", e->key ? e->key : "");
	problem_add(problems, PROBLEM_ERROR, where, "%s", text);
	free(where);
}

/* The section's keys, or with section NULL all sections, as a list for nearest_word. The caller frees. */
static const char **names(const struct setting_table *table, const char *section)
{
	const char **list = mem_alloc((table->n + 1) * sizeof(*list));
	size_t i, n = 0;

	for (i = 0; i < table->n; i++) {
		const struct setting *row = &table->rows[i];

		if (section != NULL && strcmp(row->section, section) == 0)
			list[n++] = row->key;
		else if (section == NULL && (n == 0 || strcmp(list[n - 1], row->section) != 0))
			list[n++] = row->section;
	}
	return list;
}

static bool in_names(const char *const *list, const char *name)
{
	while (*list != NULL && strcmp(*list, name) != 0)
		list++;
	return *list != NULL;
}

/* The one place where a name is not known: says what is meant, if that can be guessed. */
static void unknown(struct problems *problems, const char *file, const struct ini_entry *e, const char *remedy)
{
	char *text;

	if (e->key == NULL)
		text = mem_printf("unknown section [%.60s]; %s", e->section, remedy);
	else
		text = mem_printf("unknown key '%.60s' in [%s]; %s", e->key, e->section, remedy);
	problem_at(problems, file, e, text);
	free(text);
}

static void unknown_name(const struct setting_table *table, const char *file, const struct ini_entry *e, struct problems *problems)
{
	const char **known = names(table, e->key == NULL ? NULL : e->section);
	const char *near = nearest_word(e->key == NULL ? e->section : e->key, known);
	char *remedy = NULL;
	size_t i;

	if (near != NULL)
		remedy = mem_printf("did you mean '%s'?", near);
	for (i = 0; remedy == NULL && e->key != NULL && i < table->n; i++) {
		if (strcmp(table->rows[i].key, e->key) == 0)
			remedy = mem_printf("it belongs into [%s]", table->rows[i].section);
	}
	unknown(problems, file, e, remedy != NULL ? remedy : "scepter.ini(5) lists those there are");
	free(remedy);
	free(known);
}

static void set_entry(const struct setting_table *table, const char *file, const struct ini_entry *e, void *conf,
    struct problems *problems)
{
	const struct setting *row = setting_find(table, e->section, e->key);
	struct why why;

	if (row == NULL)
		unknown_name(table, file, e, problems);
	else if (e->value != NULL && value_set(row, file, e->value, conf, &why) != ERR_OK)
		problem_at(problems, file, e, why.text);
}

static bool has_entry(const struct ini *ini, const struct setting *row)
{
	size_t i;

	for (i = 0; i < ini->n; i++) {
		if (ini->list[i].key != NULL && strcmp(ini->list[i].section, row->section) == 0 &&
		    strcmp(ini->list[i].key, row->key) == 0)
			return true;
	}
	return false;
}

/* A key in the section, whatever it is. */
static bool has_any(const struct ini *ini, const char *section)
{
	for (size_t i = 0; i < ini->n; i++) {
		if (ini->list[i].key != NULL && strcmp(ini->list[i].section, section) == 0)
			return true;
	}
	return false;
}

static void check_missing(const struct setting_table *table, const char *file, const struct ini *ini, struct problems *problems)
{
	size_t i;

	for (i = 0; i < table->n; i++) {
		const struct setting *row = &table->rows[i];

		if ((row->flags & MUST) != 0 && !has_entry(ini, row)) {
			char *text = mem_printf("missing; for example '%s = %s'", row->key, row->example);

			problem_at(problems, file, &(struct ini_entry){(char *)row->section, (char *)row->key, NULL, 0}, text);
			free(text);
		}
		if ((row->flags & LEADS) != 0 && !has_entry(ini, row) && has_any(ini, row->section))
			problem_at(problems, file, &(struct ini_entry){(char *)row->section, (char *)row->key, NULL, 0},
			    "missing: without it nothing else in the section has an effect; set it, or take the others out");
	}
}

bool settings_read(const struct setting_table *table, const char *file, void *conf, struct problems *problems)
{
	const char **sections;
	struct ini ini = {0};
	size_t i;

	values_set_standard(table, file, conf);
	if (!ini_read(file, &ini, problems))
		return false;
	dialect_set(table, file, &ini, conf);
	sections = names(table, NULL);
	for (i = 0; i < ini.n; i++) {
		const struct ini_entry *e = &ini.list[i];

		if (e->key == NULL && !in_names(sections, e->section))
			unknown_name(table, file, e, problems);
		else if (e->key != NULL && in_names(sections, e->section))
			set_entry(table, file, e, conf, problems);
	}
	check_missing(table, file, &ini, problems);
	free(sections);
	ini_free(&ini);
	return true;
}
