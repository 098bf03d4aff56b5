/*
 * How long hostile messages of 1 MiB keep us busy before they are refused or read: those that break the CMS reader's heart, and those
 * that are signed and sealed properly and hold something odd. Prints microseconds of CPU; nothing here passes or fails
 * (tests/unit/test_ber.c counts the guard's work). Aim: every line under 20,000, one private-key operation included.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/file.h"
#include "base/mem.h"
#include "hostile.h"
#include "pki/name.h"
#include "pki/oid.h"
#include "scep/msg.h"
#include "sealed.h"

#define ROUNDS 5

static const struct key_limits limits = {.min_rsa = 2048, .max_rsa = 8192};

struct party {
	struct key *key;
	struct cert *cert;
};

static double now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static void read_cms(struct bytes in, const struct party *ra, struct why *why)
{
	struct cms_signed *s = NULL;
	struct cms_enveloped *e = NULL;
	struct cert *cert = NULL;

	(void)ra;
	if (cms_signed_parse(in, &s, why) == ERR_OK)
		cms_signer_cert(s, &cert, why);
	else
		cms_enveloped_parse(in, &e, NULL);
	cert_free(cert);
	cms_signed_free(s);
	cms_enveloped_free(e);
}

/* What is done with a request before anybody asks who sent it. */
static void read_request(struct bytes in, const struct party *ra, struct why *why)
{
	struct alg_set algs = alg_set_make(0, 0);
	struct scep_recipient to = {.cert = ra->cert, .key = ra->key};
	struct scep_msg *msg = NULL;
	struct csr *csr = NULL;
	struct buf plain = {0}, text = {0};
	struct bytes san;

	if (scep_open(in, &msg, why) == ERR_OK && scep_verify(msg, &limits, &algs, why) == ERR_OK &&
	    scep_unseal(msg, &to, 1, &algs, &plain, why) == ERR_OK && csr_parse(buf_bytes(&plain), &csr, why) == ERR_OK &&
	    name_text(csr->subject, &text, why) == ERR_OK && csr_verify(csr, &limits, &algs, NULL, why) == ERR_OK &&
	    csr_extension(csr, OID_SUBJECT_ALT_NAME, &san))
		san_text(san, &text, why);
	csr_free(csr);
	scep_msg_free(msg);
	buf_free(&plain);
	buf_free(&text);
}

static void time_it(const char *name, struct bytes in, const struct party *ra,
    void (*read)(struct bytes in, const struct party *ra, struct why *why))
{
	struct why why = {0};
	double best = 0;

	for (int round = 0; round < ROUNDS; round++) {
		double start = now_us(), us;

		read(in, ra, &why);
		us = now_us() - start;
		if (round == 0 || us < best)
			best = us;
	}
	printf("%10zu %9.0f  %-34s %s\n", in.n, best, name, why.text);
}

static struct party load(const char *name)
{
	char *key = mem_printf("%s/keys/%s.key", TEST_DATA, name), *cert = mem_printf("%s/keys/%s.pem", TEST_DATA, name);
	struct buf pem = {0};
	struct party p = {0};
	struct why why;

	if (file_read(key, &pem, &why) != ERR_OK || key_from_pem(buf_bytes(&pem), &p.key, &why) != ERR_OK ||
	    cert_read(cert, &p.cert, &why) != ERR_OK) {
		fprintf(stderr, "%s\n", why.text);
		exit(1);
	}
	buf_free(&pem);
	free(key);
	free(cert);
	return p;
}

static void seal(struct bytes plain, const struct party *from, const struct party *to, struct buf *out)
{
	static const uint8_t nonce[SCEP_NONCE_SIZE] = {1};
	struct scep_request req = {.type = SCEP_PKCSREQ, .txid = BYTES_LIT("1"), .nonce = nonce, .plain = plain, .to = to->cert,
	    .by = {.cert = from->cert, .key = from->key}, .digest = digest_row(DIGEST_SHA512), .cipher = cipher_row(CIPHER_AES256)};
	struct why why;

	if (scep_request_write(&req, out, &why) != ERR_OK) {
		fprintf(stderr, "%s\n", why.text);
		exit(1);
	}
}

int main(void)
{
	struct party ra = load("ra"), device = load("device-rsa");

	printf("%10s %9s  %-34s %s\n", "octets", "us", "message of", "answer");
	for (size_t i = 0; i < hostile_count; i++) {
		struct buf in = {0};

		hostile_list[i].make(&in);
		time_it(hostile_list[i].name, buf_bytes(&in), &ra, read_cms);
		buf_free(&in);
	}
	printf("\n%10s %9s  %-34s %s\n", "octets", "us", "signed and sealed", "answer");
	for (size_t i = 0; i < sealed_count; i++) {
		struct buf plain = {0}, in = {0};

		sealed_list[i].make(device.key, &plain);
		seal(buf_bytes(&plain), &device, &ra, &in);
		time_it(sealed_list[i].name, buf_bytes(&in), &ra, read_request);
		buf_free(&plain);
		buf_free(&in);
	}
	key_free(ra.key);
	cert_free(ra.cert);
	key_free(device.key);
	cert_free(device.cert);
	return 0;
}
