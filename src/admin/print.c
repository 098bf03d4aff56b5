#include "admin/print.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>

#include "base/mem.h"

#define INDENT 2
#define COLUMNS_MAX 16

/* --- printing ----------------------------------------------------------------------------------------------------- */

void print_json(struct json_object *o)
{
	puts(json_object_to_json_string_ext(o, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED |
	    JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(o);
}

/* Characters, not octets: what a terminal's columns are, near enough. */
static int width_of(const char *s)
{
	int n = 0;

	for (; *s != '\0'; s++)
		n += ((unsigned char)*s & 0xc0) != 0x80;
	return n;
}

static const char *cell_text(struct json_object *v)
{
	if (v == NULL)
		return "-";
	if (json_object_is_type(v, json_type_boolean))
		return json_object_get_boolean(v) ? "yes" : "no";
	return json_object_get_string(v);
}

static void print_padded(const char *text, int width)
{
	printf("%s%*s", text, width - width_of(text), "");
}

/* "not_after" is shown as "Not after", "key_uri" as "Key URI". The caller frees. */
static char *label_of(const char *key)
{
	static const char *const words[][2] = {
	    {"ca", "CA"}, {"id", "ID"}, {"postgresql", "PostgreSQL"}, {"ra", "RA"}, {"sha1", "SHA-1"}, {"sha256", "SHA-256"}, {"uri", "URI"},
	};
	char *copy = mem_strdup(key), *rest = copy;
	struct buf label = {0};

	for (const char *word; (word = strsep(&rest, "_")) != NULL;) {
		for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
			if (strcmp(word, words[i][0]) == 0)
				word = words[i][1];
		}
		buf_printf(&label, "%s%s", label.n > 0 ? " " : "", word);
	}
	free(copy);
	if (label.n > 0 && label.p[0] >= 'a' && label.p[0] <= 'z')
		label.p[0] -= 'a' - 'A';
	return buf_take_str(&label);
}

static bool is_block(struct json_object *v)
{
	return json_object_is_type(v, json_type_object) || json_object_is_type(v, json_type_array);
}

static bool is_hidden(const char *key, struct json_object *v)
{
	return v == NULL || strcmp(key, "pem") == 0 ||
	       (json_object_is_type(v, json_type_array) && json_object_array_length(v) == 0);
}

static void print_members(struct json_object *o, int indent);

static void print_items(struct json_object *array, int indent)
{
	size_t i, n = json_object_array_length(array);

	for (i = 0; i < n; i++) {
		struct json_object *v = json_object_array_get_idx(array, i);

		if (!json_object_is_type(v, json_type_object)) {
			printf("%*s%s\n", indent, "", cell_text(v));
			continue;
		}
		if (n > 1)
			printf("%*s%zu.\n", indent, "", i + 1);
		print_members(v, n > 1 ? indent + INDENT : indent);
	}
}

static void print_members(struct json_object *o, int indent)
{
	int width = 0;

	json_object_object_foreach(o, k, val) {
		char *label = label_of(k);

		if (!is_hidden(k, val) && !is_block(val) && width_of(label) > width)
			width = width_of(label);
		free(label);
	}
	json_object_object_foreach(o, key, v) {
		char *label;

		if (is_hidden(key, v))
			continue;
		label = label_of(key);
		printf("%*s%s:", indent, "", label);
		if (is_block(v)) {
			putchar('\n');
			if (json_object_is_type(v, json_type_array))
				print_items(v, indent + INDENT);
			else
				print_members(v, indent + INDENT);
		} else {
			printf("%*s%s\n", width - width_of(label) + 2, "", cell_text(v));
		}
		free(label);
	}
}

void print_object(struct json_object *o, bool json)
{
	struct json_object *pem;

	if (json) {
		print_json(o);
		return;
	}
	print_members(o, 0);
	if (json_object_object_get_ex(o, "pem", &pem))
		printf("%s", json_object_get_string(pem));
	json_object_put(o);
}

static void print_row(struct json_object *row, const char *const columns[], const int widths[])
{
	size_t c;

	for (c = 0; columns[c] != NULL; c++) {
		const char *text = cell_text(json_object_object_get(row, columns[c]));

		if (columns[c + 1] == NULL)
			printf("%s\n", text);
		else
			print_padded(text, widths[c] + 2);
	}
}

/* The header is a row like the others, made of the columns' names. */
static struct json_object *header_row(const char *const columns[])
{
	struct json_object *row = json_object_new_object();
	size_t c;
	char *p;

	for (c = 0; columns[c] != NULL; c++) {
		char *name = mem_strdup(columns[c]);

		for (p = name; *p != '\0'; p++)
			*p = *p == '_' ? ' ' : (char)(*p >= 'a' && *p <= 'z' ? *p - 'a' + 'A' : *p);
		put_text(row, columns[c], name);
		free(name);
	}
	return row;
}

void print_table(struct json_object *array, const char *const columns[], bool json)
{
	struct json_object *header;
	int widths[COLUMNS_MAX] = {0};
	size_t i, c, n = json_object_array_length(array);

	if (json) {
		print_json(array);
		return;
	}
	header = header_row(columns);
	for (i = 0; i <= n; i++) {
		struct json_object *row = i == n ? header : json_object_array_get_idx(array, i);

		for (c = 0; columns[c] != NULL; c++) {
			int w = width_of(cell_text(json_object_object_get(row, columns[c])));

			if (w > widths[c])
				widths[c] = w;
		}
	}
	print_row(header, columns, widths);
	for (i = 0; i < n; i++)
		print_row(json_object_array_get_idx(array, i), columns, widths);
	json_object_put(header);
	json_object_put(array);
}

bool print_finish(void)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return true;
	fprintf(stderr, "%s: standard output could not be written: %s\n", program_invocation_name, strerror(errno));
	return false;
}
