/* scepter bench: how fast a server enrols, and what an enrolment costs it. */
#include <stdlib.h>
#include <time.h>

#include "admin/bench_result.h"
#include "admin/client_verbs.h"
#include "admin/opts.h"
#include "admin/print.h"
#include "admin/verb.h"
#include "base/file.h"
#include "base/mem.h"
#include "ca/profile.h"

struct args {
	struct client_opts server;
	const char *challenge, *challenge_file, *key_type, *conf, *profile;
	long requests, concurrency, keys, responder_pid, postgres_pid;
	bool json;
};

static const struct opt table[] = {
    CLIENT_OPTS(struct args, server),
    {"requests", 'n', OPT_COUNT, offsetof(struct args, requests), "N", "so many devices (200)"},
    {"concurrency", 'C', OPT_COUNT, offsetof(struct args, concurrency), "N", "so many at a time, each on a kept connection (8)"},
    {"keys", 0, OPT_COUNT, offsetof(struct args, keys), "K", "make K device keys and use them in turn (8)"},
    {"key-type", 't', OPT_TEXT, offsetof(struct args, key_type), "TYPE", "of the devices: rsa:2048 (default), rsa:3072 or rsa:4096"},
    {"challenge-file", 0, OPT_TEXT, offsetof(struct args, challenge_file), "FILE",
	"one line: every device's challenge; N lines or more: one for each ('-': standard input)"},
    {"challenge", 0, OPT_TEXT, offsetof(struct args, challenge), "TEXT", "every device's challenge; others can read it in the list of processes"},
    {"responder-pid", 0, OPT_COUNT, offsetof(struct args, responder_pid), "PID", "the responder's master: measure the CPU of it and its workers"},
    {"postgres-pid", 0, OPT_COUNT, offsetof(struct args, postgres_pid), "PID", "PostgreSQL's first process: measure the CPU of all"},
    OPT_CONF(struct args),
    {"profile", 'p', OPT_TEXT, offsetof(struct args, profile), "NAME",
	"measure the private-key operations of this profile's keys too; the responder's CPU is then also given as a multiple of it"},
    OPT_JSON(struct args),
    {NULL, 0, 0, 0, NULL, NULL},
};

static const struct opts opts = {
    "Enrols many devices at the SCEP server at URL and says how long it took and what it cost.\v"
    "Keys and requests are made before the clock starts, answers are checked as `scepter enroll' does after it has stopped. Devices share "
    "keys (making one takes longer than enrolling); subjects and transaction ids differ.",
    table,
};

/* The keys of --profile, and what they cost; measured before and after the load, for the machine may change its speed. */
struct own_keys {
	struct conf *conf;
	struct profile *profile;
	struct bench_key_cost before;
};

static enum err first_problem(const struct problems *p, struct why *why)
{
	for (size_t i = 0; i < p->n; i++)
		if (p->list[i].level == PROBLEM_ERROR)
			return fail(why, ERR_CONFIG, "%s: %s", p->list[i].where, p->list[i].text);
	return fail(why, ERR_CONFIG, "the configuration cannot be used");
}

static enum err open_keys(const struct args *a, struct own_keys *out, struct why *why)
{
	const char *file = conf_file(a->conf);
	struct problems problems = {0};
	const struct profile_conf *profile;
	enum err err = ERR_OK;

	out->conf = conf_read(file, &problems);
	profile = out->conf == NULL ? NULL : conf_profile(out->conf, a->profile);
	if (out->conf != NULL && profile == NULL)
		err = fail(why, ERR_CONFIG, "%s has no profile '%s'", file, a->profile);
	else if (out->conf != NULL)
		out->profile = profile_load(profile, time(NULL), NULL, &problems);
	if (err == ERR_OK && out->profile == NULL)
		err = first_problem(&problems, why);
	problems_free(&problems);
	if (err == ERR_OK)
		err = profile_open_keys(out->profile, why);
	if (err == ERR_OK)
		err = bench_keys_measure(out->profile, &out->before, why);
	return err;
}

static enum err measure_again(const struct own_keys *keys, struct bench_key_cost *out, struct why *why)
{
	const struct bench_key_cost *b = &keys->before;
	struct bench_key_cost after;
	enum err err = bench_keys_measure(keys->profile, &after, why);

	if (err == ERR_OK)
		*out = (struct bench_key_cost){(b->unwrap + after.unwrap) / 2, (b->ca_sign + after.ca_sign) / 2, (b->ra_sign + after.ra_sign) / 2};
	return err;
}

static void close_keys(struct own_keys *keys)
{
	profile_free(keys->profile);
	conf_free(keys->conf);
}

struct challenges {
	struct buf *list;
	size_t n;
};

static void add_challenge(struct challenges *c, struct bytes text)
{
	c->list = mem_resize(c->list, (c->n + 1) * sizeof(*c->list));
	c->list[c->n] = (struct buf){0};
	buf_add_bytes(&c->list[c->n++], text);
}

