/* CRLs: what we write satisfies OpenSSL and GnuTLS, what others write is read, and cost is linear. */
#include "unit.h"

#include <gnutls/x509.h>
#include <time.h>

#include "base/codec.h"
#include "data.h"
#include "pki/cms.h"
#include "pki/crl.h"
#include "pki/name.h"
#include "run.h"

#define JAN_2026 1767312000	/* 2026-01-02 00:00:00 */
#define DAY 86400
#define MANY 50000

static time_t now;	/* certtool looks at the clock */

struct ca {
	struct key *key;
	struct cert *cert;
	const struct digest_row *digest;
};

static struct ca make_ca(const char *key_spec, enum digest digest)
{
	struct ca ca = {.digest = digest_row(digest)};
	struct cert_spec spec = {.serial = BYTES_LIT("\1"), .not_before = now - DAY, .not_after = now + 4000L * DAY, .ca = true, .path_len = -1,
	    .key_usage = GNUTLS_KEY_KEY_CERT_SIGN | GNUTLS_KEY_CRL_SIGN, .digest = ca.digest};
	struct buf name = {0}, der = {0};
	struct why why = {0};

	assert_int_equal(key_generate(key_spec, &ca.key, NULL), ERR_OK);
	assert_int_equal(name_parse("CN=Test CA,O=Example", &name, NULL), ERR_OK);
	spec.subject = spec.issuer = buf_bytes(&name);
	spec.spki = key_spki(ca.key);
	if (cert_build(&spec, ca.key, &der, &why) != ERR_OK || cert_parse(buf_bytes(&der), &ca.cert, &why) != ERR_OK)
		fail_msg("%s", why.text);
	buf_free(&name);
	buf_free(&der);
	return ca;
}

static void ca_free(struct ca ca)
{
	key_free(ca.key);
	cert_free(ca.cert);
}

static struct buf make_crl(const struct ca *ca, uint64_t number, struct bytes entries)
{
	struct crl_spec spec = {
	    .issuer = ca->cert, .this_update = now, .next_update = now + 7 * DAY, .number = number, .digest = ca->digest};
	struct buf der = {0};
	struct why why = {0};

	if (crl_build(&spec, entries, ca->key, &der, &why) != ERR_OK)
		fail_msg("%s", why.text);
	return der;
}

static const struct crl_entry three[] = {
    {BYTES_LIT("\x0c\xaf\xfe"), JAN_2026 + 100, JAN_2026, 1},
    {BYTES_LIT("\xff\1\2\3\4\5\6\7\x8\x9\xa\xb\xc\xd\xe\xf"), JAN_2026 + 50, 0, 0},
    {BYTES_LIT("\x11"), 2682374400, 0, 4},	/* 2055: GeneralizedTime */
};

static struct buf three_entries(void)
{
	struct buf entries = {0};

	for (size_t i = 0; i < 3; i++)
		crl_entry_write(&entries, &three[i]);
	return entries;
}

static char *write_file(const char *folder, const char *name, const char *label, struct bytes der)
{
	char *path = mem_printf("%s/%s", folder, name);
	struct buf pem = {0};

	pem_write(&pem, label, der);
	assert_int_equal(file_write(path, buf_bytes(&pem), 0600, true, NULL), ERR_OK);
	buf_free(&pem);
	return path;
}

static void has(const char *log, const char *text)
{
	struct buf b = {0};

	assert_int_equal(file_read(log, &b, NULL), ERR_OK);
	if (strstr(buf_str(&b), text) == NULL)
		fail_msg("'%s' is not in\n%s", text, buf_str(&b));
	buf_free(&b);
}

static void accept_by_others(const struct ca *ca, struct bytes der)
{
	char *folder = run_folder(), *log = mem_printf("%s/log", folder);
	char *ca_pem = write_file(folder, "ca.pem", "CERTIFICATE", buf_bytes(&ca->cert->der));
	char *crl_pem = write_file(folder, "crl.pem", "X509 CRL", der);

	run_ok(log, (const char *const[]){"openssl", "crl", "-in", crl_pem, "-CAfile", ca_pem, "-noout", "-text", NULL});
	has(log, "verify OK");
	has(log, "Version 2 (0x1)");
	has(log, "X509v3 CRL Number: \n                4711");
	has(log, "0CAFFE");
	has(log, "FF0102030405060708090A0B0C0D0E0F");
	has(log, "Key Compromise");
	has(log, "Superseded");
	has(log, "Invalidity Date: \n                Jan  2");
	run_ok(log, (const char *const[]){"certtool", "--verify-crl", "--load-ca-certificate", ca_pem, "--infile", crl_pem, NULL});
	run_ok(log, (const char *const[]){"certtool", "--crl-info", "--infile", crl_pem, NULL});
	has(log, "Revoked certificates (3)");
	free(ca_pem);
	free(crl_pem);
	free(log);
	run_remove(folder);
}

