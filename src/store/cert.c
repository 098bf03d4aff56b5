/* Issued certificates, as operators see them. */
#include <stdlib.h>
#include <string.h>

#include "base/codec.h"
#include "base/mem.h"
#include "store/cert.h"
#include "store/internal.h"

char *store_row_hex(const PGresult *r, int row, int column)
{
	struct buf hex = {0};

	if (row_bytes(r, row, column).n == 0)
		return NULL;
	hex_encode(&hex, row_bytes(r, row, column));
	return buf_take_str(&hex);
}

static struct store_cert_row read_cert(const PGresult *r, int row)
{
	struct store_cert_row c = {
	    .serial = store_row_hex(r, row, 0),
	    .profile = row_str(r, row, 1),
	    .subject = row_str(r, row, 2),
	    .sans = row_str(r, row, 3),
	    .device = row_str(r, row, 4),
	    .txid = row_str(r, row, 5),
	    .requester = row_str(r, row, 6),
	    .fingerprint = store_row_hex(r, row, 7),
	    .issued = row_time(r, row, 8),
	    .not_before = row_time(r, row, 9),
	    .not_after = row_time(r, row, 10),
	    .revoked = row_bool(r, row, 11),
	    .revoked_at = row_time(r, row, 12),
	    .reason = row_int(r, row, 13),
	};

	buf_add_bytes(&c.der, row_bytes(r, row, 14));
	return c;
}

static struct store_cert_row *read_certs(const PGresult *r)
{
	struct store_cert_row *list = mem_alloc((size_t)PQntuples(r) * sizeof(*list));
	int i;

	for (i = 0; i < PQntuples(r); i++)
		list[i] = read_cert(r, i);
	return list;
}

enum err store_cert_list(struct store *s, const struct store_cert_filter *f, struct store_cert_row **list, size_t *n, struct why *why)
{
	struct call call = {.sql = SQL_CERT_LIST};
	uint8_t device[STORE_DIGEST_SIZE];
	PGresult *res;
	enum err err = f->device != NULL ? store_need_pepper(s, why) : ERR_OK;

	if (err != ERR_OK)
		return err;
	store_digest(s, "device", bytes_str(f->device), device);
	call_text(&call, f->profile);
	call_text(&call, f->subject_like);
	call_uuid(&call, device);
	call_text(&call, f->device);
	call_time(&call, f->expires_before);
	call_int(&call, f->limit > 0 ? f->limit : INT32_MAX);
	err = store_call(s, &call, &res, why);
	if (err != ERR_OK)
		return err;
	*n = (size_t)PQntuples(res);
	*list = read_certs(res);
	PQclear(res);
	return ERR_OK;
}

bool store_parse_serial(const char *hex, uint8_t serial[STORE_SERIAL_SIZE])
{
	struct buf b = {0};
	char *even;
	bool ok;

	if (strncasecmp(hex, "0x", 2) == 0)
		hex += 2;
	even = mem_printf("%s%s", strcspn(hex, ":") % 2 ? "0" : "", hex);
	ok = hex_decode(&b, even) && b.n > 0;
	while (ok && b.n > STORE_SERIAL_SIZE && b.p[0] == 0) {
		memmove(b.p, b.p + 1, b.n - 1);
		buf_cut(&b, b.n - 1);
	}
	ok = ok && b.n <= STORE_SERIAL_SIZE;
	if (ok) {
		memset(serial, 0, STORE_SERIAL_SIZE);
		memcpy(serial + STORE_SERIAL_SIZE - b.n, b.p, b.n);
	}
	buf_free(&b);
	free(even);
	return ok;
}

enum err store_cert_show(struct store *s, const char *serial_hex, struct store_cert_row **out, struct why *why)
{
	struct call call = {.sql = SQL_CERT_GET};
	uint8_t serial[STORE_SERIAL_SIZE];
	PGresult *res;
	bool found;
	enum err err;

	if (!store_parse_serial(serial_hex, serial))
		return fail(why, ERR_NOT_FOUND, "'%s' is not a serial number in hexadecimal", serial_hex);
	call_uuid(&call, serial);
	err = store_call(s, &call, &res, why);
	if (err != ERR_OK)
		return err;
	found = PQntuples(res) == 1;
	if (found)
		*out = read_certs(res);
	PQclear(res);
	return found ? ERR_OK : fail(why, ERR_NOT_FOUND, "there is no certificate with serial %s: see 'scepter cert list'", serial_hex);
}

void store_cert_list_free(struct store_cert_row *list, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++) {
		free(list[i].serial);
		free(list[i].profile);
		free(list[i].subject);
		free(list[i].sans);
		free(list[i].device);
		free(list[i].txid);
		free(list[i].requester);
		free(list[i].fingerprint);
		buf_free(&list[i].der);
	}
	free(list);
}

enum err store_cert_counts(struct store *s, struct store_cert_count **list, size_t *n, struct why *why)
{
	struct call call = {.sql = SQL_CERT_COUNT};
	PGresult *res;
	enum err err = store_call(s, &call, &res, why);

	if (err != ERR_OK)
		return err;
	*n = (size_t)PQntuples(res);
	*list = mem_alloc((*n + 1) * sizeof(**list));
	for (size_t i = 0; i < *n; i++)
		(*list)[i] = (struct store_cert_count){row_str(res, (int)i, 0), row_long(res, (int)i, 1)};
	PQclear(res);
	return ERR_OK;
}

void store_cert_counts_free(struct store_cert_count *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free(list[i].profile);
	free(list);
}
