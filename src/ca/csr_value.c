#include "ca/csr_value.h"

#include <arpa/inet.h>
#include <strings.h>

#include "conf/conf.h"
#include "pki/ava.h"
#include "pki/der.h"
#include "pki/name.h"
#include "pki/oid.h"

static const struct {
	const char *name;
	struct csr_name means;
} sans[] = {
    {"dns", {NULL, SAN_DNS}}, {"ip", {NULL, SAN_IP}}, {"uri", {NULL, SAN_URI}}, {"upn", {NULL, SAN_UPN}},
    {"email", {OID_EMAIL_ADDRESS, SAN_EMAIL}},
};

bool csr_name_find(struct bytes name, struct csr_name *out)
{
	const struct ava_type *type;

	for (size_t i = 0; i < sizeof(sans) / sizeof(sans[0]); i++) {
		struct bytes known = bytes_str(sans[i].name);

		if (known.n == name.n && strncasecmp(sans[i].name, (const char *)name.p, name.n) == 0) {
			*out = sans[i].means;
			return true;
		}
	}
	type = ava_type_by_keyword(name);
	if (type == NULL)
		return false;
	*out = (struct csr_name){type->oid, 0};
	return true;
}

static void san_value(const struct san *san, struct buf *out)
{
	char address[INET6_ADDRSTRLEN];

	if (san->type != SAN_IP)
		buf_add_bytes(out, san->value);
	else if (inet_ntop(san->value.n == 4 ? AF_INET : AF_INET6, san->value.p, address, sizeof(address)) != NULL)
		buf_add_str(out, address);
}

/* *nth counts down. */
static bool from_sans(const struct csr *csr, unsigned type, size_t *nth, struct buf *out)
{
	struct bytes value;
	struct tlv names;
	struct san san;

	if (type == 0 || !csr_extension(csr, OID_SUBJECT_ALT_NAME, &value) || !der_whole(value, DER_SEQUENCE, &names))
		return false;
	while (san_next(&names.body, &san)) {
		if (san.type != type || (*nth)-- > 0)
			continue;
		san_value(&san, out);
		return true;
	}
	return false;
}

static bool from_subject(const struct csr *csr, const char *oid, size_t *nth, struct buf *out)
{
	struct bytes rdns, avas;
	size_t start = out->n;
	struct ava ava;

	if (oid == NULL || !name_contents(csr->subject, &rdns))
		return false;
	while (rdn_next(&rdns, &avas)) {
		while (ava_next(&avas, &ava)) {
			if (!der_oid_is(ava.oid, oid) || !string_utf8(ava.value, out))
				continue;
			if ((*nth)-- == 0)
				return true;
			buf_cut(out, start);
		}
	}
	return false;
}

bool csr_value(const struct csr *csr, const struct csr_name *name, size_t nth, struct buf *out)
{
	return from_sans(csr, name->san, &nth, out) || from_subject(csr, name->oid, &nth, out);
}
