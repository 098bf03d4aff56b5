/* What the tests of the scep layer share: the fixed RA and client of tests/data/good/scep. */
#ifndef TESTS_SCEP_DATA_H
#define TESTS_SCEP_DATA_H

#include "unit.h"

#include <stdlib.h>

#include "base/file.h"
#include "base/mem.h"
#include "scep/msg.h"

/* cmocka's fail_msg() uses its fail(), which gave way to ours. */
#define die(...) \
	do { \
		print_error(__VA_ARGS__); \
		print_error("\n"); \
		_fail(__FILE__, __LINE__); \
	} while (0)

static inline struct buf test_file(const char *name)
{
	char *path = mem_printf("%s/%s", TEST_DATA, name);
	struct buf content = {0};
	struct why why = {0};

	if (file_read(path, &content, &why) != ERR_OK)
		die("%s", why.text);
	free(path);
	return content;
}

/* Not key_open: a checkout does not keep the mode that it insists on. */
static inline struct key *test_key(const char *name)
{
	struct buf pem = test_file(name);
	struct key *key = NULL;
	struct why why = {0};

	if (key_from_pem(buf_bytes(&pem), &key, &why) != ERR_OK)
		die("%s: %s", name, why.text);
	buf_free(&pem);
	return key;
}

static inline struct cert *test_cert(const char *name)
{
	char *path = mem_printf("%s/%s", TEST_DATA, name);
	struct cert *cert = NULL;
	struct why why = {0};

	if (cert_read(path, &cert, &why) != ERR_OK)
		die("%s", why.text);
	free(path);
	return cert;
}

#endif
