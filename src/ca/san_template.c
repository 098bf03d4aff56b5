#include "ca/san_template.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "conf/conf.h"
#include "pki/name.h"

#define BLANKS " \t"	/* no comma: the URI of a SID has one */
#define MAX_ITEMS 64

struct item {
	unsigned type;	/* enum conf_san bit */
	struct wording value;
};

struct san_template {
	struct item *list;
	size_t n;
};

static bool has_comma(const struct wording *w)
{
	for (size_t i = 0; i < w->n; i++) {
		if (w->list[i].name == NULL && strchr(w->list[i].text, ',') != NULL)
			return true;
	}
	return false;
}

/* What stands there whatever the values are, and would refuse every request. */
static enum err check_literal(const struct item *item, const char *start, struct why *why)
{
	struct buf name = {0};
	enum err err = ERR_OK;
	struct bytes rest;
	struct san san;

	if (item->type != SAN_URI && has_comma(&item->value))
		return fail(why, ERR_CONFIG, "'%.60s': blanks stand between names, no commas", start);
	if (item->value.n > 1 || item->value.list[0].name != NULL)
		return ERR_OK;
	err = san_write(item->type, item->value.list[0].text, &name, why);
	rest = buf_bytes(&name);
	if (err == ERR_OK && san_next(&rest, &san) && !san_is_sound(&san))
		err = fail(why, ERR_CONFIG, "'%.60s' is malformed", start);
	buf_free(&name);
	if (err != ERR_OK && why != NULL)
		why->err = ERR_CONFIG;
	return err == ERR_OK ? ERR_OK : ERR_CONFIG;
}

/* "kind:" and the text up to the next blank that is not in ${...}. */
static enum err take_item(const char **text, struct item *item, struct why *why)
{
	const char *start = *text;
	struct bytes in;
	enum err err;

	item->type = san_kind(text);
	if (item->type == 0)
		return fail(why, ERR_CONFIG, "'%.60s' has no kind: dns:, ip:, email:, uri: or upn: stands before each name", start);
	for (in = bytes_str(*text); in.n > 0 && strchr(BLANKS, in.p[0]) == NULL;) {
		if (in.p[0] == '$') {
			if ((err = wording_take(&item->value, &in, why)) != ERR_OK)
				return err;
			continue;
		}
		wording_add(&item->value, in.p[0]);
		in = bytes_cut(in, 1, in.n);
	}
	*text = (const char *)in.p;
	if (item->value.n == 0)
		return fail(why, ERR_CONFIG, "'%.60s' has no name after its kind", start);
	return check_literal(item, start, why);
}

enum err san_template_parse(const char *text, struct san_template **out, struct why *why)
{
	struct san_template *t = mem_alloc(sizeof(*t));
	enum err err;

	for (text += strspn(text, BLANKS); *text != '\0'; text += strspn(text, BLANKS)) {
		if (t->n == MAX_ITEMS) {
			err = fail(why, ERR_CONFIG, "more than %d names", MAX_ITEMS);
			goto out;
		}
		t->list = mem_resize(t->list, (t->n + 1) * sizeof(*t->list));
		t->list[t->n] = (struct item){0};
		if ((err = take_item(&text, &t->list[t->n++], why)) != ERR_OK)
			goto out;
	}
	if (t->n == 0) {
		err = fail(why, ERR_CONFIG, "there is no name in it");
		goto out;
	}
	*out = t;
	return ERR_OK;
out:
	san_template_free(t);
	return err;
}

void san_template_free(struct san_template *t)
{
	if (t == NULL)
		return;
	for (size_t i = 0; i < t->n; i++)
		wording_free(&t->list[i].value);
	free(t->list);
	free(t);
}

static enum err write_item(const struct item *item, const struct wording_from *from, struct buf *names, struct why *why)
{
	struct wording_turn turn;
	size_t count = wording_count(&item->value, from, &turn);
	struct buf text = {0}, name = {0};
	enum err err = ERR_OK;

	for (; turn.nth < count && err == ERR_OK; turn.nth++) {
		buf_cut(&text, 0);
		buf_cut(&name, 0);
		err = wording_write(&item->value, from, &turn, &text, why);
		if (err == ERR_OK && text.n > 0)
			err = san_write(item->type, buf_str(&text), &name, why);
		if (err == ERR_OK && !san_has(buf_bytes(names), buf_bytes(&name)))
			buf_add_bytes(names, buf_bytes(&name));
	}
	buf_free(&text);
	buf_free(&name);
	return err;
}

enum err san_template_write(const struct san_template *t, const struct wording_from *from, struct buf *names, struct why *why)
{
	struct buf all = {0};
	enum err err = ERR_OK;

	for (size_t i = 0; i < t->n && err == ERR_OK; i++)
		err = write_item(&t->list[i], from, &all, why);
	if (err == ERR_OK)
		buf_add_bytes(names, buf_bytes(&all));
	buf_free(&all);
	return err;
}