static enum err read_challenges(const struct args *a, struct challenges *out, struct why *why)
{
	struct buf file = {0};
	size_t start = 0;
	enum err err;

	if (a->challenge != NULL)
		add_challenge(out, bytes_str(a->challenge));
	if (a->challenge_file == NULL)
		return ERR_OK;
	err = file_read(a->challenge_file, &file, why);
	if (err != ERR_OK)
		return err;
	for (size_t i = 0; i <= file.n; i++) {
		if (i < file.n && file.p[i] != '\n')
			continue;
		if (i > start)
			add_challenge(out, bytes_cut(buf_bytes(&file), start, i - start));
		start = i + 1;
	}
	buf_wipe(&file);
	if (out->n == 0 || (out->n > 1 && out->n < (size_t)a->requests))
		return fail(why, ERR_CONFIG, "'%s' holds %zu challenges, it must be one for all or one for each of the %ld requests",
		    a->challenge_file, out->n, a->requests);
	return ERR_OK;
}

static void free_challenges(struct challenges *c)
{
	for (size_t i = 0; i < c->n; i++)
		buf_wipe(&c->list[i]);
	free(c->list);
}

/* CPU so far, or -1 when it was not asked for. */
static enum err cpu_so_far(long pid, double *out, struct why *why)
{
	*out = -1;
	return pid > 0 ? bench_cpu_read((pid_t)pid, out, why) : ERR_OK;
}

static enum err send_measured(const struct args *a, struct bench_load *load, struct bench_result *r, struct why *why)
{
	double responder, postgres;
	enum err err;

	if ((err = cpu_so_far(a->responder_pid, &responder, why)) != ERR_OK ||
	    (err = cpu_so_far(a->postgres_pid, &postgres, why)) != ERR_OK ||
	    (err = bench_load_send(load, &a->server, (size_t)a->concurrency, &r->seconds, why)) != ERR_OK ||
	    (err = cpu_so_far(a->responder_pid, &r->responder_cpu, why)) != ERR_OK ||
	    (err = cpu_so_far(a->postgres_pid, &r->postgres_cpu, why)) != ERR_OK)
		return err;
	if (a->responder_pid > 0) {
		r->responder_cpu -= responder;
		r->n_procs = bench_procs((pid_t)a->responder_pid, r->procs, BENCH_MAX_PROCS);
	}
	if (a->postgres_pid > 0)
		r->postgres_cpu -= postgres;
	return ERR_OK;
}

static enum err run(const struct args *a, struct bench_result *r, struct why *why)
{
	struct client_server server = {0};
	struct challenges challenges = {0};
	struct bench_load load = {0};
	struct own_keys keys = {0};
	enum err err;

	err = read_challenges(a, &challenges, why);
	struct bench_spec spec = {.n = (size_t)a->requests, .n_keys = (size_t)(a->keys < a->requests ? a->keys : a->requests),
	    .key_type = a->key_type, .challenges = challenges.list, .n_challenges = challenges.n};
	if (err == ERR_OK && a->profile != NULL)
		err = open_keys(a, &keys, why);
	if (err == ERR_OK)
		err = client_server_meet(&a->server, &server, why);
	if (err == ERR_OK)
		err = bench_load_make(&spec, &server, &load, why);
	if (err == ERR_OK)
		err = send_measured(a, &load, r, why);
	if (err == ERR_OK && a->profile != NULL) {
		err = measure_again(&keys, &r->keys, why);
		r->has_keys = err == ERR_OK;
	}
	if (err == ERR_OK)
		bench_check(&load, &server, r);
	bench_load_free(&load);
	client_server_leave(&server);
	free_challenges(&challenges);
	close_keys(&keys);
	return err;
}

static int check_args(const struct args *a)
{
	if (a->challenge != NULL && a->challenge_file != NULL)
		return verb_misused("--challenge and --challenge-file exclude each other");
	return client_opts_check(&a->server);
}

int bench_run(int argc, char **argv)
{
	struct args args = {.key_type = "rsa:2048", .requests = 200, .concurrency = 8, .keys = 8};
	struct bench_result *result = mem_alloc(sizeof(*result));
	struct json_object *o;
	struct why why = {0};
	int code;

	opts_parse(&opts, argc, argv, &args);
	code = check_args(&args);
	if (code == EXIT_OK && run(&args, result, &why) != ERR_OK) {
		code = verb_failed(&why);
	} else if (code == EXIT_OK) {
		o = bench_result_json(result);
		put_int(o, "concurrency", args.concurrency);
		put_int(o, "device_keys", args.keys < args.requests ? args.keys : args.requests);
		print_object(o, args.json);
		code = result->ok == result->n ? EXIT_OK : EXIT_FAILED;
	}
	free(result);
	return code;
}
