/* A new PKCS#10, for our own client. Declared in csr.h. */
#include "pki/csr.h"

#include <string.h>

#include "pki/der.h"
#include "pki/name.h"
#include "pki/oid.h"
#include "pki/signed.h"

/* Attribute { oid, { value } }; value is one TLV. */
static void attribute(struct buf *b, const char *oid, struct bytes value)
{
	size_t at = der_open(b);

	der_oid(b, oid);
	der_tlv(b, DER_SET, value);
	der_close(b, at, DER_SEQUENCE);
}

/* PrintableString where the characters allow it: the oldest servers read nothing else. */
static uint8_t string_tag(struct bytes text)
{
	static const char others[] = " '()+,-./:=?";

	for (size_t i = 0; i < text.n; i++) {
		uint8_t c = text.p[i];
		bool alnum = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');

		if (!alnum && memchr(others, c, sizeof(others) - 1) == NULL)
			return DER_UTF8;
	}
	return DER_PRINTABLE;
}

static enum err challenge_attribute(struct buf *b, const char *challenge, struct why *why)
{
	struct bytes text = bytes_str(challenge);
	struct buf value = {0}, check = {0};
	enum err err = ERR_OK;

	der_tlv(&value, string_tag(text), text);
	if (string_utf8(buf_bytes(&value), &check))
		attribute(b, OID_CHALLENGE_PASSWORD, buf_bytes(&value));
	else
		err = fail(why, ERR_KEY, "the challenge is not UTF-8");
	buf_wipe(&value);
	buf_wipe(&check);
	return err;
}

static void san_attribute(struct buf *b, struct bytes san)
{
	struct buf list = {0};
	size_t at = der_open(&list);

	der_oid(&list, OID_SUBJECT_ALT_NAME);
	der_tlv(&list, DER_OCTET_STRING, san);
	der_close(&list, at, DER_SEQUENCE);
	der_close(&list, 0, DER_SEQUENCE);
	attribute(b, OID_EXTENSION_REQUEST, buf_bytes(&list));
	buf_free(&list);
}

static enum err write_info(const struct key *key, struct bytes subject, const char *challenge, struct bytes san, struct buf *b,
    struct why *why)
{
	size_t info = der_open(b), attributes;
	enum err err = ERR_OK;

	der_int(b, 0);
	buf_add_bytes(b, subject);
	buf_add_bytes(b, key_spki(key));
	attributes = der_open(b);
	if (challenge != NULL)
		err = challenge_attribute(b, challenge, why);
	if (san.n > 0)
		san_attribute(b, san);
	der_close_set_of(b, attributes, DER_CTX(0));
	der_close(b, info, DER_SEQUENCE);
	return err;
}

enum err csr_build(const struct key *key, struct bytes subject, const char *challenge, struct bytes san, struct buf *der,
    struct why *why)
{
	struct buf info = {0};
	enum err err = write_info(key, subject, challenge, san, &info, why);

	if (err == ERR_OK && signed_write(buf_bytes(&info), key, digest_row(DIGEST_SHA256), der, why) != ERR_OK) {
		err = ERR_KEY;
		if (why != NULL)
			why->err = ERR_KEY;
	}
	buf_wipe(&info);
	return err;
}
