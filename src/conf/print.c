#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "conf/conf.h"
#include "conf/edit.h"
#include "conf/value.h"

#define COLUMNS 100

/* The sentence as comment lines, broken at blanks. */
static void print_comment(FILE *f, const char *text)
{
	size_t n;

	while (*text != '\0') {
		n = strlen(text);
		if (n > COLUMNS) {
			for (n = COLUMNS; n > 0 && text[n] != ' '; n--)
				;
		}
		fprintf(f, "# %.*s\n", (int)n, text);
		text += n + strspn(text + n, " ");
	}
}

static void print_value(FILE *f, const char *key, const char *text)
{
	struct buf line = {0};

	edit_line(&line, key, text);
	fputs(buf_str(&line), f);
	buf_wipe(&line);
}

/* The line of the example file: what is not the default is an example, and switched on only where nothing works without. */
static void print_example(FILE *f, const struct setting *row)
{
	if ((row->flags & EXAMPLE_ON) == 0)
		fputc('#', f);
	print_value(f, row->key, row->standard != NULL ? row->standard : row->example);
}

/* Nothing in its section has an effect: what stands there alone could not be read again. */
static bool is_off(const struct setting_table *table, const struct setting *row, const void *conf)
{
	struct buf text = {0};
	bool off = false;

	for (size_t i = 0; i < table->n; i++) {
		if ((table->rows[i].flags & LEADS) != 0 && strcmp(table->rows[i].section, row->section) == 0)
			off = !value_text(&table->rows[i], conf, &text);
	}
	buf_wipe(&text);
	return off;
}

static void print_row(FILE *f, const struct setting_table *table, const struct setting *row, const void *conf)
{
	struct buf text = {0};
	bool is_set;

	if (conf == NULL) {
		print_example(f, row);
		return;
	}
	is_set = value_text(row, conf, &text);
	if (!is_set || is_off(table, row, conf))
		fputc('#', f);
	if (!is_set)
		fprintf(f, "%s is not set\n", row->key);
	else if (row->kind == KIND_CONNINFO && conninfo_has_password((const char *)text.p))
		fprintf(f, "#%s is set, and not shown: it may hold a password\n", row->key);
	else
		print_value(f, row->key, (const char *)text.p);
	buf_wipe(&text);
}

static void print_table(FILE *f, const struct setting_table *table, const void *conf)
{
	struct buf expected = {0};
	size_t i;

	for (i = 0; i < table->n; i++) {
		const struct setting *row = &table->rows[i];

		if (i == 0 || strcmp(row->section, table->rows[i - 1].section) != 0)
			fprintf(f, "\n[%s]\n", row->section);
		else
			fputc('\n', f);
		print_comment(f, row->help);
		if (row->words != NULL) {
			buf_cut(&expected, 0);
			buf_add_str(&expected, "Value: ");
			value_expected(row, &expected);
			print_comment(f, (const char *)expected.p);
		}
		print_row(f, table, row, conf);
	}
	buf_free(&expected);
}

void conf_print(FILE *f, const struct conf *conf)
{
	if (conf == NULL)
		fputs("# /etc/scepter/scepter.ini: the responder and its database; see scepter.ini(5).\n"
		      "# A line beginning with # shows a default. A value that contains ; or # is put in quotes.\n", f);
	else
		fprintf(f, "# %s\n", conf->file);
	print_table(f, &server_settings, conf);
}

void conf_print_profile(FILE *f, const struct profile_conf *profile)
{
	if (profile == NULL)
		fputs("# /etc/scepter/profiles.d/NAME.ini: what devices that enrol under /scep/NAME get; see scepter.ini(5).\n"
		      "# A line beginning with # shows a default. A value that contains ; or # is put in quotes.\n", f);
	else
		fprintf(f, "# %s\n", profile->file);
	print_table(f, &profile_settings, profile);
}

/* mdoc(7): a backslash would begin an escape, a dot or quote at the beginning of a line a macro. */
static void print_roff(FILE *f, const char *text)
{
	size_t column = 0;

	for (; *text != '\0'; text++) {
		/* a new sentence stands on a new line, so that roff sets its space right */
		if (*text == ' ' && column > 0 && (text[-1] == '.' || column + strcspn(text + 1, " ") > 78)) {
			fputc('\n', f);
			column = 0;
			continue;
		}
		if (column++ == 0 && (*text == '.' || *text == '\''))
			fputs("\\&", f);
		if (*text == '\\')
			fputs("\\e", f);
		else if (*text == '-')
			fputs("\\-", f);
		else
			fputc(*text, f);
	}
	fputc('\n', f);
}

static void print_manual_row(FILE *f, const struct setting *row)
{
	struct buf text = {0};

	fprintf(f, ".It Ic %s\n", row->key);
	print_roff(f, row->help);
	buf_add_str(&text, "Value: ");
	value_expected(row, &text);
	buf_add_str(&text, ".");
	print_roff(f, (const char *)text.p);
	buf_cut(&text, 0);
	if ((row->flags & MUST) != 0)
		buf_add_str(&text, "It has to be set.");
	else if (row->standard == NULL)
		buf_add_str(&text, "Not set by default.");
	else
		buf_printf(&text, "Default: %s.", row->standard);
	if ((row->flags & RESTART) != 0)
		buf_add_str(&text, " A change takes effect at the next start, not at a reload.");
	print_roff(f, (const char *)text.p);
	buf_free(&text);
}

static void print_manual_table(FILE *f, const struct setting_table *table, const char *file)
{
	size_t i;

	for (i = 0; i < table->n; i++) {
		const struct setting *row = &table->rows[i];

		if (i == 0 || strcmp(row->section, table->rows[i - 1].section) != 0)
			fprintf(f, "%s.Ss The section [%s] of %s\n.Bl -tag -width Ds\n", i == 0 ? "" : ".El\n", row->section, file);
		print_manual_row(f, row);
	}
	fputs(".El\n", f);
}

void conf_print_manual(FILE *f)
{
	print_manual_table(f, &server_settings, "scepter.ini");
	print_manual_table(f, &profile_settings, "a profile");
}
