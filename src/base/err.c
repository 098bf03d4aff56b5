#include "base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

static const struct err_row rows[] = {
#define ERR(name, http, fi, whose, label, text) [ERR_##name] = {#name, http, fi, whose, label, text},
#include "base/err.def"
#undef ERR
};

const struct err_row *err_row(enum err err)
{
	return &rows[(unsigned)err < ERR_COUNT ? err : ERR_INTERNAL];
}

enum err fail(struct why *why, enum err err, const char *fmt, ...)
{
	va_list ap;
	char text[sizeof(why->text)];

	if (why == NULL)
		return err;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	text_make_plain(text);	/* a sentence may quote bytes of a request */
	memcpy(why->text, text, sizeof(text));
	why->err = err;
	return err;
}

enum err fail_in(struct why *why, const char *fmt, ...)
{
	va_list ap;
	char context[150], joined[sizeof(context) + sizeof(why->text) + 2];

	if (why == NULL)
		return ERR_INTERNAL;
	va_start(ap, fmt);
	vsnprintf(context, sizeof(context), fmt, ap);
	va_end(ap);
	text_make_plain(context);
	snprintf(joined, sizeof(joined), "%s: %s", context, why->text);
	memcpy(why->text, joined, sizeof(why->text) - 1);
	return why->err;
}
