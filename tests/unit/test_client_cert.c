/* Client certificates: out of whatever a web server makes of them, and against a profile's own CAs (tests/data/make-client-certs). */
#include "unit.h"

#include <stdlib.h>
#include <string.h>

#include "auth/cert_text.h"
#include "auth/client_cert.h"
#include "base/codec.h"
#include "data.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define NOW ((time_t)1800000000)	/* 2027-01-15T08:00:00Z */
#define DAY ((time_t)86400)
#define GOOD TEST_DATA "/good/client_cert/"
#define BAD TEST_DATA "/bad/client_cert/"

/* --- text ----------------------------------------------------------------------------------------------------------- */

static struct buf pem, base64, der;

static int text_setup(void **state)
{
	struct bytes rest;

	(void)state;
	pem = data_read("good/client_cert/plain.pem");
	rest = buf_bytes(&pem);
	if (!pem_next(&rest, NULL, &der, NULL))
		return -1;
	base64_encode(&base64, buf_bytes(&der));
	return 0;
}

static int text_teardown(void **state)
{
	(void)state;
	buf_free(&pem);
	buf_free(&base64);
	buf_free(&der);
	return 0;
}

static void replace(struct buf *out, const char *text, char what, const char *with)
{
	for (; *text != '\0'; text++) {
		if (*text == what)
			buf_add_str(out, with);
		else
			buf_add_byte(out, (uint8_t)*text);
	}
}

/* Frees `text`. */
static void expect_text(const char *what, struct buf *text, bool good)
{
	struct buf out = {0};
	struct why why = {0};

	print_message("# %s\n", what);
	assert_int_equal(cert_text_read(buf_bytes(text), &out, &why), good ? ERR_OK : ERR_TLS_CERT);
	assert_true(good ? bytes_eq(buf_bytes(&out), buf_bytes(&der)) : out.n == 0);
	assert_int_equal(strlen(why.text) > 0, !good);
	buf_free(&out);
	buf_free(text);
}

static struct buf text_of(const char *before, const char *middle, const char *after)
{
	struct buf b = {0};

	buf_printf(&b, "%s%s%s", before, middle, after);
	return b;
}

static void every_form(void **state)
{
	struct buf b = {0};

	(void)state;
	expect_text("Apache, lighttpd", &(struct buf){0}, false);
	b = text_of("", buf_str(&pem), "");
	expect_text("Apache, lighttpd", &b, true);
	percent_encode(&b, buf_bytes(&pem));
	expect_text("nginx", &b, true);
	replace(&b, buf_str(&pem), '\n', "\n\t");
	expect_text("nginx, the old variable", &b, true);
	replace(&b, buf_str(&pem), '\n', " ");
	expect_text("a header of Apache", &b, true);
	replace(&b, buf_str(&pem), '\n', "%0a");
	expect_text("only the line ends escaped", &b, true);
	replace(&b, buf_str(&pem), '\n', "\r\n");
	expect_text("CR LF", &b, true);
	b = text_of("", buf_str(&base64), "");
	expect_text("base64", &b, true);
	percent_encode(&b, buf_bytes(&base64));
	expect_text("base64, escaped", &b, true);
	b = text_of(":", buf_str(&base64), ":");
	expect_text("RFC 9440", &b, true);
	b = text_of(" \t", buf_str(&pem), " \n");
	expect_text("blanks around it", &b, true);
}

static void nothing_else(void **state)
{
	struct buf b = {0};

	(void)state;
	b = text_of(buf_str(&pem), buf_str(&pem), "");
	expect_text("two certificates", &b, false);
	b = text_of(buf_str(&base64), ",", buf_str(&base64));
	expect_text("two headers made one", &b, false);
	b = text_of(":", buf_str(&base64), ":, :AA==:");
	expect_text("a list", &b, false);
	b = text_of(":", buf_str(&base64), "");
	expect_text("one colon", &b, false);
	b = text_of(":", buf_str(&pem), ":");
	expect_text("PEM between colons", &b, false);
	b = text_of(": ", buf_str(&base64), ":");
	expect_text("a blank between colons", &b, false);
	b = text_of("", buf_str(&pem), "x");
	expect_text("something after it", &b, false);
	b = text_of("Subject: x\n", buf_str(&pem), "");
	expect_text("something before it", &b, false);
	b = text_of("", buf_str(&pem), "%00");
	expect_text("a zero", &b, false);
	b = text_of("", buf_str(&pem), "%0");
	expect_text("an escape cut off", &b, false);
	b = text_of("", buf_str(&pem), "%zz");
	expect_text("no escape", &b, false);
	b = text_of("", buf_str(&base64), "!");
	expect_text("no base64", &b, false);
	b = text_of("", "-----BEGIN CERTIFICATE----------END CERTIFICATE-----", "");
	expect_text("nothing in it", &b, false);
	b = text_of("", "-----BEGIN CERTIFICATE-----", "");
	expect_text("half of it", &b, false);
	b = text_of("", "::", "");
	expect_text("nothing between colons", &b, false);
	b = text_of("", ":", "");
	expect_text("a colon", &b, false);
	b = text_of("", "   ", "");
	expect_text("blanks", &b, false);
	b = text_of("", "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----", "");
	expect_text("something else", &b, false);
	while (b.n <= CERT_TEXT_MAX)
		buf_add_str(&b, "AAAA");
	expect_text("too long", &b, false);
}