static void openssl_and_gnutls_accept_it(void **state)
{
	static const struct {
		const char *key;
		enum digest digest;
	} kinds[] = {{"rsa:2048", DIGEST_SHA256}, {"ec:p256", DIGEST_SHA256}, {"ec:p384", DIGEST_SHA384}, {"ed25519", DIGEST_SHA256}};
	struct buf entries = three_entries();

	(void)state;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		struct ca ca = make_ca(kinds[i].key, kinds[i].digest);
		struct buf der = make_crl(&ca, 4711, buf_bytes(&entries));

		accept_by_others(&ca, buf_bytes(&der));
		buf_free(&der);
		ca_free(ca);
	}
	buf_free(&entries);
}

static void what_is_written_is_read_back(void **state)
{
	struct ca ca = make_ca("ec:p256", DIGEST_SHA256), other = make_ca("ec:p256", DIGEST_SHA256);
	struct buf entries = three_entries(), der = make_crl(&ca, 0x1ffffffffULL, buf_bytes(&entries));
	struct crl *crl = NULL;
	struct crl_entry e;
	struct bytes rest;

	(void)state;
	assert_int_equal(crl_parse(buf_bytes(&der), &crl, NULL), ERR_OK);
	assert_true(bytes_eq(crl->issuer, ca.cert->subject));
	assert_true(bytes_eq(crl->authority_key_id, ca.cert->skid));
	assert_true(bytes_eq(crl->number, BYTES_LIT("\1\xff\xff\xff\xff")));
	assert_int_equal(crl->this_update, now);
	assert_int_equal(crl->next_update, now + 7 * DAY);
	assert_int_equal(crl->n_entries, 3);
	rest = crl->entries;
	for (size_t i = 0; i < 3; i++) {
		assert_true(crl_entry_next(&rest, &e));
		assert_int_equal(e.revoked, three[i].revoked);
		assert_int_equal(e.invalid_since, three[i].invalid_since);
		assert_int_equal(e.reason, three[i].reason);
		assert_true(bytes_eq(bytes_cut(e.serial, e.serial.p[0] == 0, e.serial.n), three[i].serial));
	}
	assert_false(crl_entry_next(&rest, &e));
	assert_int_equal(crl_verify_by(crl, ca.cert, NULL), ERR_OK);
	assert_int_equal(crl_verify_by(crl, other.cert, NULL), ERR_CERT);	/* the same name, another key */
	crl_free(crl);
	buf_free(&entries);
	buf_free(&der);
	ca_free(ca);
	ca_free(other);
}

/* RFC 5280, 5.1.2.6: no revokedCertificates rather than an empty one. */
static void an_empty_one_has_no_list(void **state)
{
	struct ca ca = make_ca("ec:p256", DIGEST_SHA256);
	struct buf der = make_crl(&ca, 1, (struct bytes){0});
	char *folder = run_folder(), *log = mem_printf("%s/log", folder), *pem = write_file(folder, "crl.pem", "X509 CRL", buf_bytes(&der));
	struct crl *crl = NULL;

	(void)state;
	assert_int_equal(crl_parse(buf_bytes(&der), &crl, NULL), ERR_OK);
	assert_int_equal(crl->n_entries, 0);
	assert_null(crl->entries.p);
	run_ok(log, (const char *const[]){"openssl", "crl", "-in", pem, "-noout", "-text", NULL});
	has(log, "No Revoked Certificates");
	crl_free(crl);
	buf_free(&der);
	free(pem);
	free(log);
	run_remove(folder);
	ca_free(ca);
}

static void impossible_times_are_refused(void **state)
{
	struct ca ca = make_ca("ec:p256", DIGEST_SHA256);
	struct crl_spec spec = {.issuer = ca.cert, .this_update = now, .next_update = now, .number = 1, .digest = ca.digest};
	struct buf der = {0};

	(void)state;
	assert_int_equal(crl_build(&spec, (struct bytes){0}, ca.key, &der, NULL), ERR_INTERNAL);
	spec.next_update = (time_t)253402300800;
	assert_int_equal(crl_build(&spec, (struct bytes){0}, ca.key, &der, NULL), ERR_INTERNAL);
	assert_int_equal(der.n, 0);
	ca_free(ca);
}

