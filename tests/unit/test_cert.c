/* Certificates: what clients send is read, what we build satisfies OpenSSL and GnuTLS. */
#include "unit.h"

#include <gnutls/x509.h>

#include "base/codec.h"
#include "data.h"
#include "pki/cert.h"
#include "pki/der.h"
#include "pki/name.h"
#include "pki/oid.h"
#include "run.h"

static struct cert *parse(const char *stem)
{
	char *path = mem_printf("good/cert/%s.der", stem);
	struct buf der = data_read(path);
	struct cert *cert = NULL;
	struct why why = {0};

	if (cert_parse(buf_bytes(&der), &cert, &why) != ERR_OK)
		fail_msg("%s: %s", path, why.text);
	buf_free(&der);
	free(path);
	return cert;
}

static void is_good(const char *name, struct bytes der)
{
	struct cert *cert = NULL;
	struct why why = {0};

	if (cert_parse(der, &cert, &why) != ERR_OK)
		fail_msg("%s: %s", name, why.text);
	assert_true(bytes_eq(buf_bytes(&cert->der), der));
	assert_true(cert->serial.n > 0 && cert->spki.n > 0 && cert->key_bits.n > 0);
	cert_free(cert);
}

static void is_bad(const char *name, struct bytes der)
{
	struct cert *cert = NULL;
	struct why why = {0};
	enum err err = cert_parse(der, &cert, &why);

	if (err != data_expected(name) || why.err != err || why.text[0] == '\0' || cert != NULL)
		fail_msg("%s: %s: %s", name, err_row(err)->label, why.text);
}

static void odd_certificates_are_read(void **state)
{
	(void)state;
	data_each("good/cert", ".der", 18, is_good);
	data_each("bad/cert", ".der", 11, is_bad);
}

/* P-185, P-186 */
static void serials_are_kept_as_they_are(void **state)
{
	static const struct {
		const char *stem;
		struct bytes serial;
	} rows[] = {
	    {"v1", BYTES_LIT("\1")},
	    {"serial-0", BYTES_LIT("\0")},
	    {"serial-negative", BYTES_LIT("\x80\1")},
	    {"serial-leading-zeros", BYTES_LIT("\0\0\1")},
	};
	struct cert *long_one = parse("v1-serial-33");

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct cert *cert = parse(rows[i].stem);

		assert_true(bytes_eq(cert->serial, rows[i].serial));
		cert_free(cert);
	}
	assert_int_equal(long_one->serial.n, 33);
	cert_free(long_one);
}

