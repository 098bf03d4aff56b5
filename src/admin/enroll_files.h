/* What `scepter enroll` reads and writes: the key, the challenge, the certificate. */
#ifndef ADMIN_ENROLL_FILES_H
#define ADMIN_ENROLL_FILES_H

#include "pki/cert.h"
#include "pki/key.h"

struct enroll_files {
	char *key, *cert;	/* paths; owned */
};

/* From --out DIR, or --key and --cert (which may stand beside --out). The folder is made. Error: FILE. */
enum err enroll_files_name(const char *out_dir, const char *key, const char *cert, struct enroll_files *out, struct why *why);
void enroll_files_free(struct enroll_files *files);

/* The key of the file when it exists; otherwise a new one, which is written there (0600) before it is used. Sets *made.
 * Errors: FILE, KEY. */
enum err enroll_key(const char *path, const char *type, struct key **out, bool *made, struct why *why);

/* From the option itself or the first line of a file ("-": standard input); "" for neither. The caller wipes. Error: FILE. */
enum err enroll_challenge(const char *text, const char *file, struct buf *out, struct why *why);

enum err enroll_cert_write(const char *path, const struct cert *cert, struct why *why);

#endif
