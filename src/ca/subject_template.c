#include "ca/subject_template.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "pki/ava.h"
#include "pki/der.h"
#include "pki/name.h"

struct part {
	const struct ava_type *type;	/* NULL: known by its OID only */
	char *keyword;			/* as it was written */
	struct buf oid;			/* TLV */
	struct wording value;
	bool joined;			/* by '+' to the one before */
};

struct subject_template {
	struct part *list;
	size_t n;
};

static void skip_blanks(struct bytes *in)
{
	while (in->n > 0 && in->p[0] == ' ')
		*in = bytes_cut(*in, 1, in->n);
}

static struct part *add_part(struct subject_template *t)
{
	t->list = mem_resize(t->list, (t->n + 1) * sizeof(*t->list));
	t->list[t->n] = (struct part){0};
	return &t->list[t->n++];
}

static enum err take_type(struct bytes *in, struct part *part, struct why *why)
{
	const uint8_t *equals;
	struct bytes name;

	skip_blanks(in);
	equals = in->n == 0 ? NULL : memchr(in->p, '=', in->n);
	if (equals == NULL)
		return fail(why, ERR_CONFIG, "'%.60s' is not TYPE=VALUE, such as CN=${csr.cn}", (const char *)in->p);
	name = bytes_cut(*in, 0, (size_t)(equals - in->p));
	*in = bytes_cut(*in, name.n + 1, in->n);
	part->keyword = mem_strndup((const char *)name.p, name.n);
	if (ava_type_write(name, &part->type, &part->oid, why) == ERR_OK)
		return ERR_OK;
	if (why != NULL)
		why->err = ERR_CONFIG;
	return ERR_CONFIG;
}

/* Blanks at the end are added when something follows them. */
static enum err take_value(struct bytes *in, struct part *part, struct why *why)
{
	size_t blanks = 0;
	bool escaped, bad = false;
	uint8_t c = 0;
	enum err err;

	skip_blanks(in);
	if (in->n > 0 && in->p[0] == '#')
		return fail(why, ERR_CONFIG, "%s: values in hexadecimal ('#') are not taken here; write \\# for the character", part->keyword);
	while (in->n > 0) {
		bool dollar = in->p[0] == '$';

		if (!dollar && !ava_next_char(in, &c, &escaped, &bad))
			break;
		if (!dollar && c == ' ' && !escaped) {
			blanks++;
			continue;
		}
		for (; blanks > 0; blanks--)
			wording_add(&part->value, ' ');
		if (dollar && (err = wording_take(&part->value, in, why)) != ERR_OK)
			return err;
		if (!dollar && c == 0)
			return fail(why, ERR_CONFIG, "%s holds a NUL", part->keyword);
		if (!dollar)
			wording_add(&part->value, c);
	}
	if (bad)
		return fail(why, ERR_CONFIG, "%s has a bad escape, or one of \" ; < > without '\\' before it", part->keyword);
	return part->value.n > 0 ? ERR_OK : fail(why, ERR_CONFIG, "%s has no value", part->keyword);
}

/* What stands there whatever the values are can be checked now. */
static enum err check_literal(const struct part *part, struct why *why)
{
	struct buf value = {0};
	enum err err = ERR_OK;

	if (part->value.n == 1 && part->value.list[0].name == NULL)
		err = ava_value_write(part->type, bytes_str(part->value.list[0].text), &value, why);
	buf_free(&value);
	if (err != ERR_OK && why != NULL)
		why->err = ERR_CONFIG;
	return err == ERR_OK ? ERR_OK : ERR_CONFIG;
}

enum err subject_template_parse(const char *text, struct subject_template **out, struct why *why)
{
	struct subject_template *t = mem_alloc(sizeof(*t));
	struct bytes in = bytes_str(text);
	bool joined = false;
	enum err err;

	do {
		struct part *part = add_part(t);

		part->joined = joined;
		if (t->n > NAME_MAX_RDNS)
			err = fail(why, ERR_CONFIG, "more than %d attributes", NAME_MAX_RDNS);
		else if ((err = take_type(&in, part, why)) == ERR_OK && (err = take_value(&in, part, why)) == ERR_OK)
			err = check_literal(part, why);
		if (err != ERR_OK)
			goto out;
		if (in.n == 0)
			break;
		joined = in.p[0] == '+';
		in = bytes_cut(in, 1, in.n);
	} while (true);
	*out = t;
	return ERR_OK;
out:
	subject_template_free(t);
	return err;
}

void subject_template_free(struct subject_template *t)
{
	if (t == NULL)
		return;
	for (size_t i = 0; i < t->n; i++) {
		free(t->list[i].keyword);
		buf_free(&t->list[i].oid);
		wording_free(&t->list[i].value);
	}
	free(t->list);
	free(t);
}

/* Appends the AttributeTypeAndValue, or nothing when its text is empty. */
static enum err write_part(const struct part *part, const struct wording_from *from, struct buf *out, struct why *why)
{
	static const struct wording_turn first;
	struct buf text = {0};
	size_t at = der_open(out);
	enum err err;

	err = wording_write(&part->value, from, &first, &text, why);
	if (err == ERR_OK && text.n > 0) {
		buf_add_bytes(out, buf_bytes(&part->oid));
		err = ava_value_write(part->type, buf_bytes(&text), out, why);
		der_close(out, at, DER_SEQUENCE);
	}
	buf_free(&text);
	if (err == ERR_OK)
		return ERR_OK;
	fail_in(why, "%s", part->keyword);
	return err;
}

/* The part at *i and those that are joined to it, as a SET; nothing when all of them are empty. */
static enum err write_rdn(const struct subject_template *t, size_t *i, const struct wording_from *from, struct buf *out, struct why *why)
{
	size_t at = der_open(out);
	enum err err;

	do {
		if ((err = write_part(&t->list[*i], from, out, why)) != ERR_OK)
			return err;
	} while (++*i < t->n && t->list[*i].joined);
	if (out->n > at)
		der_close_set_of(out, at, DER_SET);
	return ERR_OK;
}

enum err subject_template_write(const struct subject_template *t, const struct wording_from *from, struct buf *name, struct why *why)
{
	struct buf rdns = {0}, rdn = {0};
	enum err err = ERR_OK;

	for (size_t i = 0; i < t->n && err == ERR_OK;) {
		buf_cut(&rdn, 0);
		err = write_rdn(t, &i, from, &rdn, why);
		if (err == ERR_OK && rdn.n > 0)	/* the text begins with what the encoding ends with */
			buf_insert(&rdns, 0, rdn.p, rdn.n);
	}
	if (err == ERR_OK)
		der_tlv(name, DER_SEQUENCE, buf_bytes(&rdns));
	buf_free(&rdns);
	buf_free(&rdn);
	return err;
}
