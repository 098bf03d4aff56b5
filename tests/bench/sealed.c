#include "sealed.h"

#include <stdlib.h>
#include <string.h>

#include "pki/csr.h"
#include "pki/der.h"
#include "pki/oid.h"

#define SIZE (((size_t)1 << 20) - 4096)	/* what fits into a message of 1 MiB */

static void repeat(struct buf *out, const char *piece, size_t n, size_t total)
{
	for (size_t end = out->n + total; out->n + n <= end;)
		buf_add(out, piece, n);
}
#define REPEAT(out, literal) repeat(out, literal, sizeof(literal) - 1, SIZE)

/* PKCS#10 around given contents; its signature is wrong. */
static void write_csr(struct buf *out, struct bytes subject, struct bytes spki, struct bytes attributes)
{
	size_t csr = der_open(out), info = der_open(out);

	der_int(out, 0);
	der_tlv(out, DER_SEQUENCE, subject);
	buf_add_bytes(out, spki);
	der_tlv(out, DER_CTX(0), attributes);
	der_close(out, info, DER_SEQUENCE);
	der_algorithm(out, "1.2.840.113549.1.1.11", true);
	der_bits(out, BYTES_LIT("signature"));
	der_close(out, csr, DER_SEQUENCE);
}

static void write_attribute(struct buf *out, const char *oid, uint8_t tag, struct bytes value)
{
	size_t at = der_open(out), set;

	der_oid(out, oid);
	set = der_open(out);
	der_tlv(out, tag, value);
	der_close(out, set, DER_SET);
	der_close(out, at, DER_SEQUENCE);
}

static void zeros(const struct key *device, struct buf *plain)
{
	(void)device;
	buf_grow(plain, SIZE);
}

static void many_rdns(const struct key *device, struct buf *plain)
{
	struct buf subject = {0};

	REPEAT(&subject, "\x31\x0c\x30\x0a\x06\x03\x55\x04\x03\x0c\x03" "abc");
	write_csr(plain, buf_bytes(&subject), key_spki(device), (struct bytes){0});
	buf_free(&subject);
}

static void long_cn(const struct key *device, struct buf *plain)
{
	struct buf value = {0}, subject = {0};
	size_t rdn = der_open(&subject), ava = der_open(&subject);

	memset(buf_grow(&value, SIZE), 'x', SIZE);
	der_oid(&subject, OID_CN);
	der_tlv(&subject, DER_BMP, buf_bytes(&value));
	der_close(&subject, ava, DER_SEQUENCE);
	der_close(&subject, rdn, DER_SET);
	write_csr(plain, buf_bytes(&subject), key_spki(device), (struct bytes){0});
	buf_free(&value);
	buf_free(&subject);
}

static void many_attributes(const struct key *device, struct buf *plain)
{
	struct buf attributes = {0};

	REPEAT(&attributes, "\x30\x0c\x06\x08\x2a\x86\x48\x86\xf7\x0d\x01\x09\x31\x00");
	write_csr(plain, (struct bytes){0}, key_spki(device), buf_bytes(&attributes));
	buf_free(&attributes);
}

static void long_challenge(const struct key *device, struct buf *plain)
{
	struct buf value = {0}, attributes = {0};

	memset(buf_grow(&value, SIZE), 'x', SIZE);
	write_attribute(&attributes, OID_CHALLENGE_PASSWORD, DER_BMP, buf_bytes(&value));
	write_csr(plain, (struct bytes){0}, key_spki(device), buf_bytes(&attributes));
	buf_free(&value);
	buf_free(&attributes);
}

static void many_extensions(const struct key *device, struct buf *plain)
{
	struct buf list = {0}, attributes = {0};

	REPEAT(&list, "\x30\x07\x06\x03\x55\x1d\x12\x04\x00");
	write_attribute(&attributes, OID_EXTENSION_REQUEST, DER_SEQUENCE, buf_bytes(&list));
	write_csr(plain, (struct bytes){0}, key_spki(device), buf_bytes(&attributes));
	buf_free(&list);
	buf_free(&attributes);
}

/* RSA with a modulus of n octets and an exponent as long: verifying takes time with the cube of it. */
static void large_key(struct buf *plain, size_t n, size_t n_exponent)
{
	struct buf key = {0}, spki = {0}, number = {0};
	size_t at = der_open(&key), outer = der_open(&spki);

	memset(buf_grow(&number, n), 0xff, n);
	der_uint(&key, buf_bytes(&number));
	der_uint(&key, bytes_cut(buf_bytes(&number), 0, n_exponent));
	der_close(&key, at, DER_SEQUENCE);
	der_algorithm(&spki, OID_RSA, true);
	der_bits(&spki, buf_bytes(&key));
	der_close(&spki, outer, DER_SEQUENCE);
	write_csr(plain, (struct bytes){0}, buf_bytes(&spki), (struct bytes){0});
	buf_free(&key);
	buf_free(&spki);
	buf_free(&number);
}

static void key_of_1_mib(const struct key *device, struct buf *plain)
{
	(void)device;
	large_key(plain, SIZE, 3);
}

static void key_with_large_exponent(const struct key *device, struct buf *plain)
{
	(void)device;
	large_key(plain, 512, 512);
}

/* The only ones whose own signature is right. */
static void names_in(const struct key *device, struct buf *plain, const char *piece, size_t n, size_t total)
{
	struct buf list = {0}, names = {0};

	repeat(&list, piece, n, total);
	der_tlv(&names, DER_SEQUENCE, buf_bytes(&list));
	if (csr_build(device, BYTES_LIT("\x30\x00"), "challenge", buf_bytes(&names), plain, NULL) != ERR_OK)
		abort();
	buf_free(&list);
	buf_free(&names);
}

static void many_dns_names(const struct key *device, struct buf *plain)
{
	names_in(device, plain, "\x82\x01x", 3, SIZE);
}

static void allowed_dns_names(const struct key *device, struct buf *plain)
{
	names_in(device, plain, "\x82\x01x", 3, 60000);
}

static void many_directory_names(const struct key *device, struct buf *plain)
{
	names_in(device, plain, "\xa4\x02\x30\x00", 4, SIZE);
}

const struct sealed sealed_list[] = {
	{"nothing but zeros", zeros}, {"RDNs in the subject", many_rdns}, {"1 MiB of common name", long_cn},
	{"attributes", many_attributes}, {"1 MiB of challenge", long_challenge}, {"extensions", many_extensions},
	{"an RSA key of 1 MiB", key_of_1_mib}, {"an RSA exponent of 4,096 bits", key_with_large_exponent},
	{"DNS names, signature right", many_dns_names}, {"directory names, signature right", many_directory_names},
	{"20,000 DNS names, signature right", allowed_dns_names},
};
const size_t sealed_count = sizeof(sealed_list) / sizeof(sealed_list[0]);
