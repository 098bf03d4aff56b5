/* Sliding windows as parameters and answers of the functions in sql/006_rates.sql. */
#ifndef STORE_RATE_H
#define STORE_RATE_H

#include "store/internal.h"

/* How many of each `when`. */
void rate_count(const struct store_rate *rates, size_t n, size_t n_when[3]);

/* Adds three arrays: keys, limits, seconds; in the order of their `when`. */
void rate_add(const struct store *s, struct call *call, const char *profile, const struct store_rate *rates, size_t n);

/* From `column` on: which one is over its limit, retry_after, first. None is when that is NULL: then `out` and `why` are left alone. */
void rate_take_answer(const PGresult *r, int column, const struct store_rate *rates, size_t n, struct store_answer *out, struct why *why);

#endif