/* --- certificates --------------------------------------------------------------------------------------------------- */

static const struct client_cert_conf plain = {.trust = (char *)GOOD "trust.pem", .client_auth = true, .only = true};

static struct client_trust *load(const struct client_cert_conf *conf, struct problems *problems)
{
	return client_trust_load(conf, "x.ini [client_certificate]", NOW, problems);
}

static struct cert *cert_at(const char *path)
{
	struct cert *cert = NULL;
	struct why why = {0};

	if (cert_read(path, &cert, &why) != ERR_OK)
		fail_msg("%s", why.text);
	return cert;
}

/* sentence NULL: it is good. */
static void expect(const struct client_cert_conf *conf, const char *path, time_t now, const char *sentence)
{
	struct problems problems = {0};
	struct client_trust *trust = load(conf, &problems);
	struct cert *cert = cert_at(path);
	struct why why = {0};
	enum err err;

	assert_int_equal(problems.n_errors, 0);
	err = client_cert_check(trust, cert, now, &why);
	if (err != (sentence == NULL ? ERR_OK : ERR_TLS_CERT) || (sentence != NULL && strstr(why.text, sentence) == NULL))
		fail_msg("%s: wanted '%s', got %d: %s", path, sentence == NULL ? "good" : sentence, err, why.text);
	assert_true(err == ERR_OK || why.err == ERR_TLS_CERT);
	cert_free(cert);
	client_trust_free(trust);
	problems_free(&problems);
}

static void good_ones(void **state)
{
	static const char *const names[] = {"plain", "not-a-ca", "rsa", "rsa-sha512", "ed25519", "below", "narrow", "again", "many-purposes",
	    "no-key-usage", "policies", "unknown-extension", "names"};

	(void)state;
	for (size_t i = 0; i < COUNT(names); i++) {
		char *path = mem_printf(GOOD "%s.pem", names[i]);

		print_message("# %s\n", names[i]);
		expect(&plain, path, NOW, NULL);
		free(path);
	}
}

/* Those that need no CRL to be found bad. */
static const struct {
	const char *name, *sentence;
} bad[] = {
    {"expired", "the client certificate expired on 2027-01-14T08:00:00Z"},
    {"early", "the client certificate is not valid before 2027-01-16T08:00:00Z"},
    {"other", "not by a CA that this profile trusts, but by 'CN=Other,O=Example'"},
    {"forged", "not by a CA that this profile trusts, but by 'CN=Root,O=Example'"},
    {"changed", "not by a CA that this profile trusts"},
    {"no-crl", "not by a CA that this profile trusts"},
    {"ca", "the client certificate is a CA's"},
    {"no-purpose", "is not for clientAuth"},
    {"any-purpose", "is not for clientAuth"},
    {"server", "is not for clientAuth"},
    {"key-usage", "key usage does not include digitalSignature"},
    {"critical", "critical extension 1.2.3.4, which is not known here"},
    {"weak-key", "the client certificate's key is not good enough: RSA key of 1024 bits"},
    {"curve", "the client certificate's key is not good enough: EC key on a curve other than"},
    {"sha1", "signed with SHA-1, which is broken"},
    {"path-length", "cannot be trusted: there are more CAs between it and 'CN=Narrow,O=Example' than that one allows (0)"},
    {"ended-ca", "cannot be trusted: the certificate of the CA 'CN=Ended,O=Example' expired on"},
    {"below-ended-ca", "cannot be trusted: the certificate of the CA 'CN=Ended,O=Example' expired on"},
    {"name-dns", "outside the name constraints of 'CN=Named,O=Example'"},
    {"name-email", "outside the name constraints"},
    {"name-ip", "outside the name constraints"},
};

