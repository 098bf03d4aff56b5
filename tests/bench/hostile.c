#include "hostile.h"

#include "pki/der.h"
#include "pki/oid.h"

#define MIB ((size_t)1 << 20)
#define SHELL 128		/* room for what stands around the repeated part */

static void repeat(struct buf *out, struct bytes piece, size_t total)
{
	for (size_t end = out->n + total; out->n + piece.n <= end;)
		buf_add_bytes(out, piece);
}

static void repeat_hex(struct buf *out, const char *octets, size_t n, size_t total)
{
	repeat(out, bytes_of(octets, n), total);
}
#define REPEAT(out, literal, total) repeat_hex(out, literal, sizeof(literal) - 1, total)

/* --- where in the message the repeated part stands --------------------------------------------------------------- */

enum place { DIGESTS, CONTENT, CERTS, CRLS, ISSUER, ATTRS, UNSIGNED_ATTRS };

static void part(struct buf *out, enum place is, enum place wanted, struct bytes body, uint8_t tag)
{
	if (is == wanted)
		der_tlv(out, tag, body);
	else if (is == DIGESTS)
		der_tlv(out, tag, (struct bytes){0});
}

static void write_signer(struct buf *out, enum place place, struct bytes body)
{
	size_t set = der_open(out), info = der_open(out), sid;

	der_int(out, 1);
	sid = der_open(out);
	der_tlv(out, DER_SEQUENCE, place == ISSUER ? body : (struct bytes){0});
	der_int(out, 1);
	der_close(out, sid, DER_SEQUENCE);
	der_algorithm(out, "2.16.840.1.101.3.4.2.1", true);
	part(out, ATTRS, place, body, DER_CTX(0));
	der_algorithm(out, OID_RSA, true);
	der_tlv(out, DER_OCTET_STRING, BYTES_LIT("signature"));
	part(out, UNSIGNED_ATTRS, place, body, DER_CTX(1));
	der_close(out, info, DER_SEQUENCE);
	der_close(out, set, DER_SET);
}

/* certs: in place of what `place` says, for a message whose certificates and signer are both made up */
static void write_message(struct buf *out, enum place place, struct bytes body, struct bytes certs)
{
	size_t outer = der_open(out), explicit_at, data, encap;

	der_oid(out, OID_SIGNED_DATA);
	explicit_at = der_open(out);
	data = der_open(out);
	der_int(out, 1);
	part(out, DIGESTS, place, body, DER_SET);
	encap = der_open(out);
	der_oid(out, OID_DATA);
	if (place == CONTENT)
		der_tlv(out, DER_CTX(0), body);
	der_close(out, encap, DER_SEQUENCE);
	if (certs.n > 0)
		der_tlv(out, DER_CTX(0), certs);
	part(out, CERTS, place, body, DER_CTX(0));
	part(out, CRLS, place, body, DER_CTX(1));
	write_signer(out, place, body);
	der_close(out, data, DER_SEQUENCE);
	der_close(out, explicit_at, DER_CTX(0));
	der_close(out, outer, DER_SEQUENCE);
}

static void write_signed(struct buf *out, enum place place, struct bytes body)
{
	write_message(out, place, body, (struct bytes){0});
}

static void write_enveloped(struct buf *out, struct bytes recipients, struct bytes encrypted)
{
	size_t outer = der_open(out), explicit_at, data, content;

	der_oid(out, OID_ENVELOPED_DATA);
	explicit_at = der_open(out);
	data = der_open(out);
	der_int(out, 0);
	der_tlv(out, DER_SET, recipients);
	content = der_open(out);
	der_oid(out, OID_DATA);
	der_algorithm(out, "2.16.840.1.101.3.4.1.2", false);
	der_tlv(out, DER_CTX(0), encrypted);
	der_close(out, content, DER_SEQUENCE);
	der_close(out, data, DER_SEQUENCE);
	der_close(out, explicit_at, DER_CTX(0));
	der_close(out, outer, DER_SEQUENCE);
}

/* --- certificates that nearly name the signer -------------------------------------------------------------------- */

/* A name of one part with a value of n octets: all `c`, then `last`. */
static void write_name(struct buf *out, uint8_t tag, size_t n, uint8_t c, uint8_t last)
{
	size_t name = der_open(out), rdn = der_open(out), ava = der_open(out), value;

	der_oid(out, OID_CN);
	value = der_open(out);
	for (size_t i = 0; i < n; i++)
		buf_add_byte(out, tag == DER_BMP && i % 2 == 0 ? 0 : i + 1 < n ? c : last);
	der_close(out, value, tag);
	der_close(out, ava, DER_SEQUENCE);
	der_close(out, rdn, DER_SET);
	der_close(out, name, DER_SEQUENCE);
}

