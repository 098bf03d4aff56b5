/* What the authenticators know of a device, by name, for the profile's templates: "challenge.owner", "tls.cn", "hook.site". */
#ifndef AUTH_VALUES_H
#define AUTH_VALUES_H

#include "base/buf.h"
#include "base/err.h"

#define VALUES_MAX 100		/* in all */
#define VALUE_NAME_MAX 64	/* octets */
#define VALUE_TEXT_MAX 1024

struct value {
	char *name, *text;
};

/* In the order in which they were added; a name may come several times. {0} is empty; ends with values_free. */
struct values {
	struct value *list;
	size_t n;
};

/*
 * Adds `text` under "source.name". False, and nothing is added, when there are too many, name or text is too long, the text is not UTF-8 or
 * holds control characters: then whoever brings it is refused, because a template would go on without it.
 */
bool values_add(struct values *v, const char *source, const char *name, struct bytes text);

/* Appends all of `from`, which is empty afterwards. False, and nothing is moved: there would be too many. */
bool values_move(struct values *v, struct values *from);

/* The i-th text called `name` ("tls.cn"), counted from 0; NULL: there is none. v NULL: NULL. */
const char *values_get(const struct values *v, const char *name, size_t i);

/* As octets, to be kept with a request that waits; DER: SEQUENCE OF SEQUENCE { name UTF8String, text UTF8String }. */
void values_write(const struct values *v, struct buf *out);
/* False: not what values_write wrote. `v` is empty before. */
bool values_read(struct bytes in, struct values *v);

/* Back to the first n, for whoever added some and then found that it should not have. */
void values_cut(struct values *v, size_t n);

void values_free(struct values *v);

#endif
