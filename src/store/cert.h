/* Issued certificates, as operators see them. */
#ifndef STORE_CERT_H
#define STORE_CERT_H

#include "store/store.h"

struct store_cert_row {
	char *serial;			/* hex */
	char *profile, *subject, *sans, *device, *txid, *requester, *fingerprint;
	time_t issued, not_before, not_after;
	bool revoked;
	time_t revoked_at;		/* may lie in the future; 0: not revoked */
	int reason;			/* RFC 5280, 5.3.1 */
	struct buf der;			/* empty in lists */
};

struct store_cert_filter {		/* NULL and 0: any */
	const char *profile;
	const char *subject_like;	/* part of the subject, or a LIKE pattern when it has a '%'; case does not matter */
	const char *device;		/* exactly */
	time_t expires_before;
	int limit;			/* newest first */
};

enum err store_cert_list(struct store *s, const struct store_cert_filter *f, struct store_cert_row **list, size_t *n, struct why *why);
/* A serial number as people and programs write it: hexadecimal, after 0x or not, ':' allowed, leading zeros or not. False: it cannot be one of ours. */
bool store_parse_serial(const char *hex, uint8_t serial[STORE_SERIAL_SIZE]);

enum err store_cert_show(struct store *s, const char *serial_hex, struct store_cert_row **out, struct why *why);	/* NOT_FOUND */

/* How many certificates were issued in each profile that has any, in no order. Reads them all: seconds, where there are millions. */
struct store_cert_count {
	char *profile;
	long n;
};
enum err store_cert_counts(struct store *s, struct store_cert_count **list, size_t *n, struct why *why);
void store_cert_counts_free(struct store_cert_count *list, size_t n);

void store_cert_list_free(struct store_cert_row *list, size_t n);

#endif