/* A certificate with that issuer and serial number 1, as far as anyone looks before the signer is found. */
static void write_cert(struct buf *out, struct bytes issuer)
{
	size_t cert = der_open(out), tbs = der_open(out), part_at;

	der_int(out, 1);
	der_algorithm(out, OID_RSA, true);
	buf_add_bytes(out, issuer);
	part_at = der_open(out);
	der_str(out, DER_UTC_TIME, "260101000000Z");
	der_str(out, DER_UTC_TIME, "270101000000Z");
	der_close(out, part_at, DER_SEQUENCE);
	der_tlv(out, DER_SEQUENCE, (struct bytes){0});
	part_at = der_open(out);
	der_algorithm(out, OID_RSA, true);
	der_bits(out, BYTES_LIT("\x30\x08\x02\x03\x01\x00\x01\x02\x01\x03"));
	der_close(out, part_at, DER_SEQUENCE);
	der_close(out, tbs, DER_SEQUENCE);
	der_algorithm(out, OID_RSA, true);
	der_bits(out, BYTES_LIT("signature"));
	der_close(out, cert, DER_SEQUENCE);
}

/* 16 certificates with the signer's serial number and a name that takes long to tell from the signer's. */
static void near_signers(struct buf *out, size_t n_issuer, size_t n_sid)
{
	struct buf certs = {0}, issuer = {0}, sid = {0};
	struct bytes contents;
	struct tlv name;

	write_name(&issuer, DER_BMP, n_issuer, 'a', 'b');
	write_name(&sid, DER_BMP, n_sid, 'A', 'c');
	contents = buf_bytes(&sid);
	der_next(&contents, &name);
	for (int i = 0; i < 16; i++)
		write_cert(&certs, buf_bytes(&issuer));
	write_message(out, ISSUER, name.body, buf_bytes(&certs));
	buf_free(&certs);
	buf_free(&issuer);
	buf_free(&sid);
}

static void long_signer_name(struct buf *out)
{
	near_signers(out, 10, 1000000);
}

static void long_names(struct buf *out)
{
	near_signers(out, 61000, 61000);
}

/* --- the messages ------------------------------------------------------------------------------------------------ */

#define SIGNED(name, place, literal) \
	static void name(struct buf *out) \
	{ \
		struct buf body = {0}; \
\
		REPEAT(&body, literal, MIB - SHELL); \
		write_signed(out, place, buf_bytes(&body)); \
		buf_free(&body); \
	}

#define ATTRIBUTE "\x30\x0c\x06\x08\x2a\x86\x48\x86\xf7\x0d\x01\x09\x31\x00"
#define RDN "\x31\x0c\x30\x0a\x06\x03\x55\x04\x03\x0c\x03" "abc"

SIGNED(many_digests, DIGESTS, "\x30\x00")
SIGNED(many_contents, CONTENT, "\x04\x01x")
SIGNED(many_certs, CERTS, "\x30\x00")
SIGNED(many_string_certs, CERTS, "\x04\x00")
SIGNED(many_crls, CRLS, "\x30\x00")
SIGNED(many_rdns, ISSUER, RDN)
SIGNED(many_attrs, ATTRS, ATTRIBUTE)
SIGNED(many_primitive_attrs, ATTRS, "\x05\x00")
SIGNED(many_unsigned_attrs, UNSIGNED_ATTRS, ATTRIBUTE)

static void one_octet_segments(struct buf *out)
{
	struct buf segments = {0}, string = {0};

	REPEAT(&segments, "\x04\x01x", MIB - SHELL);
	der_tlv(&string, DER_OCTET_STRING | 0x20, buf_bytes(&segments));
	write_signed(out, CONTENT, buf_bytes(&string));
	buf_free(&segments);
	buf_free(&string);
}

/* As many segments as the guard allows. */
static void allowed_segments(struct buf *out)
{
	struct buf segments = {0}, string = {0}, piece = {0};

	for (size_t i = 0; i < 120; i++)
		buf_add_byte(&string, (uint8_t)i);
	der_tlv(&piece, DER_OCTET_STRING, buf_bytes(&string));
	buf_cut(&string, 0);
	repeat(&segments, buf_bytes(&piece), 8100 * piece.n);
	der_tlv(&string, DER_OCTET_STRING | 0x20, buf_bytes(&segments));
	write_signed(out, CONTENT, buf_bytes(&string));
	buf_free(&segments);
	buf_free(&string);
	buf_free(&piece);
}

static void one_octet_ciphertext(struct buf *out)
{
	struct buf segments = {0};

	REPEAT(&segments, "\x04\x01x", MIB - SHELL);
	write_enveloped(out, BYTES_LIT("\x30\x00"), buf_bytes(&segments));
	buf_free(&segments);
}

static void allowed_ciphertext(struct buf *out)
{
	struct buf segments = {0};

	REPEAT(&segments, "\x04\x01x", 3 * 8150);
	write_enveloped(out, BYTES_LIT("\x30\x00"), buf_bytes(&segments));
	buf_free(&segments);
}

