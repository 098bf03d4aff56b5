/* Arrays as PostgreSQL sends and takes them in binary: dimensions, NULLs or not, element type, length and lower bound, elements. */
#include "store/array.h"

#include <stdlib.h>

#include "base/mem.h"

#define HEAD 20		/* of an array of one dimension */
#define OID_TEXT 25	/* pg_type.oid of the elements */
#define OID_UUID 2950
#define OID_INT 23
#define ELEMENTS_MAX 10000

static void add_be(struct buf *out, uint32_t v)
{
	const uint8_t be[4] = {(uint8_t)(v >> 24), (uint8_t)(v >> 16), (uint8_t)(v >> 8), (uint8_t)v};

	buf_add(out, be, sizeof(be));
}

static void begin(struct buf *out, uint32_t element, size_t n)
{
	add_be(out, n > 0);
	add_be(out, 0);
	add_be(out, element);
	if (n > 0) {
		add_be(out, (uint32_t)n);
		add_be(out, 1);
	}
}

static void add_element(struct buf *out, struct bytes v)
{
	add_be(out, (uint32_t)v.n);
	buf_add_bytes(out, v);
}

static void end(struct call *c, struct buf *array)
{
	call_own(c, buf_bytes(array));
	buf_free(array);
}

void call_texts(struct call *c, const char *const *list)
{
	struct buf array = {0}, text = {0};
	size_t n = 0;

	if (list == NULL) {
		call_no_int(c);
		return;
	}
	while (list[n] != NULL)
		n++;
	begin(&array, OID_TEXT, n);
	for (size_t i = 0; i < n; i++) {
		buf_cut(&text, 0);
		call_clean(list[i], &text);
		add_element(&array, buf_bytes(&text));
	}
	buf_free(&text);
	end(c, &array);
}

void call_uuids(struct call *c, const uint8_t (*list)[16], size_t n)
{
	struct buf array = {0};

	begin(&array, OID_UUID, n);
	for (size_t i = 0; i < n; i++)
		add_element(&array, bytes_of(list[i], 16));
	end(c, &array);
}

void call_ints(struct call *c, const int *list, size_t n)
{
	struct buf array = {0};

	begin(&array, OID_INT, n);
	for (size_t i = 0; i < n; i++) {
		add_be(&array, 4);
		add_be(&array, (uint32_t)list[i]);
	}
	end(c, &array);
}

static bool take_be(struct bytes *in, uint32_t *out)
{
	if (in->n < 4)
		return false;
	*out = (uint32_t)in->p[0] << 24 | (uint32_t)in->p[1] << 16 | (uint32_t)in->p[2] << 8 | in->p[3];
	*in = bytes_of(in->p + 4, in->n - 4);
	return true;
}

/* The number of elements, 0 when it is no array of one dimension. */
static size_t open_array(struct bytes *in)
{
	uint32_t dimensions, ignored, n;

	if (in->n < HEAD || !take_be(in, &dimensions) || dimensions != 1 || !take_be(in, &ignored) || !take_be(in, &ignored) ||
	    !take_be(in, &n) || !take_be(in, &ignored))
		return 0;
	return n <= ELEMENTS_MAX ? n : 0;
}

char **row_texts(const PGresult *r, int row, int column)
{
	struct bytes in = row_bytes(r, row, column);
	uint32_t length;
	size_t i, n;
	char **list;

	if (PQgetisnull(r, row, column))
		return NULL;
	n = open_array(&in);
	list = mem_alloc((n + 1) * sizeof(*list));
	for (i = 0; i < n && take_be(&in, &length) && length <= in.n; i++) {
		list[i] = mem_strndup((const char *)in.p, length);
		in = bytes_of(in.p + length, in.n - length);
	}
	return list;
}

void texts_free(char **list)
{
	for (char **p = list; p != NULL && *p != NULL; p++)
		free(*p);
	free(list);
}
