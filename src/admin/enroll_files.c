#include "admin/enroll_files.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/codec.h"
#include "base/file.h"
#include "base/mem.h"

enum err enroll_files_name(const char *out_dir, const char *key, const char *cert, struct enroll_files *out, struct why *why)
{
	if (out_dir != NULL && mkdir(out_dir, 0777) != 0 && errno != EEXIST)
		return fail(why, ERR_FILE, "cannot make the folder '%s': %s", out_dir, strerror(errno));
	out->key = key != NULL ? mem_strdup(key) : mem_printf("%s/key.pem", out_dir);
	out->cert = cert != NULL ? mem_strdup(cert) : mem_printf("%s/cert.pem", out_dir);
	return ERR_OK;
}

void enroll_files_free(struct enroll_files *files)
{
	free(files->key);
	free(files->cert);
}

static enum err make_key(const char *path, const char *type, struct key **out, struct why *why)
{
	struct key *key = NULL;
	struct buf pem = {0};
	enum err err;

	err = key_generate(type, &key, why);
	if (err == ERR_OK)
		err = key_export_pem(key, &pem, why);
	if (err == ERR_OK)
		err = file_write(path, buf_bytes(&pem), 0600, false, why);
	buf_wipe(&pem);
	if (err == ERR_OK)
		*out = key;
	else
		key_free(key);
	return err;
}

enum err enroll_key(const char *path, const char *type, struct key **out, bool *made, struct why *why)
{
	struct key *key = NULL;
	bool exists = key_is_token(path) || access(path, F_OK) == 0;
	enum err err = exists ? key_open(path, NULL, &key, why) : make_key(path, type, &key, why);

	if (err != ERR_OK)
		return err;
	*out = key;
	*made = !exists;
	return ERR_OK;
}

enum err enroll_challenge(const char *text, const char *file, struct buf *out, struct why *why)
{
	enum err err;

	if (file == NULL) {
		buf_add_bytes(out, bytes_str(text));
		return ERR_OK;
	}
	err = file_read(file, out, why);
	if (err != ERR_OK)
		return err;
	buf_cut(out, strcspn((const char *)out->p, "\r\n"));
	if (out->n == 0)
		return fail(why, ERR_FILE, "the first line of '%s' is empty: it must be the challenge", file);
	return ERR_OK;
}

enum err enroll_cert_write(const char *path, const struct cert *cert, struct why *why)
{
	struct buf pem = {0};
	enum err err;

	pem_write(&pem, "CERTIFICATE", buf_bytes(&cert->der));
	err = file_write(path, buf_bytes(&pem), 0644, true, why);
	buf_free(&pem);
	return err;
}
