#include <json-c/json.h>
#include <string.h>

#include "auth/hook_json.h"
#include "base/codec.h"
#include "conf/conf.h"
#include "pki/name.h"
#include "pki/oid.h"
#include "pki/der.h"

static void put(struct json_object *o, const char *key, struct bytes text)
{
	json_object_object_add(o, key, json_object_new_string_len((const char *)text.p, (int)text.n));
}

/* NULL: null */
static void put_str(struct json_object *o, const char *key, const char *text)
{
	json_object_object_add(o, key, text == NULL ? NULL : json_object_new_string(text));
}

static void put_buf(struct json_object *o, const char *key, struct buf *text)
{
	put(o, key, bytes_str(buf_str(text)));
	buf_free(text);
}

static void put_time(struct json_object *o, const char *key, time_t t)
{
	char text[sizeof("2027-01-31T12:00:00Z") + 8];
	struct tm tm;

	gmtime_r(&t, &tm);
	strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm);
	put_str(o, key, text);
}

static void put_hex(struct json_object *o, const char *key, struct bytes octets)
{
	struct buf hex = {0};

	hex_encode(&hex, octets);
	put_buf(o, key, &hex);
}

static void put_base64(struct json_object *o, const char *key, struct bytes octets)
{
	struct buf text = {0};

	base64_encode(&text, octets);
	put_buf(o, key, &text);
}

/* What cannot be shown as text is left empty: the request is refused for it where it matters. */
static void put_name(struct json_object *o, const char *key, struct bytes name)
{
	struct buf text = {0};

	if (name_text(name, &text, NULL) != ERR_OK)
		buf_cut(&text, 0);
	put_buf(o, key, &text);
}

/* "DNS:a.example", by itself. */
static bool one_san(struct bytes raw, struct buf *text)
{
	struct buf names = {0};
	bool ok;

	der_tlv(&names, DER_SEQUENCE, raw);
	ok = san_text(buf_bytes(&names), text, NULL) == ERR_OK;
	buf_free(&names);
	return ok;
}

static struct json_object *sans_of(const struct csr *csr)
{
	struct json_object *list = json_object_new_array();
	struct bytes value;
	struct tlv names;
	struct san san;

	if (!csr_extension(csr, OID_SUBJECT_ALT_NAME, &value) || !der_whole(value, DER_SEQUENCE, &names))
		return list;
	while (san_next(&names.body, &san)) {
		struct buf text = {0};

		if (one_san(san.raw, &text))
			json_object_array_add(list, json_object_new_string(buf_str(&text)));
		buf_free(&text);
	}
	return list;
}

static struct json_object *key_of(const struct hook_event *e)
{
	static const char *const names[] = {[KEY_RSA] = "RSA", [KEY_EC] = "EC", [KEY_ED25519] = "Ed25519", [KEY_OTHER] = "unknown"};
	struct json_object *o = json_object_new_object();
	uint8_t digest[64];

	put_str(o, "type", names[e->key.type]);
	json_object_object_add(o, "bits", json_object_new_int((int)e->key.bits));
	put_hex(o, "sha256", bytes_of(digest, digest_of(digest_row(DIGEST_SHA256), e->csr->spki, digest)));
	return o;
}

static struct json_object *renewal_of(const struct cert *old)
{
	struct json_object *o;

	if (old == NULL)
		return NULL;
	o = json_object_new_object();
	put_hex(o, "serial", old->serial);
	put_name(o, "subject", old->subject);
	put_name(o, "issuer", old->issuer);
	if (old->times_ok)
		put_time(o, "not_after", old->not_after);
	return o;
}

/* As values are named, each with its texts in order. */
static struct json_object *values_of(const struct values *values)
{
	struct json_object *o = json_object_new_object(), *list;

	for (size_t i = 0; values != NULL && i < values->n; i++) {
		if (!json_object_object_get_ex(o, values->list[i].name, &list))
			json_object_object_add(o, values->list[i].name, list = json_object_new_array());
		json_object_array_add(list, json_object_new_string(values->list[i].text));
	}
	return o;
}

static void put_csr(struct json_object *o, const struct hook_event *e)
{
	struct buf masked = {0};

	if (!e->judges)
		csr_mask_challenge(e->csr, &masked);
	put_base64(o, "csr", e->judges ? buf_bytes(&e->csr->der) : buf_bytes(&masked));
	buf_wipe(&masked);
}

void hook_event_write(const struct hook_event *e, struct buf *out)
{
	struct json_object *o = json_object_new_object();

	json_object_object_add(o, "version", json_object_new_int(HOOK_VERSION));
	put_str(o, "event", "request");
	put_str(o, "id", e->id);
	put_str(o, "role", e->judges ? "challenge" : "compliance");
	put_time(o, "time", e->time);
	put_str(o, "profile", e->profile);
	put_str(o, "transaction", e->transaction);
	put_str(o, "message", e->light ? "PKCS10" : e->message);
	put_str(o, "source", e->source);
	if (e->tls_client != NULL)
		put_name(o, "tls_client", e->tls_client->subject);
	else
		put_str(o, "tls_client", NULL);
	put_str(o, "subject", e->subject);
	json_object_object_add(o, "sans", sans_of(e->csr));
	json_object_object_add(o, "key", key_of(e));
	put_str(o, "device", e->device);
	json_object_object_add(o, "renewal", renewal_of(e->renews));
	put_str(o, "accepted_by", e->accepted_by);
	if (e->judges && e->csr->has_challenge)
		put(o, "challenge", buf_bytes(&e->csr->challenge));
	else if (e->judges)
		put_str(o, "challenge", NULL);
	json_object_object_add(o, "values", values_of(e->values));
	put_csr(o, e);
	buf_add_str(out, json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(o);
}