static void dates_need_not_make_sense(void **state)
{
	static const struct {
		const char *stem;
		bool ok;
		time_t from, to;
	} rows[] = {
	    {"v1", true, 1735689600, 2051222400},
	    {"dates-equal", true, 0, 0},
	    {"dates-reversed", true, 2051222400, 1735689600},
	    {"dates-9999", true, 1735689600, 253402300799},
	    {"dates-without-seconds", false, 0, 0},
	    {"dates-nonsense", false, 0, 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct cert *cert = parse(rows[i].stem);

		if (cert->times_ok != rows[i].ok || (cert->times_ok && (cert->not_before != rows[i].from || cert->not_after != rows[i].to)))
			fail_msg("%s: %d %ld %ld", rows[i].stem, cert->times_ok, (long)cert->not_before, (long)cert->not_after);
		cert_free(cert);
	}
}

static void extensions_are_found(void **state)
{
	struct cert *cert = parse("extensions"), *bare = parse("v1"), *ca = parse("ca");
	struct bytes value;
	bool critical = false;

	(void)state;
	assert_true(bytes_eq_str(cert->skid, "12345678"));
	assert_true(cert_extension(cert, OID_KEY_USAGE, &value, &critical) && critical);
	assert_true(cert_extension(cert, OID_SUBJECT_ALT_NAME, &value, &critical) && !critical);
	assert_false(cert_extension(cert, OID_BASIC_CONSTRAINTS, &value, NULL));
	assert_int_equal(cert_key_usage(cert), GNUTLS_KEY_DIGITAL_SIGNATURE | GNUTLS_KEY_KEY_ENCIPHERMENT);
	assert_int_equal(cert_key_usage(bare), ~0u);
	assert_int_equal(bare->skid.n, 0);
	assert_true(cert_is_ca(ca));
	assert_false(cert_is_ca(cert));
	cert_free(cert);
	cert_free(bare);
	cert_free(ca);
}

/* P-181, P-182 */
static void sid_names_a_certificate(void **state)
{
	struct cert *cert = parse("extensions"), *bare = parse("v1"), *negative = parse("serial-negative");
	struct buf folded = {0};
	uint8_t id[20];
	struct bytes none = {0};

	(void)state;
	assert_int_equal(name_parse("CN=DEVICE", &folded, NULL), ERR_OK);
	assert_true(cert_is_named(bare, bare->issuer, BYTES_LIT("\1"), none));
	assert_true(cert_is_named(bare, buf_bytes(&folded), BYTES_LIT("\0\0\1"), none));
	assert_false(cert_is_named(bare, bare->issuer, BYTES_LIT("\2"), none));
	assert_false(cert_is_named(bare, BYTES_LIT("\x30\0"), BYTES_LIT("\1"), none));
	assert_false(cert_is_named(negative, negative->issuer, BYTES_LIT("\xff\x80\1"), none));
	assert_true(cert_is_named(cert, none, none, BYTES_LIT("12345678")));
	spki_key_id(cert->spki, id);
	assert_false(cert_is_named(cert, none, none, bytes_of(id, sizeof(id))));	/* it has another one, explicitly */
	assert_true(cert_is_named(bare, none, none, bytes_of(id, sizeof(id))));		/* the same key, nothing said */
	buf_free(&folded);
	cert_free(cert);
	cert_free(bare);
	cert_free(negative);
}

static void self_signed_ones_are_told(void **state)
{
	struct cert *cert = parse("v1"), *copy = NULL;
	struct buf der = {0};

	(void)state;
	assert_true(cert_is_self_signed(cert));
	buf_add_bytes(&der, buf_bytes(&cert->der));
	der.p[der.n - 1] ^= 1;
	assert_int_equal(cert_parse(buf_bytes(&der), &copy, NULL), ERR_OK);
	assert_false(cert_is_self_signed(copy));
	cert_free(copy);
	cert_free(cert);
	buf_free(&der);
}

/* --- building ---------------------------------------------------------------------------------------------------- */

#define JAN_2025 1735689600
#define JAN_2055 2682374400	/* GeneralizedTime */

struct pair {
	struct key *key;
	struct cert *cert;
};

static struct pair build(const char *key_spec, const char *subject, const struct pair *issuer, struct cert_spec spec)
{
	struct buf name = {0}, der = {0};
	struct pair p = {0};
	struct why why = {0};

	assert_int_equal(key_generate(key_spec, &p.key, NULL), ERR_OK);
	assert_int_equal(name_parse(subject, &name, NULL), ERR_OK);
	spec.subject = buf_bytes(&name);
	spec.issuer = issuer == NULL ? spec.subject : issuer->cert->subject;
	spec.spki = key_spki(p.key);
	spec.authority_key_id = issuer == NULL ? (struct bytes){0} : issuer->cert->skid;
	spec.not_before = JAN_2025;
	if (cert_build(&spec, issuer == NULL ? p.key : issuer->key, &der, &why) != ERR_OK ||
	    cert_parse(buf_bytes(&der), &p.cert, &why) != ERR_OK)
		fail_msg("%s", why.text);
	buf_free(&name);
	buf_free(&der);
	return p;
}

static void pair_free(struct pair p)
{
	key_free(p.key);
	cert_free(p.cert);
}

static char *write_pem(const char *folder, const char *file, const struct cert *cert)
{
	struct buf pem = {0};
	char *path = mem_printf("%s/%s", folder, file);

	pem_write(&pem, "CERTIFICATE", buf_bytes(&cert->der));
	assert_int_equal(file_write(path, buf_bytes(&pem), 0600, true, NULL), ERR_OK);
	buf_free(&pem);
	return path;
}

static struct pair build_ca(const char *key_spec)
{
	return build(key_spec, "CN=Root,O=Example", NULL,
		     (struct cert_spec){.serial = BYTES_LIT("\1"), .not_after = JAN_2055, .ca = true, .path_len = 1,
					.key_usage = GNUTLS_KEY_KEY_CERT_SIGN | GNUTLS_KEY_CRL_SIGN | GNUTLS_KEY_DIGITAL_SIGNATURE,
					.digest = digest_row(DIGEST_SHA256)});
}

static struct pair build_device(const char *key_spec, const char *subject, const struct pair *ca)
{
	static const char *const eku[] = {"1.3.6.1.5.5.7.3.2", "1.3.6.1.5.5.7.3.1", NULL};
	static const char *const crls[] = {"http://pki.example/crl", "https://b.example/crl", NULL}, *const none[] = {NULL};
	static const char *const ocsp[] = {"http://ocsp.example/", NULL}, *const issuers[] = {"http://pki.example/ca.crt", NULL};
	struct buf san = {0};
	size_t at = der_open(&san);
	struct pair p;

	assert_int_equal(san_parse("dns:device.example", &san, NULL), ERR_OK);
	assert_int_equal(san_parse("upn:device@example", &san, NULL), ERR_OK);
	der_close(&san, at, DER_SEQUENCE);
	p = build(key_spec, subject, ca,
		  (struct cert_spec){.serial = BYTES_LIT("\xff" "0123456789abcdefg"), .not_after = JAN_2055,
				     .key_usage = GNUTLS_KEY_DIGITAL_SIGNATURE | GNUTLS_KEY_KEY_ENCIPHERMENT, .eku = eku,
				     .san = buf_bytes(&san), .crl_urls = *subject == '\0' ? none : crls, .ca_issuers_urls = issuers,
				     .ocsp_urls = *subject == '\0' ? NULL : ocsp, .digest = digest_row(DIGEST_SHA256)});
	buf_free(&san);
	return p;
}

static void contains(const char *file, const char *words)
{
	struct buf text = {0};

	assert_int_equal(file_read(file, &text, NULL), ERR_OK);
	if (strstr((char *)text.p, words) == NULL)
		fail_msg("no '%s' in:\n%s", words, (char *)text.p);
	buf_free(&text);
}

/* The right key under another name has not issued it. */
static void assert_other_name_fails(const struct cert *cert, const struct cert *issuer)
{
	struct cert *other = NULL;

	assert_int_equal(cert_verify_by(cert, issuer, NULL), ERR_OK);
	assert_int_equal(cert_parse(buf_bytes(&issuer->der), &other, NULL), ERR_OK);
	other->der.p[(size_t)(other->subject.p - other->der.p) + other->subject.n - 1] ^= 1;
	assert_int_equal(cert_verify_by(cert, other, NULL), ERR_CERT);
	cert_free(other);
}

/* OpenSSL in its strict mode and GnuTLS both follow the chain; and what OpenSSL prints is what was asked for. */
static void check_chain(const char *ca_key, const char *device_key, const char *subject)
{
	char *folder = run_folder(), *log = mem_printf("%s/log", folder);
	struct pair ca = build_ca(ca_key), device = build_device(device_key, subject, &ca);
	char *ca_pem = write_pem(folder, "ca.pem", ca.cert), *pem = write_pem(folder, "device.pem", device.cert);

	run_ok(log, (const char *const[]){"openssl", "verify", "-x509_strict", "-check_ss_sig", "-CAfile", ca_pem, pem, NULL});
	run_ok(log, (const char *const[]){"certtool", "--verify", "--load-ca-certificate", ca_pem, "--infile", pem, NULL});
	run_ok(log, (const char *const[]){"openssl", "x509", "-in", pem, "-noout", "-text", NULL});
	contains(log, "X509v3 Key Usage: critical\n                Digital Signature, Key Encipherment\n");
	contains(log, "X509v3 Basic Constraints: critical\n                CA:FALSE\n");
	contains(log, "TLS Web Client Authentication, TLS Web Server Authentication");
	contains(log, *subject == '\0' ? "X509v3 Subject Alternative Name: critical" : "X509v3 Subject Alternative Name: \n");
	contains(log, "DNS:device.example, othername: UPN::device@example");
	contains(log, "CA Issuers - URI:http://pki.example/ca.crt\n");
	if (*subject != '\0') {
		contains(log, "X509v3 CRL Distribution Points: \n                Full Name:\n                  URI:http://pki.example/crl\n"
			      "                  URI:https://b.example/crl\n");
		contains(log, "Authority Information Access: \n                OCSP - URI:http://ocsp.example/\n");
	}
	contains(log, "Not After : Jan  1 00:00:00 2055 GMT");
	run_ok(log, (const char *const[]){"openssl", "x509", "-in", ca_pem, "-noout", "-text", NULL});
	contains(log, "CA:TRUE, pathlen:1");
	contains(log, "Digital Signature, Certificate Sign, CRL Sign");
	assert_int_equal(cert_verify_by(device.cert, ca.cert, NULL), ERR_OK);
	assert_int_equal(cert_verify_by(ca.cert, device.cert, NULL), ERR_CERT);
	assert_true(cert_is_self_signed(ca.cert) && !cert_is_self_signed(device.cert));
	assert_true(cert_is_ca(ca.cert) && !cert_is_ca(device.cert));
	assert_other_name_fails(device.cert, ca.cert);
	pair_free(ca);
	pair_free(device);
	free(pem);
	free(ca_pem);
	free(log);
	run_remove(folder);
}

static void built_certificates_satisfy_others(void **state)
{
	(void)state;
	check_chain("rsa:2048", "ec:p256", "CN=device,O=Example");
	check_chain("ec:p384", "rsa:2048", "");
	check_chain("ed25519", "ec:p521", "CN=device");
}

/* A parser of the same make would not notice: the library reads the bits of keyUsage and the key identifiers. */
static void library_reads_the_same(void **state)
{
	struct pair ca = build_ca("ec:p256"), device = build_device("ec:p256", "CN=device", &ca);
	gnutls_datum_t der = {device.cert->der.p, (unsigned)device.cert->der.n};
	gnutls_x509_crt_t crt;
	unsigned usage, critical;
	uint8_t id[64];
	size_t n = sizeof(id);

	(void)state;
	assert_int_equal(gnutls_x509_crt_init(&crt), 0);
	assert_int_equal(gnutls_x509_crt_import(crt, &der, GNUTLS_X509_FMT_DER), 0);
	assert_int_equal(gnutls_x509_crt_get_key_usage(crt, &usage, &critical), 0);
	assert_int_equal(usage, GNUTLS_KEY_DIGITAL_SIGNATURE | GNUTLS_KEY_KEY_ENCIPHERMENT);
	assert_int_equal(gnutls_x509_crt_get_subject_key_id(crt, id, &n, NULL), 0);
	assert_true(bytes_eq(bytes_of(id, n), device.cert->skid));
	n = sizeof(id);
	assert_int_equal(gnutls_x509_crt_get_authority_key_id(crt, id, &n, NULL), 0);
	assert_true(bytes_eq(bytes_of(id, n), ca.cert->skid));
	n = sizeof(id);
	assert_int_equal(gnutls_x509_crt_get_serial(crt, id, &n), 0);
	assert_true(n == 19 && id[0] == 0 && id[1] == 0xff);
	assert_int_equal(gnutls_x509_crt_get_version(crt), 3);
	gnutls_x509_crt_deinit(crt);
	pair_free(ca);
	pair_free(device);
}

/* Every bit of keyUsage goes out and comes back: decipherOnly is the first of the second octet. */
static void key_usage_bits_survive(void **state)
{
	static const unsigned bits[] = {0x80, 0x40, 0x20, 0x10, 0x08, 0x04, 0x02, 0x01, GNUTLS_KEY_DECIPHER_ONLY, 0x80ff};

	(void)state;
	for (size_t i = 0; i < sizeof(bits) / sizeof(bits[0]); i++) {
		struct pair p = build("ec:p256", "CN=x", NULL,
				      (struct cert_spec){.serial = BYTES_LIT("\1"), .not_after = JAN_2055, .key_usage = bits[i],
							 .digest = digest_row(DIGEST_SHA256)});

		assert_int_equal(cert_key_usage(p.cert), bits[i]);
		pair_free(p);
	}
}

static void impossible_specs_are_refused(void **state)
{
	static const struct {
		struct bytes serial;
		time_t from, to;
	} rows[] = {
	    {BYTES_LIT("\0"), JAN_2025, JAN_2055},
	    {BYTES_LIT(""), JAN_2025, JAN_2055},
	    {BYTES_LIT("\xff" "0123456789abcdefghi"), JAN_2025, JAN_2055},	/* 20 octets with the top bit set need 21 */
	    {BYTES_LIT("\1"), JAN_2055, JAN_2025},
	    {BYTES_LIT("\1"), JAN_2025, 253402300800},
	    {BYTES_LIT("\1"), -1, JAN_2055},
	};
	struct key *key = NULL;
	struct buf der = {0};

	(void)state;
	assert_int_equal(key_generate("ec:p256", &key, NULL), ERR_OK);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct cert_spec spec = {.serial = rows[i].serial, .not_before = rows[i].from, .not_after = rows[i].to,
					 .issuer = BYTES_LIT("\x30\0"), .subject = BYTES_LIT("\x30\0"), .spki = key_spki(key),
					 .digest = digest_row(DIGEST_SHA256)};

		if (cert_build(&spec, key, &der, NULL) != ERR_INTERNAL || der.n != 0)
			fail_msg("row %zu was built", i);
	}
	key_free(key);
}

