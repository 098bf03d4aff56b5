/* Certificates from files. Declared in cert.h. */
#include <stdlib.h>
#include <string.h>

#include "base/codec.h"
#include "base/file.h"
#include "base/mem.h"
#include "pki/cert.h"
#include "pki/der.h"

#define MAX_LISTED 64

static const char *const pem_labels[] = {"CERTIFICATE", "X509 CERTIFICATE", NULL};

static const char begin[] = "-----BEGIN CERTIFICATE-----";

static enum err parse_in(const char *path, size_t nth, struct bytes der, struct cert **out, struct why *why)
{
	if (cert_parse(der, out, why) == ERR_OK)
		return ERR_OK;
	fail_in(why, "'%s', certificate %zu", path, nth);
	if (why != NULL)
		why->err = ERR_CERT;
	return ERR_CERT;
}

enum err cert_list_read(const char *path, struct cert ***out, size_t *n, struct why *why)
{
	struct buf file = {0}, der = {0};
	struct cert **list = mem_alloc(MAX_LISTED * sizeof(struct cert *));
	size_t count = 0;
	enum err err = file_read(path, &file, why);
	struct bytes text = buf_bytes(&file);

	while (err == ERR_OK && pem_next(&text, pem_labels, &der, NULL)) {
		if (count == MAX_LISTED)
			err = fail(why, ERR_CERT, "'%s' holds more than %d certificates", path, MAX_LISTED);
		else if ((err = parse_in(path, count + 1, buf_bytes(&der), &list[count], why)) == ERR_OK)
			count++;
		buf_free(&der);
	}
	if (err == ERR_OK && memmem(text.p, text.n, begin, strlen(begin)) != NULL)
		err = fail(why, ERR_CERT, "'%s', certificate %zu: damaged PEM", path, count + 1);
	if (err == ERR_OK && count == 0 && file.n > 0 && file.p[0] == DER_SEQUENCE) {
		err = parse_in(path, 1, buf_bytes(&file), &list[0], why);
		count = err == ERR_OK;
	}
	if (err == ERR_OK && count == 0)
		err = fail(why, ERR_CERT, "'%s' holds no certificate (wanted: PEM, or one in DER)", path);
	buf_free(&file);
	if (err != ERR_OK) {
		cert_list_free(list, count);
		return err;
	}
	*out = list;
	*n = count;
	return ERR_OK;
}

void cert_list_free(struct cert **list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		cert_free(list[i]);
	free(list);
}

enum err cert_read(const char *path, struct cert **out, struct why *why)
{
	struct cert **list;
	size_t n;
	enum err err = cert_list_read(path, &list, &n, why);

	if (err != ERR_OK)
		return err;
	*out = list[0];
	list[0] = NULL;
	cert_list_free(list, n);
	return ERR_OK;
}
