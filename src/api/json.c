#include "api/json.h"

#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>

#include "base/codec.h"
#include "base/mem.h"
#include "base/text.h"

#define TEXT_MAX 4096	/* octets of foreign text that are shown */

const char *json_text(struct json_object *value)
{
	const char *text = json_object_is_type(value, json_type_string) ? json_object_get_string(value) : NULL;

	return text != NULL && strlen(text) == (size_t)json_object_get_string_len(value) ? text : NULL;
}

static struct json_object *printable(const char *text)
{
	char *copy = mem_strdup(text);
	struct json_object *value = NULL;

	if (copy != NULL) {
		text_make_plain(copy);
		value = json_object_new_string(copy);
	}
	free(copy);
	return value;
}

void put_text(struct json_object *o, const char *key, const char *text)
{
	json_object_object_add(o, key, printable(text));
}

void put_bytes(struct json_object *o, const char *key, struct bytes text)
{
	struct buf out = {0};

	escape_text(&out, text, TEXT_MAX);
	put_text(o, key, out.p == NULL ? "" : (const char *)out.p);
	buf_free(&out);
}

void put_sentence(struct json_object *o, const char *key, const char *text)
{
	struct buf out = {0};

	for (; *text != '\0'; text++) {
		if (*text >= 0x20 && *text < 0x7f)
			buf_add_byte(&out, (uint8_t)*text);
		else
			buf_printf(&out, "\\x%02x", (unsigned char)*text);
	}
	put_text(o, key, buf_str(&out));
	buf_free(&out);
}

void put_int(struct json_object *o, const char *key, long n)
{
	json_object_object_add(o, key, json_object_new_int64(n));
}

void put_bool(struct json_object *o, const char *key, bool v)
{
	json_object_object_add(o, key, json_object_new_boolean(v));
}

void put_time(struct json_object *o, const char *key, time_t t)
{
	char text[40];
	struct tm tm;

	if (t == 0 || gmtime_r(&t, &tm) == NULL || strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
		put_text(o, key, NULL);
	else
		put_text(o, key, text);
}

void put_hex(struct json_object *o, const char *key, struct bytes octets)
{
	struct buf out = {0};

	hex_encode(&out, octets);
	put_text(o, key, out.p == NULL ? "" : (const char *)out.p);
	buf_free(&out);
}

void put_fingerprint(struct json_object *o, const char *key, struct bytes octets)
{
	struct buf out = {0};
	size_t i;

	for (i = 0; i < octets.n; i++)
		buf_printf(&out, "%s%02X", i > 0 ? ":" : "", octets.p[i]);
	put_text(o, key, out.p == NULL ? "" : (const char *)out.p);
	buf_free(&out);
}

void put_texts(struct json_object *o, const char *key, char *const *list)
{
	struct json_object *array = list == NULL ? NULL : json_object_new_array();

	for (; list != NULL && *list != NULL; list++)
		json_object_array_add(array, printable(*list));
	json_object_object_add(o, key, array);
}