/* --- files ------------------------------------------------------------------------------------------------------- */

static void assert_read(const char *path, struct bytes content, enum err expected, size_t expected_n, const char *words)
{
	struct cert **list = NULL;
	struct why why = {0};
	size_t n = 0;
	enum err err;

	assert_int_equal(file_write(path, content, 0644, true, NULL), ERR_OK);
	err = cert_list_read(path, &list, &n, &why);
	if (err != expected || n != expected_n || (words != NULL && strstr(why.text, words) == NULL))
		fail_msg("%s, %zu certificates: %s", err_row(err)->label, n, why.text);
	cert_list_free(list, n);
}

static void files_are_read(void **state)
{
	char *folder = run_folder(), *path = mem_printf("%s/certs.pem", folder);
	struct buf der = data_read("good/cert/v1.der"), pem = {0}, two = {0};
	struct cert *cert = NULL;

	(void)state;
	pem_write(&pem, "CERTIFICATE", buf_bytes(&der));
	assert_read(path, buf_bytes(&der), ERR_OK, 1, NULL);
	assert_read(path, buf_bytes(&pem), ERR_OK, 1, NULL);
	buf_add_str(&two, "subject=CN = device\n");
	buf_add_bytes(&two, buf_bytes(&pem));
	buf_add_bytes(&two, buf_bytes(&pem));
	assert_read(path, buf_bytes(&two), ERR_OK, 2, NULL);
	assert_int_equal(cert_read(path, &cert, NULL), ERR_OK);
	assert_true(bytes_eq(buf_bytes(&cert->der), buf_bytes(&der)));
	cert_free(cert);
	buf_cut(&two, two.n - 60);	/* the second one is cut: it must not just be missing */
	assert_read(path, buf_bytes(&two), ERR_CERT, 0, "certificate 2: damaged");
	assert_read(path, BYTES_LIT("nothing"), ERR_CERT, 0, "holds no certificate");
	assert_read(path, BYTES_LIT(""), ERR_CERT, 0, "holds no certificate");
	assert_read(path, BYTES_LIT("\x30\3abc"), ERR_CERT, 0, path);
	unlink(path);
	assert_int_equal(cert_read(path, &cert, NULL), ERR_FILE);
	buf_free(&der);
	buf_free(&pem);
	buf_free(&two);
	free(path);
	run_remove(folder);
}

