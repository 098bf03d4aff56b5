#include "admin/bench_result.h"

#include <stdio.h>
#include <unistd.h>

#include "admin/print.h"

/* A number with so many decimals, in JSON as in text. */
static void put_number(struct json_object *o, const char *key, double v, int decimals)
{
	char text[64];

	snprintf(text, sizeof(text), "%.*f", decimals, v);
	json_object_object_add(o, key, json_object_new_double_s(v, text));
}

static double key_sum(const struct bench_key_cost *k)
{
	return k->unwrap + k->ca_sign + k->ra_sign;
}

static struct json_object *latency_json(const struct bench_result *r)
{
	struct json_object *o = json_object_new_object();

	put_number(o, "p50", r->p50 * 1e3, 2);
	put_number(o, "p95", r->p95 * 1e3, 2);
	put_number(o, "p99", r->p99 * 1e3, 2);
	put_number(o, "max", r->slowest * 1e3, 2);
	return o;
}

static struct json_object *keys_json(const struct bench_key_cost *k)
{
	struct json_object *o = json_object_new_object();

	put_number(o, "unwrap", k->unwrap * 1e3, 3);
	put_number(o, "ca_sign", k->ca_sign * 1e3, 3);
	put_number(o, "ra_sign", k->ra_sign * 1e3, 3);
	put_number(o, "sum", key_sum(k) * 1e3, 3);
	return o;
}

static struct json_object *procs_json(const struct bench_result *r)
{
	struct json_object *array = json_object_new_array();

	for (size_t i = 0; i < r->n_procs; i++) {
		struct json_object *o = json_object_new_object();

		put_int(o, "pid", r->procs[i].pid);
		if (r->procs[i].pss_kib >= 0)
			put_int(o, "pss_kib", r->procs[i].pss_kib);
		json_object_array_add(array, o);
	}
	return array;
}

/* Per enrolment: what was refused cost something too, so the figures mean most when everything was ok. */
static void put_cpu(struct json_object *o, const struct bench_result *r)
{
	double responder = r->responder_cpu / (double)r->n;

	if (r->responder_cpu >= 0)
		put_number(o, "responder_cpu_ms", responder * 1e3, 3);
	if (r->postgres_cpu >= 0)
		put_number(o, "postgres_cpu_ms", r->postgres_cpu / (double)r->n * 1e3, 3);
	if (r->has_keys)
		json_object_object_add(o, "key_cpu_ms", keys_json(&r->keys));
	if (r->has_keys && r->responder_cpu >= 0)
		put_number(o, "ratio", responder / key_sum(&r->keys), 3);
}

struct json_object *bench_result_json(const struct bench_result *r)
{
	struct json_object *o = json_object_new_object();

	put_int(o, "requests", (long)r->n);
	put_int(o, "ok", (long)r->ok);
	put_int(o, "pending", (long)r->pending);
	put_int(o, "refused", (long)r->refused);
	put_int(o, "broken", (long)r->broken);
	if (r->ok < r->n)
		put_text(o, "first_failure", r->first.text);
	put_number(o, "seconds", r->seconds, 3);
	put_number(o, "enrolments_per_second", (double)r->ok / r->seconds, 1);
	json_object_object_add(o, "latency_ms", latency_json(r));
	put_cpu(o, r);
	put_int(o, "processors", sysconf(_SC_NPROCESSORS_ONLN));
	json_object_object_add(o, "responder_processes", procs_json(r));
	return o;
}
