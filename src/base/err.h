/* Errors: the table err.def, and struct why, the sentence that explains one occurrence to the operator. */
#ifndef BASE_ERR_H
#define BASE_ERR_H

/* RFC 8894, 3.2.1.4.5. FI_NONE: no CertRep FAILURE is sent for this error. */
enum fail_info {
	FI_BAD_ALG = 0,
	FI_BAD_MSG_CHECK = 1,
	FI_BAD_REQUEST = 2,
	FI_BAD_TIME = 3,
	FI_BAD_CERT_ID = 4,
	FI_NONE = -1
};

enum err_whose { CLIENT, POLICY, OPERATOR };

enum err {
#define ERR(name, http, fi, whose, label, text) ERR_##name,
#include "base/err.def"
#undef ERR
	ERR_COUNT
};

struct err_row {
	const char *name;	/* "MSG_CHECK" */
	int http;		/* HTTP status when no CertRep answers */
	enum fail_info fail_info;
	enum err_whose whose;	/* decides the log level */
	const char *label;	/* audit reason, metric label */
	const char *text;	/* what the client may read */
};

/* What happened, for log and audit only: never sent to a client, never holds a secret. */
struct why {
	enum err err;
	char text[400];
};

/* The row of an error; never NULL (out of range gives INTERNAL's row). */
const struct err_row *err_row(enum err err);

/*
 * Sets `why` (may be NULL) to `err` and the formatted sentence, cut to fit and made printable; returns `err`, so that
 * callers write `return fail(why, ERR_KEY_WEAK, "RSA %d bits, profile '%s' wants %d", ...)`.
 */
enum err fail(struct why *why, enum err err, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* Puts "context: " before the sentence already in `why`; returns why->err. */
enum err fail_in(struct why *why, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