/* RFC 5280, 4.1.2.5: UTCTime until 2049, GeneralizedTime from 2050, seconds and Z always (P-189). */
static void times_change_their_type_in_2050(void **state)
{
	struct buf out = {0};

	(void)state;
	der_time(&out, 2524607999);
	der_time(&out, 2524608000);
	assert_int_equal(out.n, 15 + 17);
	assert_memory_equal(out.p, "\x17\x0d" "491231235959Z" "\x18\x0f" "20500101000000Z", out.n);
	buf_free(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(odd_certificates_are_read),
	    cmocka_unit_test(serials_are_kept_as_they_are),
	    cmocka_unit_test(dates_need_not_make_sense),
	    cmocka_unit_test(extensions_are_found),
	    cmocka_unit_test(sid_names_a_certificate),
	    cmocka_unit_test(self_signed_ones_are_told),
	    cmocka_unit_test(built_certificates_satisfy_others),
	    cmocka_unit_test(library_reads_the_same),
	    cmocka_unit_test(key_usage_bits_survive),
	    cmocka_unit_test(impossible_specs_are_refused),
	    cmocka_unit_test(times_change_their_type_in_2050),
	    cmocka_unit_test(files_are_read),
	};

	return cmocka_run_group_tests_name("cert", tests, NULL, NULL);
}
