#include "pki/ber.h"

#include "pki/der.h"

#define INDEFINITE SIZE_MAX
/* Length octets after the first: no message needs more, and eight fit a size_t. */
#define MAX_LENGTH_OCTETS 8

/* encryptedContent [0]: the only context-specific tag that may hold segments, and the only place where it stands (counted in
 * enclosing elements: ContentInfo, content [0], EnvelopedData, encryptedContentInfo). */
#define SEGMENTS_DEPTH 4

struct frame {
	uint8_t tag;
	size_t end;		/* offset after the contents, or INDEFINITE */
	size_t limit;		/* no child may pass this offset: the nearest definite end around it */
	size_t members;
};

struct walk {
	struct bytes in;
	size_t pos;
	struct frame stack[BER_MAX_DEPTH];
	size_t depth;
	size_t visited;
};

struct header {
	uint8_t tag;
	size_t content;		/* offset of the contents */
	size_t n;		/* or INDEFINITE */
};

static bool constructed(uint8_t tag)
{
	return (tag & 0x20) != 0;
}

/* Reads tag and length at w->pos; neither they nor the contents may pass `limit`. */
static bool read_header(const struct walk *w, size_t limit, struct header *h)
{
	size_t p = w->pos, octets, v = 0;
	const uint8_t *in = w->in.p;

	if (limit - p < 2)
		return false;
	h->tag = in[p++];
	if ((h->tag & 0x1f) == 0x1f) {
		while (p < limit && in[p] >= 0x80)
			p++;
		p++;
	}
	if (p >= limit)
		return false;
	octets = in[p++];
	h->content = p;
	h->n = octets;
	if (octets < 0x80)
		return h->n <= limit - p;
	h->n = INDEFINITE;
	if (octets == 0x80)
		return constructed(h->tag);
	octets &= 0x7f;
	if (octets > MAX_LENGTH_OCTETS || octets > limit - p)
		return false;
	for (size_t i = 0; i < octets; i++)
		v = v << 8 | in[p + i];
	h->content = p + octets;
	h->n = v;
	return v <= limit - h->content;
}

/* May `parent` have one more child with this tag? */
static bool member_allowed(struct walk *w, struct frame *parent, uint8_t tag)
{
	bool is_string = tag == DER_OCTET_STRING || tag == (DER_OCTET_STRING | 0x20);

	if (parent->tag == (DER_OCTET_STRING | 0x20))
		return is_string;
	if (parent->tag == DER_SEQUENCE)
		return true;
	if (is_string && parent->tag == DER_CTX(0) && w->depth == SEGMENTS_DEPTH + 1)
		return true;
	return ++parent->members <= BER_MAX_MEMBERS;
}

/* Contents that nobody here decodes: crls [1] and unsigned attributes [1] may be long lists inside (revoked certificates). */
static bool opaque(const struct frame *parent)
{
	return parent != NULL && parent->tag == DER_CTX(1);
}

static void enter(struct walk *w, const struct header *h, size_t limit)
{
	bool indefinite = h->n == INDEFINITE;

	w->stack[w->depth++] = (struct frame){.tag = h->tag, .end = indefinite ? INDEFINITE : h->content + h->n,
	    .limit = indefinite ? limit : h->content + h->n};
	w->pos = h->content;
}

/* Takes the element at w->pos: enters it, or passes it. */
static enum err take(struct walk *w, struct why *why)
{
	struct frame *parent = w->depth > 0 ? &w->stack[w->depth - 1] : NULL;
	size_t limit = parent != NULL ? parent->limit : w->in.n;
	struct header h;

	if (++w->visited > BER_MAX_ELEMENTS)
		return fail(why, ERR_SYNTAX, "message has more than %d elements", BER_MAX_ELEMENTS);
	if (!read_header(w, limit, &h) || h.tag == 0)
		return fail(why, ERR_SYNTAX, "not BER: bad tag or length at octet %zu of %zu", w->pos, w->in.n);
	if (parent != NULL && !member_allowed(w, parent, h.tag))
		return fail(why, ERR_SYNTAX, "more than %d members, or a wrong segment, in the element with tag 0x%02x before octet %zu",
		    BER_MAX_MEMBERS, parent->tag, w->pos);
	if (h.tag == DER_OID && h.n > BER_MAX_OID)
		return fail(why, ERR_SYNTAX, "an object identifier of %zu octets, %d at most, at octet %zu", h.n, BER_MAX_OID, w->pos);
	if (!constructed(h.tag) || (h.n != INDEFINITE && opaque(parent))) {
		w->pos = h.content + h.n;
		return ERR_OK;
	}
	if (w->depth == BER_MAX_DEPTH)
		return fail(why, ERR_SYNTAX, "elements nested deeper than %d at octet %zu", BER_MAX_DEPTH, w->pos);
	enter(w, &h, limit);
	return ERR_OK;
}

/* Leaves every element that ends here. */
static void leave(struct walk *w)
{
	while (w->depth > 0) {
		const struct frame *f = &w->stack[w->depth - 1];

		if (f->end == INDEFINITE) {
			if (f->limit - w->pos < 2 || w->in.p[w->pos] != 0 || w->in.p[w->pos + 1] != 0)
				return;
			w->pos += 2;
		} else if (w->pos < f->end) {
			return;
		}
		w->depth--;
	}
}

static bool only_padding(struct bytes rest)
{
	for (size_t i = 0; i < rest.n; i++) {
		if (rest.p[i] != 0 && rest.p[i] != '\r' && rest.p[i] != '\n')
			return false;
	}
	return true;
}

enum err ber_check(struct bytes in, struct ber_element *out, struct why *why)
{
	struct walk w = {.in = in};
	enum err err;

	*out = (struct ber_element){0};
	if (in.n == 0 || !constructed(in.p[0]))
		return fail(why, ERR_SYNTAX, "not BER: the message is empty or does not begin with a constructed element");
	do {
		err = take(&w, why);
		out->visited = w.visited;
		if (err != ERR_OK)
			return err;
		leave(&w);
	} while (w.depth > 0);
	if (!only_padding(bytes_cut(in, w.pos, in.n)))
		return fail(why, ERR_SYNTAX, "%zu octets after the message", in.n - w.pos);
	out->raw = bytes_cut(in, 0, w.pos);
	return ERR_OK;
}

bool ber_octets(struct bytes in, uint8_t tag, struct buf *out)
{
	struct walk w = {.in = in};
	struct buf joined = {0};
	bool ok;

	do {
		size_t limit = w.depth > 0 ? w.stack[w.depth - 1].limit : in.n;
		struct header h;

		ok = read_header(&w, limit, &h) && (h.tag & ~0x20) == tag && w.depth < BER_MAX_DEPTH;
		if (!ok)
			break;
		if (constructed(h.tag)) {
			enter(&w, &h, limit);
		} else {
			buf_add_bytes(&joined, bytes_cut(in, h.content, h.n));
			w.pos = h.content + h.n;
		}
		leave(&w);
		tag = DER_OCTET_STRING;		/* segments are, whatever tag stands for the string itself */
	} while (w.depth > 0);
	ok = ok && w.pos == in.n;
	if (ok)
		buf_add_bytes(out, buf_bytes(&joined));
	buf_free(&joined);
	return ok;
}
