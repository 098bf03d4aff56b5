/* The load of `scepter bench`: requests made beforehand, sent at a given concurrency, answers kept for later. */
#ifndef ADMIN_BENCH_LOAD_H
#define ADMIN_BENCH_LOAD_H

#include "admin/client_msg.h"
#include "admin/client_server.h"

/* One device: who it is, what it sends, what came back. */
struct bench_device {
	struct client_id id;		/* the key is shared by several devices, the certificate is its own */
	struct client_request req;
	struct buf body;		/* the answer */
	long status;			/* HTTP; 0: none */
	double seconds;			/* from sending to the last octet of the answer */
};

struct bench_load {
	struct bench_device *devices;
	size_t n;
	struct key **keys;
	size_t n_keys;
};

/* What the requests are made of. */
struct bench_spec {
	size_t n, n_keys;
	const char *key_type;
	struct buf *challenges;		/* NUL-terminated; [0] for all when n_challenges is 1, else one each */
	size_t n_challenges;
};

/* Makes keys and requests for the server. Errors: KEY, CA_KEY, ALG. */
enum err bench_load_make(const struct bench_spec *spec, const struct client_server *server, struct bench_load *out, struct why *why);
void bench_load_free(struct bench_load *load);

/* Sends all of them by POST, `concurrency` at a time over kept connections. *seconds: from the first to the last. Error: REMOTE. */
enum err bench_load_send(struct bench_load *load, const struct client_opts *opts, size_t concurrency, double *seconds, struct why *why);

#endif
