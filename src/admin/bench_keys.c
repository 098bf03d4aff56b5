#include "admin/bench_keys.h"

#include <time.h>

#define ROUND_S 0.5
#define LEAST 20	/* operations, however slow */
#define TBS_SIZE 900	/* about what a certificate's signed part has; hashing it is part of the operation */

static double cpu_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static enum err time_sign(const struct key *key, double *seconds, struct why *why)
{
	const struct digest_row *sha256 = digest_row(DIGEST_SHA256);
	uint8_t data[TBS_SIZE] = {0};
	struct buf signature = {0};
	double start = cpu_now(), spent = 0;
	enum err err = ERR_OK;
	int n = 0;

	while (err == ERR_OK && (n < LEAST || spent < ROUND_S)) {
		buf_cut(&signature, 0);
		err = key_sign(key, sha256, bytes_of(data, sizeof(data)), &signature, why);
		spent = cpu_now() - start;
		n++;
	}
	buf_free(&signature);
	if (err == ERR_OK)
		*seconds = spent / n;
	return err;
}

static enum err time_unwrap(const struct key *key, double *seconds, struct why *why)
{
	static const struct key_limits any = {.min_rsa = 1024, .max_rsa = 16384};
	uint8_t cek[16] = {0}, out[16];
	struct pubkey *pub = NULL;
	struct buf wrapped = {0};
	double start, spent = 0;
	enum err err;
	int n = 0;

	err = pubkey_import(key_spki(key), &any, &pub, why);
	if (err == ERR_OK)
		err = pubkey_wrap(pub, bytes_of(cek, sizeof(cek)), &wrapped, why);
	start = cpu_now();
	while (err == ERR_OK && (n < LEAST || spent < ROUND_S)) {
		err = key_unwrap(key, buf_bytes(&wrapped), out, sizeof(out), why);
		spent = cpu_now() - start;
		n++;
	}
	buf_free(&wrapped);
	pubkey_free(pub);
	if (err == ERR_OK)
		*seconds = spent / n;
	return err;
}

enum err bench_keys_measure(const struct profile *p, struct bench_key_cost *out, struct why *why)
{
	struct bench_key_cost cost = {0};
	enum err err;

	if ((err = time_unwrap(p->ra_key, &cost.unwrap, why)) != ERR_OK || (err = time_sign(p->ca_key, &cost.ca_sign, why)) != ERR_OK ||
	    (err = time_sign(p->sign_key, &cost.ra_sign, why)) != ERR_OK)
		return err;
	*out = cost;
	return ERR_OK;
}
