#include "auth/values.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "pki/der.h"
#include "pki/name.h"

static bool is_text(struct bytes text)
{
	return text_is_plain(text) && utf8_valid(text);
}

static bool add(struct values *v, struct bytes name, struct bytes text)
{
	if (v->n >= VALUES_MAX || name.n == 0 || name.n > VALUE_NAME_MAX || text.n > VALUE_TEXT_MAX || !is_text(name) || !is_text(text))
		return false;
	v->list = mem_resize(v->list, (v->n + 1) * sizeof(*v->list));
	v->list[v->n++] = (struct value){mem_strndup((const char *)name.p, name.n), mem_strndup((const char *)text.p, text.n)};
	return true;
}

bool values_add(struct values *v, const char *source, const char *name, struct bytes text)
{
	char full[VALUE_NAME_MAX + 2];
	int n = snprintf(full, sizeof(full), "%s.%s", source, name);

	return n > 0 && (size_t)n < sizeof(full) && add(v, bytes_str(full), text);
}

bool values_move(struct values *v, struct values *from)
{
	if (v->n + from->n > VALUES_MAX)
		return false;
	if (from->n > 0)
		v->list = mem_resize(v->list, (v->n + from->n) * sizeof(*v->list));
	for (size_t i = 0; i < from->n; i++)
		v->list[v->n++] = from->list[i];
	free(from->list);
	*from = (struct values){0};
	return true;
}

const char *values_get(const struct values *v, const char *name, size_t i)
{
	for (size_t k = 0; v != NULL && k < v->n; k++) {
		if (strcmp(v->list[k].name, name) == 0 && i-- == 0)
			return v->list[k].text;
	}
	return NULL;
}

void values_write(const struct values *v, struct buf *out)
{
	size_t at = der_open(out);

	for (size_t i = 0; i < v->n; i++) {
		size_t one = der_open(out);

		der_tlv(out, DER_UTF8, bytes_str(v->list[i].name));
		der_tlv(out, DER_UTF8, bytes_str(v->list[i].text));
		der_close(out, one, DER_SEQUENCE);
	}
	der_close(out, at, DER_SEQUENCE);
}

bool values_read(struct bytes in, struct values *v)
{
	struct values got = {0};
	struct tlv seq, one, name, text;

	if (!der_whole(in, DER_SEQUENCE, &seq))
		return false;
	while (seq.body.n > 0) {
		if (!der_expect(&seq.body, DER_SEQUENCE, &one) || !der_expect(&one.body, DER_UTF8, &name) ||
		    !der_expect(&one.body, DER_UTF8, &text) || one.body.n > 0 || !add(&got, name.body, text.body)) {
			values_free(&got);
			return false;
		}
	}
	*v = got;
	return true;
}

void values_cut(struct values *v, size_t n)
{
	while (v->n > n) {
		v->n--;
		free(v->list[v->n].name);
		free(v->list[v->n].text);
	}
}

void values_free(struct values *v)
{
	values_cut(v, 0);
	free(v->list);
	*v = (struct values){0};
}