static double seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* GnuTLS would need 22 seconds; linear work needs hundredths, also under a sanitizer well below the limit here. */
static void fifty_thousand_entries_are_quick(void **state)
{
	struct ca ca = make_ca("ec:p256", DIGEST_SHA256);
	struct buf entries = {0}, der;
	uint8_t serial[16] = {0x11};
	struct crl *crl = NULL;
	double start = seconds();

	(void)state;
	for (unsigned i = 0; i < MANY; i++) {
		serial[14] = (uint8_t)(i >> 8);
		serial[15] = (uint8_t)i;
		crl_entry_write(&entries, &(struct crl_entry){bytes_of(serial, 16), now - (time_t)i, 0, 1});
	}
	der = make_crl(&ca, 5, buf_bytes(&entries));
	assert_int_equal(crl_parse(buf_bytes(&der), &crl, NULL), ERR_OK);
	assert_int_equal(crl->n_entries, MANY);
	assert_int_equal(crl_verify_by(crl, ca.cert, NULL), ERR_OK);
	if (seconds() - start > 10)
		fail_msg("%.1f s", seconds() - start);
	crl_free(crl);
	buf_free(&entries);
	buf_free(&der);
	ca_free(ca);
}

static void is_good(const char *name, struct bytes der)
{
	struct crl *crl = NULL;
	struct why why = {0};

	if (crl_parse(der, &crl, &why) != ERR_OK)
		fail_msg("%s: %s", name, why.text);
	crl_free(crl);
}

static void is_bad(const char *name, struct bytes der)
{
	struct crl *crl = NULL;
	struct why why = {0};
	enum err err = crl_parse(der, &crl, &why);

	if (err != data_expected(name) || why.err != err || crl != NULL)
		fail_msg("%s: %s: %s", name, err_row(err)->label, why.text);
}

static void lists_of_others_are_read(void **state)
{
	(void)state;
	data_each("good/crl", ".der", 6, is_good);
	data_each("bad/crl", ".der", 12, is_bad);
}

static void reasons_have_names(void **state)
{
	(void)state;
	assert_int_equal(crl_reason_by_name("KEYCOMPROMISE"), 1);
	assert_int_equal(crl_reason_by_name("unspecified"), 0);
	assert_int_equal(crl_reason_by_name("certificateHold"), -1);
	assert_int_equal(crl_reason_by_name("removeFromCRL"), -1);
	assert_string_equal(crl_reason_name(4), "superseded");
	assert_string_equal(crl_reason_name(77), "unspecified");
	for (int i = 0; i < 11; i++) {
		if (crl_reason_by_name(crl_reason_name(i)) >= 0)
			assert_non_null(strstr(crl_reason_names(), crl_reason_name(i)));
	}
}

/* P-126, P-127: the CRL alone, no certificates, no content, no signers. */
static void crl_only_signed_data(void **state)
{
	struct ca ca = make_ca("ec:p256", DIGEST_SHA256);
	struct buf der = make_crl(&ca, 9, (struct bytes){0}), out = {0};
	struct cms_signed *s = NULL;
	char *folder = run_folder(), *log = mem_printf("%s/log", folder), *file = mem_printf("%s/p7", folder);

	(void)state;
	cms_crl_only_write(&out, buf_bytes(&der));
	assert_int_equal(cms_signed_parse(buf_bytes(&out), &s, NULL), ERR_OK);
	assert_true(bytes_eq(s->crl, buf_bytes(&der)));
	assert_int_equal(s->n_certs, 0);
	assert_false(s->has_content);
	assert_false(s->has_signer);
	assert_int_equal(file_write(file, buf_bytes(&out), 0600, true, NULL), ERR_OK);
	run_ok(log, (const char *const[]){"openssl", "pkcs7", "-inform", "DER", "-in", file, "-print_certs", NULL});
	has(log, "-----BEGIN X509 CRL-----");
	cms_signed_free(s);
	buf_free(&der);
	buf_free(&out);
	free(log);
	free(file);
	run_remove(folder);
	ca_free(ca);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(openssl_and_gnutls_accept_it),
	    cmocka_unit_test(what_is_written_is_read_back),
	    cmocka_unit_test(an_empty_one_has_no_list),
	    cmocka_unit_test(impossible_times_are_refused),
	    cmocka_unit_test(fifty_thousand_entries_are_quick),
	    cmocka_unit_test(lists_of_others_are_read),
	    cmocka_unit_test(reasons_have_names),
	    cmocka_unit_test(crl_only_signed_data),
	};

	now = time(NULL);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