static void bad_ones(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		char *path = mem_printf(BAD "tls_cert-%s.pem", bad[i].name);

		print_message("# %s\n", bad[i].name);
		expect(&plain, path, NOW, bad[i].sentence);
		free(path);
	}
}

static void count_bad(const char *name, struct bytes content)
{
	size_t i = 0;

	(void)content;
	if (strncmp(name, "tls_cert-", 9) != 0 || strcmp(name, "tls_cert-revoked.pem") == 0 || strcmp(name, "tls_cert-revoked-ca.pem") == 0)
		return;
	while (i < COUNT(bad) && strncmp(name + 9, bad[i].name, strlen(bad[i].name)) != 0)
		i++;
	if (i == COUNT(bad))
		fail_msg("%s is in no table", name);
}

static void every_bad_one_is_tried(void **state)
{
	(void)state;
	data_each("bad/client_cert", ".pem", COUNT(bad), count_bad);
}

static void for_anything(void **state)
{
	struct client_cert_conf any = plain;

	(void)state;
	any.client_auth = false;
	expect(&any, BAD "tls_cert-no-purpose.pem", NOW, NULL);
	expect(&any, BAD "tls_cert-server.pem", NOW, NULL);
	expect(&any, BAD "tls_cert-ca.pem", NOW, "is a CA's");
}

static void to_the_second(void **state)
{
	(void)state;
	expect(&plain, GOOD "plain.pem", NOW - DAY, NULL);
	expect(&plain, GOOD "plain.pem", NOW - DAY - 1, "is not valid before");
	expect(&plain, GOOD "plain.pem", NOW + 100 * DAY, NULL);
	expect(&plain, GOOD "plain.pem", NOW + 100 * DAY + 1, "expired on");
}

/* What one profile trusts is nothing to another. */
static void other_bundles(void **state)
{
	struct client_cert_conf root = {.trust = (char *)GOOD "trust-root.pem", .client_auth = true};
	struct client_cert_conf issuing = {.trust = (char *)GOOD "trust-issuing.pem", .client_auth = true};

	(void)state;
	expect(&root, GOOD "plain.pem", NOW, NULL);
	expect(&root, GOOD "below.pem", NOW, "but by 'CN=Issuing,O=Example'");
	expect(&root, GOOD "rsa.pem", NOW, "but by 'CN=RSA,O=Example'");
	expect(&issuing, GOOD "below.pem", NOW, NULL);
	expect(&issuing, GOOD "plain.pem", NOW, "but by 'CN=Root,O=Example'");
}

static void revoked(void **state)
{
	struct client_cert_conf conf = {.trust = (char *)GOOD "trust-crl.pem", .crl = (char *)GOOD "crls.pem", .client_auth = true};

	(void)state;
	expect(&conf, GOOD "plain.pem", NOW, NULL);
	expect(&conf, GOOD "below.pem", NOW, NULL);
	expect(&conf, BAD "tls_cert-revoked.pem", NOW, "it is revoked by 'CN=Root,O=Example'");
	/* its CA is on the CRL of the CA above */
	expect(&conf, BAD "tls_cert-revoked-ca.pem", NOW, "it is revoked by 'CN=Root,O=Example'");
	expect(&conf, BAD "tls_cert-no-crl.pem", NOW, "crl has no CRL of 'CN=Without CRL,O=Example', which issued it");
	expect(&conf, GOOD "plain.pem", NOW + 10 * DAY + 1, "the CRL of 'CN=Root,O=Example' is out of date since 2027-01-25T08:00:00Z");
	conf.trust = (char *)GOOD "trust-root.pem";
	conf.crl = (char *)GOOD "crl-of-root.pem";
	expect(&conf, BAD "tls_cert-revoked.pem", NOW, "it is revoked by");
	conf.crl = (char *)GOOD "crl-stale.pem";
	expect(&conf, GOOD "plain.pem", NOW, "the CRL of 'CN=Root,O=Example' is out of date since 2027-01-14T08:00:00Z");
	conf.crl = (char *)GOOD "crl-stale-and-new.pem";
	expect(&conf, GOOD "plain.pem", NOW, NULL);
	conf.crl = NULL;
	expect(&conf, BAD "tls_cert-revoked.pem", NOW, NULL);
}

/* --- what a profile may name ---------------------------------------------------------------------------------------- */

