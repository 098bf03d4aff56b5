/*
 * How long hostile messages of 1 MiB keep the CMS reader busy before they are refused or read. Prints microseconds of CPU; nothing here
 * passes or fails (tests/unit/test_ber.c counts the work). Aim: every line under 5 ms, so that a whole request stays under 20.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "hostile.h"
#include "pki/cms.h"

#define ROUNDS 5

static double now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static enum err read_any(struct bytes in, struct why *why)
{
	struct cms_signed *s = NULL;
	struct cms_enveloped *e = NULL;
	struct cert *cert = NULL;
	enum err err = cms_signed_parse(in, &s, why);

	if (err == ERR_OK)
		err = cms_signer_cert(s, &cert, why);
	else if (cms_enveloped_parse(in, &e, NULL) == ERR_OK)
		err = ERR_OK;
	cert_free(cert);
	cms_signed_free(s);
	cms_enveloped_free(e);
	return err;
}

int main(void)
{
	printf("%10s %9s  %-32s %s\n", "octets", "us", "message of", "answer");
	for (size_t i = 0; i < hostile_count; i++) {
		struct buf in = {0};
		struct why why = {0};
		double best = 0;

		hostile_list[i].make(&in);
		for (int round = 0; round < ROUNDS; round++) {
			double start = now_us(), us;

			read_any(buf_bytes(&in), &why);
			us = now_us() - start;
			if (round == 0 || us < best)
				best = us;
		}
		printf("%10zu %9.0f  %-32s %s\n", in.n, best, hostile_list[i].name, why.text);
		buf_free(&in);
	}
	return 0;
}
