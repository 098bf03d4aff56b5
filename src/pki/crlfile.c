/* CRLs from files. Declared in crl.h. */
#include <stdlib.h>

#include "base/codec.h"
#include "base/file.h"
#include "base/mem.h"
#include "pki/crl.h"
#include "pki/der.h"

#define MAX_LISTED 64

static enum err add(struct crl **list, size_t *n, struct bytes der, struct why *why)
{
	enum err err;

	if (*n == MAX_LISTED)
		return fail(why, ERR_CERT, "more than %d CRLs", MAX_LISTED);
	if ((err = crl_parse(der, &list[*n], why)) != ERR_OK)
		return fail_in(why, "CRL %zu", *n + 1);
	(*n)++;
	return ERR_OK;
}

enum err crl_list_read(const char *path, struct crl ***out, size_t *n, struct why *why)
{
	static const char *const labels[] = {"X509 CRL", NULL};
	struct crl **list = mem_alloc(MAX_LISTED * sizeof(struct crl *));
	struct buf file = {0}, der = {0};
	size_t count = 0;
	enum err err;

	if ((err = file_read(path, &file, why)) != ERR_OK)
		goto out;
	struct bytes text = buf_bytes(&file);

	if (file.n > 0 && file.p[0] == DER_SEQUENCE)
		err = add(list, &count, text, why);
	while (err == ERR_OK && pem_next(&text, labels, &der, NULL)) {
		err = add(list, &count, buf_bytes(&der), why);
		buf_free(&der);
	}
	if (err == ERR_OK && count == 0)
		err = fail(why, ERR_CERT, "no CRL in it (wanted: PEM, or one in DER)");
	if (err != ERR_OK)
		fail_in(why, "'%s'", path);
out:
	buf_free(&file);
	buf_free(&der);
	if (err != ERR_OK) {
		crl_list_free(list, count);
		err = err == ERR_FILE ? ERR_FILE : ERR_CERT;
		if (why != NULL)
			why->err = err;
		return err;
	}
	*out = list;
	*n = count;
	return ERR_OK;
}

void crl_list_free(struct crl **list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		crl_free(list[i]);
	free(list);
}
