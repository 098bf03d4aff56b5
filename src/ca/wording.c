#include "ca/wording.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"

/* Beside "csr": who knows something of a device besides its request (auth/values.h). */
static const char *const sources[] = {"challenge", "intune", "tls", "hook", "command"};

/* --- compiling ---------------------------------------------------------------------------------------------------- */

static struct piece *add_piece(struct wording *w)
{
	w->list = mem_resize(w->list, (w->n + 1) * sizeof(*w->list));
	w->list[w->n] = (struct piece){0};
	return &w->list[w->n++];
}

void wording_add(struct wording *w, uint8_t c)
{
	struct piece *last = w->n > 0 && w->list[w->n - 1].name == NULL ? &w->list[w->n - 1] : add_piece(w);
	size_t n = last->text == NULL ? 0 : strlen(last->text);

	last->text = mem_resize(last->text, n + 2);
	last->text[n] = (char)c;
	last->text[n + 1] = '\0';
}

static bool is_source(struct bytes name)
{
	for (size_t i = 0; i < sizeof(sources) / sizeof(sources[0]); i++) {
		if (bytes_eq_str(name, sources[i]))
			return true;
	}
	return false;
}

static bool is_name(struct bytes name)
{
	for (size_t i = 0; i < name.n; i++) {
		uint8_t c = name.p[i];

		if (!(c >= '0' && c <= '9') && !((c | 0x20) >= 'a' && (c | 0x20) <= 'z') && (c == 0 || strchr("._-", c) == NULL))
			return false;
	}
	return name.n > 0;
}

/* "SOURCE.NAME" */
static enum err add_reference(struct wording *w, struct bytes name, struct why *why)
{
	const uint8_t *dot = name.n == 0 ? NULL : memchr(name.p, '.', name.n);
	struct bytes source = bytes_cut(name, 0, dot == NULL ? 0 : (size_t)(dot - name.p)), rest = bytes_cut(name, source.n + 1, name.n);
	struct csr_name csr = {0};
	struct piece *piece;

	if (dot == NULL || !is_name(rest) || name.n > VALUE_NAME_MAX)
		return fail(why, ERR_CONFIG, "'${%.*s}' is not ${SOURCE.NAME}, such as ${csr.cn} or ${challenge.owner}", (int)name.n, (const char *)name.p);
	if (!bytes_eq_str(source, "csr") && !is_source(source))
		return fail(why, ERR_CONFIG, "'${%.*s}': there is no source '%.*s'; there are csr, challenge, intune, tls, hook and command",
		    (int)name.n, (const char *)name.p, (int)source.n, (const char *)source.p);
	if (bytes_eq_str(source, "csr") && !csr_name_find(rest, &csr))
		return fail(why, ERR_CONFIG, "'${%.*s}': a request has no '%.*s'; it has dns, ip, email, uri, upn and the attributes of its subject, such "
		    "as cn, serialNumber, ou, o or uid", (int)name.n, (const char *)name.p, (int)rest.n, (const char *)rest.p);
	piece = add_piece(w);
	piece->name = mem_strndup((const char *)name.p, name.n);
	piece->csr = csr;
	return ERR_OK;
}

static enum err add_default(struct wording *w, struct bytes text, struct why *why)
{
	if (text.n > VALUE_TEXT_MAX || (text.n > 0 && memchr(text.p, '$', text.n) != NULL))
		return fail(why, ERR_CONFIG, "the default of ${%s} is too long or holds a '$'; it is plain text", w->list[w->n - 1].name);
	w->list[w->n - 1].text = mem_strndup((const char *)text.p, text.n);
	return ERR_OK;
}

enum err wording_take(struct wording *w, struct bytes *in, struct why *why)
{
	const uint8_t *end, *dash;
	struct bytes inside, name;
	enum err err;

