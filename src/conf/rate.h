/* Rates, "3/24h": so many within so much time. */
#ifndef CONF_RATE_H
#define CONF_RATE_H

#include "base/buf.h"
#include "base/err.h"
#include "conf/table.h"

/* N/TIME, or "0" for off; the row's min and max bound N. Error: CONFIG. */
enum err rate_set(const struct setting *row, const char *text, struct conf_rate *rate, struct why *why);
void rate_text(struct conf_rate rate, struct buf *out);

#endif
