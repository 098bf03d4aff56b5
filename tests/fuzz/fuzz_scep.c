/*
 * The whole path of an unauthenticated message: open, verify, unseal, the request inside. The RA key is the fixed one of tests/data.
 * The signature's verdict is not waited for: a fuzzer cannot sign, and what lies behind must stand too.
 */
#include <stdlib.h>

#include "base/file.h"
#include "conf/conf.h"
#include "scep/msg.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct cert *ra;
static struct key *ra_key;

static void load(void)
{
	struct buf pem = {0};

	if (file_read(TEST_DATA "/good/scep/ra.key", &pem, NULL) != ERR_OK ||
	    key_from_pem(buf_bytes(&pem), &ra_key, NULL) != ERR_OK || cert_read(TEST_DATA "/good/scep/ra.pem", &ra, NULL) != ERR_OK)
		abort();
	buf_free(&pem);
}

static void read_content(struct bytes plain, const struct alg_set *algs)
{
	static const struct key_limits limits = {.min_rsa = 2048, .max_rsa = 8192};
	struct bytes issuer, subject;
	struct csr *csr = NULL;
	struct why why;

	if (csr_parse(plain, &csr, &why) == ERR_OK)
		(void)csr_verify(csr, &limits, algs, NULL, &why);
	csr_free(csr);
	(void)scep_issuer_and_subject(plain, &issuer, &subject, &why);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct key_limits limits = {.min_rsa = 2048, .max_rsa = 8192};
	struct alg_set algs = alg_set_make(LEGACY_SHA1 | LEGACY_DES3, OBSOLETE_DES | OBSOLETE_MD5);
	struct scep_msg *msg = NULL;
	struct buf plain = {0};
	struct why why;

	if (ra == NULL)
		load();
	struct scep_recipient to = {ra, ra_key};
	if (scep_open(bytes_of(data, size), &msg, &why) == ERR_OK) {
		(void)scep_verify(msg, &limits, &algs, &why);
		if (scep_unseal(msg, &to, 1, &algs, &plain, &why) == ERR_OK)
			read_content(buf_bytes(&plain), &algs);
	}
	buf_wipe(&plain);
	scep_msg_free(msg);
	return 0;
}