static void many_recipients(struct buf *out)
{
	struct buf list = {0};

	REPEAT(&list, "\x30\x00", MIB - SHELL);
	write_enveloped(out, buf_bytes(&list), BYTES_LIT("\x04\x01x"));
	buf_free(&list);
}

/* Thirty-two members, each as long as it may be. */
static void large_members(struct buf *out, enum place place)
{
	struct buf list = {0}, one = {0}, tlv = {0};

	buf_grow(&one, 32700);
	der_tlv(&tlv, DER_OCTET_STRING, buf_bytes(&one));
	buf_cut(&one, 0);
	der_tlv(&one, DER_SEQUENCE, buf_bytes(&tlv));
	repeat(&list, buf_bytes(&one), place == CERTS ? 16 * one.n : 32 * one.n);
	write_signed(out, place, buf_bytes(&list));
	buf_free(&list);
	buf_free(&one);
	buf_free(&tlv);
}

static void large_certs(struct buf *out)
{
	large_members(out, CERTS);
}

static void large_crls(struct buf *out)
{
	large_members(out, CRLS);
}

/* A name of as many RDNs as the guard allows. */
static void allowed_rdns(struct buf *out)
{
	struct buf body = {0};

	REPEAT(&body, RDN, 2030 * (sizeof(RDN) - 1));
	write_signed(out, ISSUER, buf_bytes(&body));
	buf_free(&body);
}

/* Indefinite lengths inside one another, and side by side, in the place of an opaque element. */
static void indefinite_certs(struct buf *out)
{
	struct buf body = {0}, one = {0};

	REPEAT(&one, "\x30\x80", 36);
	REPEAT(&one, "\x05\x00", 440);
	buf_grow(&one, 36);
	repeat(&body, buf_bytes(&one), 31 * one.n);
	write_signed(out, CERTS, buf_bytes(&body));
	buf_free(&body);
	buf_free(&one);
}

static void indefinite_sequences(struct buf *out)
{
	REPEAT(out, "\x30\x80", MIB);
}

static void indefinite_strings(struct buf *out)
{
	REPEAT(out, "\x24\x80", MIB);
}

static void indefinite_tags(struct buf *out)
{
	REPEAT(out, "\xa0\x80", MIB);
}

static void definite_sequences(struct buf *out)
{
	for (size_t left = MIB / 6 * 6; left > 0; left -= 6) {
		buf_add(out, "\x30\x84", 2);
		for (int shift = 24; shift >= 0; shift -= 8)
			buf_add_byte(out, (uint8_t)((left - 6) >> shift));
	}
}

static void long_tag(struct buf *out)
{
	buf_add(out, "\x30\x80\x1f", 3);
	REPEAT(out, "\xff", MIB);
}

static void many_ends(struct buf *out)
{
	buf_add(out, "\x30\x80", 2);
	REPEAT(out, "\x00", MIB);
}

static void all_ones(struct buf *out)
{
	REPEAT(out, "\xff", MIB);
}

/* Xorshift: the same noise every time. */
static void noise(struct buf *out)
{
	uint32_t x = 2463534242u;

	buf_add(out, "\x30\x80", 2);
	for (size_t i = 0; i < MIB; i++) {
		x ^= x << 13;
		x ^= x >> 17;
		x ^= x << 5;
		buf_add_byte(out, (uint8_t)x);
	}
}

const struct hostile hostile_list[] = {
	{"digestAlgorithms", many_digests, false}, {"contents", many_contents, false},
	{"empty certificates", many_certs, false}, {"strings as certificates", many_string_certs, false},
	{"CRLs", many_crls, false}, {"RDNs in the signer's name", many_rdns, false},
	{"signed attributes", many_attrs, false}, {"primitive attributes", many_primitive_attrs, false},
	{"unsigned attributes", many_unsigned_attrs, false}, {"recipients", many_recipients, false},
	{"one-octet segments", one_octet_segments, false}, {"one-octet segments of ciphertext", one_octet_ciphertext, false},
	{"nested indefinite sequences", indefinite_sequences, false}, {"nested indefinite strings", indefinite_strings, false},
	{"nested indefinite tags", indefinite_tags, false}, {"nested definite sequences", definite_sequences, false},
	{"1 MiB tag number", long_tag, false}, {"end-of-contents only", many_ends, true},
	{"all ones", all_ones, false}, {"noise", noise, false},
	{"8,100 segments", allowed_segments, true}, {"8,150 segments of ciphertext", allowed_ciphertext, true},
	{"16 large certificates", large_certs, true}, {"32 large CRLs", large_crls, true},
	{"16 near signers, long name", long_signer_name, true}, {"16 near signers, long names", long_names, true},
	{"2,030 RDNs", allowed_rdns, true}, {"31 indefinite certificates", indefinite_certs, true},
};
const size_t hostile_count = sizeof(hostile_list) / sizeof(hostile_list[0]);
