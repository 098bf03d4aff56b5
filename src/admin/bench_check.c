#include <stdlib.h>
#include <string.h>

#include "admin/bench_result.h"
#include "admin/progress.h"
#include "base/mem.h"

static int by_value(const void *x, const void *y)
{
	double a = *(const double *)x, b = *(const double *)y;

	return (a > b) - (a < b);
}

/* Nearest rank: the smallest latency that at least `percent` of the requests did not exceed. */
static double percentile(const double *sorted, size_t n, unsigned percent)
{
	size_t rank = (n * percent + 99) / 100;

	return n == 0 ? 0 : sorted[rank == 0 ? 0 : rank - 1];
}

struct serial {
	uint8_t octets[32];
};

static int by_octets(const void *x, const void *y)
{
	return memcmp(x, y, sizeof(struct serial));
}

/* One answer: ERR_OK and its serial, or why not. */
static enum err check_one(const struct bench_device *d, const struct client_server *server, struct serial *serial,
    struct bench_result *r, struct why *why)
{
	struct client_http_answer http = {.status = d->status, .body = d->body};	/* borrowed */
	struct client_answer answer = {0};
	enum err err;

	if (d->status == 0)
		err = fail(why, ERR_REMOTE, "no answer: the connection was refused, lost or timed out");
	else
		err = client_http_expect_ok("PKIOperation", &http, why);
	if (err == ERR_OK)
		err = client_answer_read(buf_bytes(&d->body), server->ca, &d->id, &d->req, &answer, why);
	if (err != ERR_OK) {
		r->broken++;
		return err;
	}
	if (answer.status == SCEP_SUCCESS) {
		struct bytes s = bytes_cut(answer.cert->serial, 0, sizeof(serial->octets));

		memset(serial, 0, sizeof(*serial));
		memcpy(serial->octets, s.p, s.n);
		r->ok++;
	} else if (answer.status == SCEP_PENDING) {
		err = fail(why, ERR_REMOTE, "the request waits for approval: measure with a profile that issues at once");
		r->pending++;
	} else {
		err = client_refused(&answer, why);
		r->refused++;
	}
	client_answer_free(&answer);
	return err;
}

static void fill_latencies(double *latency, struct bench_result *r)
{
	qsort(latency, r->ok, sizeof(*latency), by_value);
	r->p50 = percentile(latency, r->ok, 50);
	r->p95 = percentile(latency, r->ok, 95);
	r->p99 = percentile(latency, r->ok, 99);
	r->slowest = percentile(latency, r->ok, 100);
}

static void find_twins(struct serial *serials, struct bench_result *r)
{
	size_t twins = 0;

	qsort(serials, r->ok, sizeof(*serials), by_octets);
	for (size_t i = 1; i < r->ok; i++)
		twins += by_octets(&serials[i - 1], &serials[i]) == 0;
	if (twins == 0)
		return;
	fail(&r->first, ERR_REMOTE, "%zu certificates have the serial number of another one", twins);
	r->ok -= twins;
	r->broken += twins;
}

void bench_check(const struct bench_load *load, const struct client_server *server, struct bench_result *out)
{
	double *latency = mem_alloc((load->n + 1) * sizeof(*latency));
	struct serial *serials = mem_alloc((load->n + 1) * sizeof(*serials));
	bool told = false;

	out->n = load->n;
	progress_start("checking the answers");
	for (size_t i = 0; i < load->n; i++) {
		size_t ok = out->ok;
		struct why why = {0};

		if (check_one(&load->devices[i], server, &serials[ok], out, &why) == ERR_OK) {
			latency[ok] = load->devices[i].seconds;
		} else if (!told) {
			out->first = why;
			told = true;
		}
		progress_count((long)i + 1, (long)load->n);
	}
	progress_stop();
	fill_latencies(latency, out);
	find_twins(serials, out);
	free(latency);
	free(serials);
}