	if (in->n >= 2 && in->p[1] == '$') {
		wording_add(w, '$');
		*in = bytes_cut(*in, 2, in->n);
		return ERR_OK;
	}
	if (in->n < 2 || in->p[1] != '{')
		return fail(why, ERR_CONFIG, "a '$' without '{' after it; write $$ for a dollar sign");
	end = memchr(in->p, '}', in->n);
	if (end == NULL)
		return fail(why, ERR_CONFIG, "'%.60s' has no '}'", (const char *)in->p);
	inside = bytes_of(in->p + 2, (size_t)(end - in->p) - 2);
	dash = inside.n == 0 ? NULL : memmem(inside.p, inside.n, ":-", 2);
	name = bytes_cut(inside, 0, dash == NULL ? inside.n : (size_t)(dash - inside.p));
	if ((err = add_reference(w, name, why)) != ERR_OK)
		return err;
	if (dash != NULL && (err = add_default(w, bytes_cut(inside, name.n + 2, inside.n), why)) != ERR_OK)
		return err;
	*in = bytes_cut(*in, inside.n + 3, in->n);
	return ERR_OK;
}

void wording_free(struct wording *w)
{
	for (size_t i = 0; i < w->n; i++) {
		free(w->list[i].text);
		free(w->list[i].name);
	}
	free(w->list);
	*w = (struct wording){0};
}

/* --- making texts ------------------------------------------------------------------------------------------------- */

/* The nth value; false: there is none. */
static bool value_of(const struct piece *p, const struct wording_from *from, size_t nth, struct buf *out)
{
	size_t start = out->n;
	const char *text;

	if (p->csr.oid != NULL || p->csr.san != 0)
		return csr_value(from->csr, &p->csr, nth, out) && out->n > start;
	text = values_get(from->values, p->name, nth);
	buf_add_str(out, text == NULL ? "" : text);
	return out->n > start;
}

static size_t count_of(const struct piece *p, const struct wording_from *from)
{
	struct buf text = {0};
	size_t n = 0;

	while (n < WORDING_MAX_VALUES && value_of(p, from, n, &text)) {
		buf_cut(&text, 0);
		n++;
	}
	buf_free(&text);
	return n;
}

size_t wording_count(const struct wording *w, const struct wording_from *from, struct wording_turn *turn)
{
	for (size_t i = 0; i < w->n; i++) {
		size_t count = w->list[i].name == NULL ? 0 : count_of(&w->list[i], from);

		if (count > 1) {
			*turn = (struct wording_turn){w->list[i].name, 0};
			return count;
		}
	}
	*turn = (struct wording_turn){0};
	return 1;
}

static enum err write_reference(const struct piece *p, const struct wording_from *from, size_t nth, struct buf *out, struct why *why)
{
	size_t start = out->n;

	if (!value_of(p, from, nth, out)) {
		buf_cut(out, start);
		if (p->text == NULL)
			return fail(why, ERR_SUBJECT, "there is no value for ${%s}; for requests without one ${%s:-TEXT} gives a default", p->name, p->name);
		buf_add_str(out, p->text);
	}
	if (!text_is_plain(bytes_of(out->p + start, out->n - start)))
		return fail(why, ERR_SUBJECT, "the value of ${%s} holds control characters", p->name);
	if (out->n - start > VALUE_TEXT_MAX)
		return fail(why, ERR_SUBJECT, "the value of ${%s} has %zu octets, at most %d are taken", p->name, out->n - start, VALUE_TEXT_MAX);
	return ERR_OK;
}

enum err wording_write(const struct wording *w, const struct wording_from *from, const struct wording_turn *turn, struct buf *out, struct why *why)
{
	size_t start = out->n;
	enum err err = ERR_OK;

	for (size_t i = 0; i < w->n && err == ERR_OK; i++) {
		const struct piece *p = &w->list[i];
		bool is_turn = turn->name != NULL && p->name != NULL && strcmp(p->name, turn->name) == 0;

		if (p->name == NULL)
			buf_add_str(out, p->text);
		else
			err = write_reference(p, from, is_turn ? turn->nth : 0, out, why);
	}
	if (err != ERR_OK)
		buf_cut(out, start);
	return err;
}
