#include "pki/asn.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "pki/ber.h"

/* What asn1Parser made of scepter.asn; it asks for a configuration header in a way that -Wundef would refuse. */
#define HAVE_CONFIG_H 0
#include "pki/scepter_asn.c"

static asn1_node definitions;

static void load(void)
{
	if (asn1_array2tree(scepter_asn, &definitions, NULL) != ASN1_SUCCESS)
		abort();
}

enum err asn_decode(const char *type, struct bytes in, asn1_node *out, struct why *why)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	char name[64], description[ASN1_MAX_ERROR_DESCRIPTION_SIZE] = "";
	asn1_node node = NULL;
	int rc;

	pthread_once(&once, load);
	snprintf(name, sizeof(name), "SCEPTER.%s", type);
	if (asn1_create_element(definitions, name, &node) != ASN1_SUCCESS)
		abort();	/* no such type in the module */
	rc = asn1_der_decoding(&node, in.p, (int)in.n, description);
	if (rc != ASN1_SUCCESS) {
		asn1_delete_structure(&node);
		return fail(why, ERR_SYNTAX, "not a %s: %s%s%s", type, asn1_strerror(rc), description[0] != '\0' ? " at " : "", description);
	}
	*out = node;
	return ERR_OK;
}

bool asn_view(asn1_node node, const char *field, struct bytes in, struct bytes *out)
{
	int start, end;

	if (asn1_der_decoding_startEnd(node, in.p, (int)in.n, field, &start, &end) != ASN1_SUCCESS || start < 0 || end < start ||
	    (size_t)end >= in.n)
		return false;
	*out = bytes_cut(in, (size_t)start, (size_t)(end - start) + 1);
	return true;
}

size_t asn_count(asn1_node node, const char *set)
{
	int n;

	return asn1_number_of_elements(node, set, &n) == ASN1_SUCCESS && n > 0 ? (size_t)n : 0;
}

bool asn_member(asn1_node node, const char *set, size_t i, struct bytes in, struct bytes *out)
{
	char field[80];

	snprintf(field, sizeof(field), "%s.?%zu", set, i + 1);
	return asn_view(node, field, in, out);
}

bool asn_oid(asn1_node node, const char *field, char out[ASN_OID_SIZE])
{
	int n = ASN_OID_SIZE;

	return asn1_read_value(node, field, out, &n) == ASN1_SUCCESS;
}

bool asn_value(asn1_node node, const char *field, struct buf *store, struct bytes *out)
{
	size_t at = store->n;
	int n = 0, rc = asn1_read_value(node, field, NULL, &n);

	if (rc != ASN1_MEM_ERROR && rc != ASN1_SUCCESS)
		return false;
	if (n > 0 && asn1_read_value(node, field, buf_grow(store, (size_t)n), &n) != ASN1_SUCCESS) {
		buf_cut(store, at);
		return false;
	}
	buf_cut(store, at + (size_t)n);
	*out = bytes_cut(buf_bytes(store), at, (size_t)n);
	return true;
}

bool asn_octets(asn1_node node, const char *field, struct bytes in, uint8_t tag, struct buf *store, struct bytes *out)
{
	size_t at = store->n;
	struct bytes tlv;

	if (!asn_view(node, field, in, &tlv) || !ber_octets(tlv, tag, store))
		return false;
	*out = bytes_cut(buf_bytes(store), at, store->n - at);
	return true;
}

void asn_reserve(struct buf *store, size_t n)
{
	size_t used = store->n;

	buf_grow(store, n);
	buf_cut(store, used);
}
