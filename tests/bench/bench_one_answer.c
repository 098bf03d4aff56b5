/*
 * How long it takes to find out what only the private key can tell: the one-answer files of tests/data/bad/messages, of which all get the same
 * answer (P-85). What follows that answer, the signature of it and the audit row, is the same work for all. Files take turns, so that what else the
 * machine does meets all alike. Prints microseconds of CPU, the quickest first; nothing here passes or fails. The spread is to drown in the
 * private-key operation's own. (A content key that is encrypted as zero needs none; that is for everybody to see.)
 */
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/file.h"
#include "base/mem.h"
#include "pki/csr.h"
#include "scep/msg.h"

#define ROUNDS 200

struct row {
	const char *name;
	struct buf in;
	char *why;
	double us[ROUNDS];
};

static const struct key_limits limits = {.min_rsa = 2048, .max_rsa = 8192};

static void need(enum err err, const struct why *why)
{
	if (err == ERR_OK)
		return;
	fprintf(stderr, "%s\n", why->text);
	exit(1);
}

static double now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static struct scep_recipient load_ra(void)
{
	struct key *key = NULL;
	struct cert *cert = NULL;
	struct buf pem = {0};
	struct why why;

	need(file_read(TEST_DATA "/good/scep/ra.key", &pem, &why), &why);
	need(key_from_pem(buf_bytes(&pem), &key, &why), &why);
	need(cert_read(TEST_DATA "/good/scep/ra.pem", &cert, &why), &why);
	buf_wipe(&pem);
	return (struct scep_recipient){.cert = cert, .key = key};
}

/* As read_csr of ca/certify.c does it. */
static double time_once(struct row *row, const struct scep_recipient *ra, const struct alg_set *algs)
{
	struct scep_msg *msg = NULL;
	struct csr *csr = NULL;
	struct buf plain = {0};
	struct why why = {0};
	double start;
	enum err err;

	need(scep_open(buf_bytes(&row->in), &msg, &why), &why);
	need(scep_verify(msg, &limits, algs, &why), &why);
	start = now_us();
	if ((err = scep_unseal(msg, ra, 1, algs, &plain, &why)) == ERR_OK && (err = csr_parse(buf_bytes(&plain), &csr, &why)) == ERR_OK)
		err = csr_verify(csr, &limits, algs, NULL, &why);
	start = now_us() - start;
	if (row->why == NULL)
		row->why = mem_strdup(err == ERR_OK ? "ok" : why.text);
	csr_free(csr);
	buf_wipe(&plain);
	scep_msg_free(msg);
	return start;
}

static int by_time(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static int by_median(const void *a, const void *b)
{
	return by_time(&((const struct row *)a)->us[ROUNDS / 2], &((const struct row *)b)->us[ROUNDS / 2]);
}

int main(void)
{
	struct scep_recipient ra = load_ra();
	struct alg_set algs = alg_set_make(0, 0);
	struct row *rows;
	glob_t files;
	struct why why;

	if (glob(TEST_DATA "/bad/messages/one-answer-*.der", 0, NULL, &files) != 0)
		return 1;
	rows = mem_alloc(files.gl_pathc * sizeof(*rows));
	for (size_t i = 0; i < files.gl_pathc; i++) {
		rows[i].name = strrchr(files.gl_pathv[i], '/') + 1;
		need(file_read(files.gl_pathv[i], &rows[i].in, &why), &why);
	}
	for (int round = 0; round < ROUNDS; round++) {
		for (size_t i = 0; i < files.gl_pathc; i++)
			rows[i].us[round] = time_once(&rows[i], &ra, &algs);
	}
	for (size_t i = 0; i < files.gl_pathc; i++)
		qsort(rows[i].us, ROUNDS, sizeof(rows[i].us[0]), by_time);
	qsort(rows, files.gl_pathc, sizeof(*rows), by_median);
	printf("%8s %8s %8s\n", "least", "median", "90%");
	for (size_t i = 0; i < files.gl_pathc; i++)
		printf("%8.1f %8.1f %8.1f  %-40s %s\n", rows[i].us[0], rows[i].us[ROUNDS / 2], rows[i].us[ROUNDS * 9 / 10], rows[i].name, rows[i].why);
	return 0;
}