static void expect_problem(const struct client_cert_conf *conf, enum problem_level level, const char *what)
{
	struct problems problems = {0};
	struct client_trust *trust = load(conf, &problems);
	bool found = false;

	for (size_t i = 0; i < problems.n; i++) {
		const struct problem *p = &problems.list[i];
		char *all = mem_printf("%s: %s", p->where, p->text);

		print_message("# %s\n", all);
		found |= p->level == level && strstr(all, what) != NULL;
		free(all);
	}
	if (!found)
		fail_msg("nobody says '%s'", what);
	client_trust_free(trust);
	problems_free(&problems);
}

static void bad_bundles(void **state)
{
	static const struct {
		const char *trust, *crl, *sentence;
		enum problem_level level;
	} rows[] = {
	    {BAD "trust-empty.pem", NULL, "x.ini [client_certificate] trust: '" BAD "trust-empty.pem' holds no certificate", PROBLEM_ERROR},
	    {BAD "nowhere.pem", NULL, "nowhere.pem", PROBLEM_ERROR},
	    {BAD "trust-leaf.pem", NULL, "'CN=device,O=Example' may not issue certificates", PROBLEM_ERROR},
	    {BAD "trust-no-key-cert-sign.pem", NULL, "may not issue certificates", PROBLEM_ERROR},
	    {BAD "trust-weak.pem", NULL, "the key of 'CN=Weak,O=Example' is not good enough: RSA key of 1024 bits", PROBLEM_ERROR},
	    {BAD "trust-ended.pem", NULL, "none of the CAs in '" BAD "trust-ended.pem' is valid now", PROBLEM_ERROR},
	    {BAD "trust-ended.pem", NULL, "'CN=Early,O=Example' is not valid before 2027-01-16T08:00:00Z", PROBLEM_WARNING},
	    {GOOD "trust.pem", NULL, "trust: 'CN=Ended,O=Example' expired on 2027-01-14T08:00:00Z: what it issued is refused", PROBLEM_WARNING},
	    {GOOD "trust-root.pem", BAD "nowhere.pem", "x.ini [client_certificate] crl: ", PROBLEM_ERROR},
	    {GOOD "trust-root.pem", BAD "crl-empty.pem", "no CRL in it", PROBLEM_ERROR},
	    {GOOD "trust-root.pem", BAD "crl-of-another.pem", "is not signed by any CA of trust", PROBLEM_ERROR},
	    {GOOD "trust-root.pem", BAD "crl-delta.pem", "CRL 1 of '" BAD "crl-delta.pem' is a delta", PROBLEM_ERROR},
	    {GOOD "trust-root.pem", BAD "crl-partial.pem", "speaks of a part only", PROBLEM_ERROR},
	    {GOOD "trust-root.pem", GOOD "crl-stale.pem", "the CRL of 'CN=Root,O=Example' is out of date", PROBLEM_WARNING},
	    {GOOD "trust-crl.pem", GOOD "crls.pem", "there is no CRL of 'CN=Without CRL,O=Example'", PROBLEM_WARNING},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		expect_problem(&(struct client_cert_conf){.trust = (char *)rows[i].trust, .crl = (char *)rows[i].crl, .client_auth = true, .only = true},
		    rows[i].level, rows[i].sentence);
}

static void odd_settings(void **state)
{
	struct client_cert_conf conf = {.trust = (char *)GOOD "trust-root.pem", .replaces_challenge = true};
	struct problems problems = {0};

	(void)state;
	expect_problem(&conf, PROBLEM_WARNING, "[client_certificate] bind: without a challenge and with 'bind = none'");
	conf.replaces_challenge = false;
	expect_problem(&conf, PROBLEM_WARNING, "[client_certificate] only: with 'only = no' and 'challenge = required'");
	conf.only = true;
	client_trust_free(load(&conf, &problems));
	conf.only = false;
	conf.replaces_challenge = true;
	conf.bind = BIND_CN;
	client_trust_free(load(&conf, &problems));
	assert_int_equal(problems.n, 0);
	assert_null(load(&(struct client_cert_conf){0}, &problems));
	assert_int_equal(problems.n, 0);
	client_trust_free(NULL);
	problems_free(&problems);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(every_form, text_setup, text_teardown),
	    cmocka_unit_test_setup_teardown(nothing_else, text_setup, text_teardown),
	    cmocka_unit_test(good_ones),
	    cmocka_unit_test(bad_ones),
	    cmocka_unit_test(every_bad_one_is_tried),
	    cmocka_unit_test(for_anything),
	    cmocka_unit_test(to_the_second),
	    cmocka_unit_test(other_bundles),
	    cmocka_unit_test(revoked),
	    cmocka_unit_test(bad_bundles),
	    cmocka_unit_test(odd_settings),
	};

	return cmocka_run_group_tests_name("client_cert", tests, NULL, NULL);
}
