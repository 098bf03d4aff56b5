#include "store/rate.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "store/array.h"

void rate_count(const struct store_rate *rates, size_t n, size_t n_when[3])
{
	memset(n_when, 0, 3 * sizeof(*n_when));
	for (size_t i = 0; i < n; i++)
		n_when[rates[i].when]++;
}

/* A window of another length is another one: its numbers would not fit. */
static void key_of(const struct store *s, const char *profile, const struct store_rate *rate, uint8_t out[STORE_DIGEST_SIZE])
{
	char window[16];

	snprintf(window, sizeof(window), "%d", rate->window_s);
	store_digest_parts(s, "rate",
	    (const struct bytes[]){bytes_str(profile), bytes_str(rate->kind), bytes_str(rate->of), bytes_str(window)}, 4, out);
}

struct params {
	uint8_t (*keys)[STORE_DIGEST_SIZE];
	int *most, *seconds;
	size_t n;
};

static void put(const struct store *s, const char *profile, const struct store_rate *rate, struct params *p)
{
	key_of(s, profile, rate, p->keys[p->n]);
	p->most[p->n] = rate->most;
	p->seconds[p->n] = rate->window_s;
	p->n++;
}

void rate_add(const struct store *s, struct call *call, const char *profile, const struct store_rate *rates, size_t n)
{
	struct params p = {
	    .keys = mem_alloc((n + 1) * sizeof(*p.keys)),
	    .most = mem_alloc((n + 1) * sizeof(*p.most)),
	    .seconds = mem_alloc((n + 1) * sizeof(*p.seconds)),
	};

	for (int when = RATE_ALWAYS; when <= RATE_REFUSED; when++) {
		for (size_t i = 0; i < n; i++) {
			if ((int)rates[i].when == when)
				put(s, profile, &rates[i], &p);
		}
	}
	call_uuids(call, (const uint8_t (*)[STORE_DIGEST_SIZE])p.keys, n);
	call_ints(call, p.most, n);
	call_ints(call, p.seconds, n);
	free(p.keys);
	free(p.most);
	free(p.seconds);
}

/* The one that stands at this place, from 1, in the order of rate_add. */
static const struct store_rate *rate_at(const struct store_rate *rates, size_t n, int which)
{
	for (int when = RATE_ALWAYS; when <= RATE_REFUSED; when++) {
		for (size_t i = 0; i < n; i++) {
			if ((int)rates[i].when == when && --which == 0)
				return &rates[i];
		}
	}
	return NULL;
}

void rate_take_answer(const PGresult *r, int column, const struct store_rate *rates, size_t n, struct store_answer *out, struct why *why)
{
	const struct store_rate *rate = rate_at(rates, n, row_int(r, 0, column));

	if (rate == NULL)
		return;
	out->verdict = STORE_THROTTLED;
	out->limit = rate;
	out->retry_after = row_int(r, 0, column + 1);
	out->first = row_bool(r, 0, column + 2);
	fail(why, ERR_THROTTLED, "%s '%.200s' is over its limit of %d in %d s", rate->kind, rate->of, rate->most, rate->window_s);
}
