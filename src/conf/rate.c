#include "conf/rate.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "conf/number.h"
#include "conf/value.h"

#define WINDOW_MAX_S (INT64_C(366) * 24 * 3600)	/* what is counted has to be kept so long */

enum err rate_set(const struct setting *row, const char *text, struct conf_rate *rate, struct why *why)
{
	size_t n = strcspn(text, "/");
	char *most = mem_strndup(text, n);
	struct conf_rate r = {0};
	bool ok = number_parse(most, NULL, &r.most) && r.most >= row->min && r.most <= row->max;

	free(most);
	if (text[n] == '/')
		ok = ok && r.most > 0 && number_parse(text + n + 1, number_units(KIND_SECONDS), &r.window_s) && r.window_s > 0 &&
		     r.window_s <= WINDOW_MAX_S;
	else
		ok = ok && r.most == 0;
	if (!ok)
		return value_bad(row, text, why);
	*rate = r;
	return ERR_OK;
}

void rate_text(struct conf_rate rate, struct buf *out)
{
	buf_printf(out, "%" PRId64, rate.most);
	if (rate.most == 0)
		return;
	buf_add_byte(out, '/');
	number_print(rate.window_s, number_units(KIND_SECONDS), out);
}
