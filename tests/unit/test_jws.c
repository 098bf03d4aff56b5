/* Signed challenges as tokens: told from other challenges, taken apart, their signatures held against the trust anchors. */
#include "unit.h"

#include <stdio.h>
#include <unistd.h>

#include "auth/anchors.h"
#include "pki/cert.h"
#include "pki/name.h"
#include "token.h"

#define DAY 86400
#define PAYLOAD "{\"nonce\":\"n\"}"

static struct {
	char dir[64];
	char *file;
	struct key *rsa, *rsa2, *ec, *p384;
} shared;

static enum err read_token(const char *text, struct jws *j)
{
	struct why why = {0};
	enum err err = jws_read(bytes_str(text), j, &why);

	assert_int_equal(why.err, err);
	return err;
}

static void looks(void **state)
{
	struct buf b = {0};

	(void)state;
	for (size_t i = 0; i < 199; i++)
		buf_add_byte(&b, 'x');
	b.p[3] = b.p[7] = '.';
	buf_add_byte(&b, 'x');
	assert_int_equal(b.n, 200);
	assert_false(jws_looks_like(buf_bytes(&b)));
	buf_add_byte(&b, 'x');
	assert_true(jws_looks_like(buf_bytes(&b)));
	b.p[9] = '.';
	assert_false(jws_looks_like(buf_bytes(&b)));
	b.p[9] = b.p[7] = 'x';
	assert_false(jws_looks_like(buf_bytes(&b)));
	assert_false(jws_looks_like((struct bytes){0}));
	b.p[0] = '.';		/* a form of its own, but meant to be a token */
	assert_true(jws_looks_like(buf_bytes(&b)));
	buf_free(&b);
}

/* Signatures of 64 zero octets: the form is right, and nothing is verified here. */
#define RS "eyJhbGciOiJSUzI1NiJ9"
#define ZEROS "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

static void segments(void **state)
{
	static const struct {
		const char *text;
		enum err err;
	} rows[] = {
	    {RS ".e30." ZEROS, ERR_OK}, {RS ".e30=." ZEROS "==", ERR_OK}, {RS ".e30." ZEROS "=", ERR_SIGNED_FORM}, {RS ".e30==." ZEROS, ERR_SIGNED_FORM},
	    {RS "=.e30." ZEROS, ERR_SIGNED_FORM}, {RS "." ZEROS ".e30", ERR_OK},
	    {"..", ERR_SIGNED_FORM}, {"." RS ".e30", ERR_SIGNED_FORM}, {RS "..e30", ERR_SIGNED_FORM}, {RS ".e30.", ERR_SIGNED_FORM}, {RS ".e30", ERR_SIGNED_FORM},
	    {RS ".e30." ZEROS ".", ERR_SIGNED_FORM}, {RS ".e30." ZEROS "." ZEROS, ERR_SIGNED_FORM}, {"", ERR_SIGNED_FORM}, {RS ".=.e30", ERR_SIGNED_FORM},
	    {RS ".e30." ZEROS "\n", ERR_SIGNED_FORM}, {RS ".e3 0." ZEROS, ERR_SIGNED_FORM}, {" " RS ".e30." ZEROS, ERR_SIGNED_FORM}, {RS ".e3/0." ZEROS, ERR_SIGNED_FORM},
	    {RS ".e3+0." ZEROS, ERR_SIGNED_FORM}, {RS ".e31." ZEROS, ERR_SIGNED_FORM}, {RS ".e3=0." ZEROS, ERR_SIGNED_FORM}, {RS ".e." ZEROS, ERR_SIGNED_FORM},
	    {RS ".e30." ZEROS "!", ERR_SIGNED_FORM}, {"e30.e30." ZEROS, ERR_SIGNED_SIG}, {"W10.e30." ZEROS, ERR_SIGNED_FORM}, {"eyJhbGciOi.e30." ZEROS, ERR_SIGNED_FORM},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct jws j = {0};

		print_message("# %s\n", rows[i].text);
		assert_int_equal(read_token(rows[i].text, &j), rows[i].err);
		jws_free(&j);
	}
}

static enum err read_with_header(const char *header)
{
	struct buf t = token_make(header, PAYLOAD, shared.rsa);
	struct jws j = {0};
	enum err err = read_token(buf_str(&t), &j);

	jws_free(&j);
	buf_free(&t);
	return err;
}

static void headers(void **state)
{
	static const struct {
		const char *header;
		enum err err;
	} rows[] = {
	    {HEADER_RS, ERR_OK}, {"{\"alg\":\"RS256\"}", ERR_OK}, {" {\"typ\":1,\"alg\":\"RS256\",\"x\":{}} ", ERR_OK},
	    {"{\"alg\":\"none\"}", ERR_SIGNED_SIG}, {"{\"alg\":\"None\"}", ERR_SIGNED_SIG}, {"{\"alg\":\"\"}", ERR_SIGNED_SIG}, {"{}", ERR_SIGNED_SIG},
	    {"{\"alg\":null}", ERR_SIGNED_SIG}, {"{\"alg\":[\"RS256\"]}", ERR_SIGNED_SIG}, {"{\"alg\":\"HS256\"}", ERR_SIGNED_SIG}, {"{\"alg\":\"PS256\"}", ERR_SIGNED_SIG},
	    {"{\"alg\":\"RS384\"}", ERR_SIGNED_SIG}, {"{\"alg\":\"RS512\"}", ERR_SIGNED_SIG}, {"{\"alg\":\"ES384\"}", ERR_SIGNED_SIG}, {"{\"alg\":\"EdDSA\"}", ERR_SIGNED_SIG},
	    {"{\"alg\":\"rs256\"}", ERR_SIGNED_SIG}, {"{\"alg\":\"RS256 \"}", ERR_SIGNED_SIG}, {"{\"ALG\":\"RS256\"}", ERR_SIGNED_SIG}, {"{\"alg\":256}", ERR_SIGNED_SIG},
	    {"{\"alg\":\"RS256\",\"alg\":\"none\"}", ERR_SIGNED_FORM}, {"{\"alg\":\"RS256\",\"crit\":[\"b64\"],\"b64\":false}", ERR_SIGNED_FORM},
	    {"{\"alg\":\"RS256\",\"crit\":null}", ERR_SIGNED_FORM}, {"[]", ERR_SIGNED_FORM}, {"\"RS256\"", ERR_SIGNED_FORM}, {"RS256", ERR_SIGNED_FORM},
	    {"{\"alg\":\"RS256\\u0000\"}", ERR_SIGNED_FORM}, {"{\"alg\":\"RS256\"}x", ERR_SIGNED_FORM},
	};
	struct buf large = {0};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		print_message("# %s\n", rows[i].header);
		assert_int_equal(read_with_header(rows[i].header), rows[i].err);
	}
	buf_printf(&large, "{\"alg\":\"RS256\",\"x\":\"%05000d\"}", 0);
	assert_int_equal(read_with_header(buf_str(&large)), ERR_SIGNED_FORM);
	buf_free(&large);
}

static void sizes(void **state)
{
	struct buf payload = {0}, token;
	struct jws j = {0};

	(void)state;
	buf_add_str(&payload, "{\"nonce\":\"");
	for (size_t i = 0; i < 11900; i++)
		buf_add_byte(&payload, 'x');
	buf_add_str(&payload, "\"}");
	token = token_make(HEADER_RS, buf_str(&payload), shared.rsa);
	assert_true(token.n > 16000 && token.n <= JWS_MAX);
	assert_int_equal(jws_read(buf_bytes(&token), &j, NULL), ERR_OK);
	jws_free(&j);
	while (token.n <= JWS_MAX)
		buf_add_byte(&token, 'A');
	assert_int_equal(jws_read(buf_bytes(&token), &j, NULL), ERR_SIGNED_FORM);
	buf_free(&token);
	buf_free(&payload);
}

/* --- anchors ------------------------------------------------------------------------------------------------------ */

/* Adds the key to the bundle: alone (days 0), or in a certificate that is valid from that many days ago until so many days from now. */
static void add_anchor(struct buf *pem, const struct key *key, int since, int days)
{
	struct cert_spec spec = {.serial = BYTES_LIT("\x01"), .spki = key_spki(key), .digest = digest_row(DIGEST_SHA256), .path_len = -1};
	struct buf name = {0}, der = {0};

	if (since == 0 && days == 0) {
		pem_write(pem, "PUBLIC KEY", key_spki(key));
		return;
	}
	assert_int_equal(name_parse("CN=issuer", &name, NULL), ERR_OK);
	spec.subject = spec.issuer = buf_bytes(&name);
	spec.not_before = NOW - since * DAY;
	spec.not_after = NOW + days * DAY;
	assert_int_equal(cert_build(&spec, key, &der, NULL), ERR_OK);
	pem_write(pem, "CERTIFICATE", buf_bytes(&der));
	buf_free(&name);
	buf_free(&der);
}

static enum err read_anchors(const struct buf *pem, struct anchors **out, struct why *why)
{
	token_write_file(shared.file, pem);
	return anchors_read(shared.file, NOW, out, why);
}

static enum err verify(const struct anchors *a, const struct buf *token, time_t now)
{
	struct jws j = {0};
	enum err err = jws_read(buf_bytes(token), &j, NULL);
	uint8_t id[ANCHOR_ID_SIZE];

	if (err == ERR_OK)
		err = anchors_verify(a, &j, now, id, NULL);
	jws_free(&j);
	return err;
}

static void both_algorithms(void **state)
{
	struct buf pem = {0}, rs = token_make(HEADER_RS, PAYLOAD, shared.rsa), es = token_make(HEADER_ES, PAYLOAD, shared.ec), es_der = {0};
	struct buf stranger = token_make(HEADER_RS, PAYLOAD, shared.rsa2), confused = token_make(HEADER_ES, PAYLOAD, shared.rsa);
	struct anchors *a = NULL;

	(void)state;
	add_anchor(&pem, shared.ec, 1, 100);
	add_anchor(&pem, shared.rsa, 0, 0);
	assert_int_equal(read_anchors(&pem, &a, NULL), ERR_OK);
	buf_add(&es_der, es.p, (size_t)((uint8_t *)strrchr(buf_str(&es), '.') - es.p));
	token_sign(&es_der, shared.ec, true);
	assert_int_equal(verify(a, &rs, NOW), ERR_OK);
	assert_int_equal(verify(a, &es, NOW), ERR_OK);
	assert_int_equal(verify(a, &es_der, NOW), ERR_OK);
	assert_int_equal(verify(a, &stranger, NOW), ERR_SIGNED_SIG);
	assert_int_equal(verify(a, &confused, NOW), ERR_SIGNED_SIG);
	buf_free(&pem);
	buf_free(&rs);
	buf_free(&es);
	buf_free(&es_der);
	buf_free(&stranger);
	buf_free(&confused);
	anchors_free(a);
}

/* Whatever octet of header or payload is changed, even to another spelling of the same, the signature is wrong. */
static void every_octet_counts(void **state)
{
	struct buf pem = {0}, t = token_make(HEADER_ES, PAYLOAD, shared.ec);
	struct key *another = token_key("ec:p256");
	struct anchors *a = NULL;

	(void)state;
	add_anchor(&pem, another, 0, 0);	/* all of a kind are tried */
	add_anchor(&pem, shared.ec, 0, 0);
	add_anchor(&pem, another, 1, 1);
	key_free(another);
	assert_int_equal(read_anchors(&pem, &a, NULL), ERR_OK);
	for (size_t i = 0; i < t.n; i++) {
		uint8_t was = t.p[i];

		t.p[i] = was == 'B' ? 'C' : 'B';
		if (was != '.')
			assert_int_not_equal(verify(a, &t, NOW), ERR_OK);
		t.p[i] = was;
	}
	assert_int_equal(verify(a, &t, NOW), ERR_OK);
	buf_free(&pem);
	buf_free(&t);
	anchors_free(a);
}

/* To the second: an anchor that expires while the program runs is not trusted from then on. */
static void dates_at_use(void **state)
{
	struct buf pem = {0}, t = token_make(HEADER_RS, PAYLOAD, shared.rsa);
	struct anchors *a = NULL, *b;
	struct problems problems = {0};

	(void)state;
	add_anchor(&pem, shared.rsa, 1, 1);
	add_anchor(&pem, shared.rsa2, 9, -8);
	assert_int_equal(read_anchors(&pem, &a, NULL), ERR_OK);
	assert_int_equal(verify(a, &t, NOW - DAY - 1), ERR_SIGNED_SIG);
	assert_int_equal(verify(a, &t, NOW - DAY), ERR_OK);
	assert_int_equal(verify(a, &t, NOW + DAY), ERR_OK);
	b = anchors_share(a);
	anchors_free(a);
	assert_int_equal(verify(b, &t, NOW + DAY + 1), ERR_SIGNED_SIG);
	anchors_warn(b, "x", NOW, &problems);
	assert_int_equal(problems.n, 2);
	assert_int_equal(problems.n_errors, 0);
	assert_non_null(strstr(problems.list[0].text, "certificate 1 expires soon"));
	assert_non_null(strstr(problems.list[1].text, "certificate 2 expired on"));
	problems_free(&problems);
	buf_free(&pem);
	buf_free(&t);
	anchors_free(b);
}

/* --- bundles that cannot be used ---------------------------------------------------------------------------------- */

static void no_file(struct buf *pem)
{
	(void)pem;
}

static void all_expired(struct buf *pem)
{
	add_anchor(pem, shared.rsa, 9, -1);
	add_anchor(pem, shared.ec, -1, 9);
}

static void curve(struct buf *pem)
{
	add_anchor(pem, shared.ec, 0, 0);
	add_anchor(pem, shared.p384, 0, 0);
}

static void edwards(struct buf *pem)
{
	struct key *key = token_key("ed25519");

	add_anchor(pem, key, 0, 0);
	key_free(key);
}

static void private_key(struct buf *pem)
{
	add_anchor(pem, shared.ec, 0, 0);
	assert_int_equal(key_export_pem(shared.ec, pem, NULL), ERR_OK);
}

static void damaged(struct buf *pem)
{
	add_anchor(pem, shared.ec, 0, 0);
	buf_add_str(pem, "-----BEGIN CERTIFICATE-----\nMIIB\n");
}

static void garbage(struct buf *pem)
{
	pem_write(pem, "CERTIFICATE", BYTES_LIT("no certificate"));
}

static void other_block(struct buf *pem)
{
	pem_write(pem, "X509 CRL", BYTES_LIT("x"));
	add_anchor(pem, shared.ec, 0, 0);
}

static void too_many(struct buf *pem)
{
	for (int i = 0; i <= ANCHORS_MAX; i++)
		add_anchor(pem, shared.ec, 0, 0);
}

static void short_rsa(struct buf *pem)
{
	buf_add_str(pem, "-----BEGIN PUBLIC KEY-----\n"
	    "MFwwDQYJKoZIhvcNAQEBBQADSwAwSAJBAKj34GkxFhD90vcNLYLInFEX6Ppy1tPf9Cnzj4p4WGeKLs1Pt8QuKUpRKfFLfRYC9AIKjbJTWit+CqvjWYzvQwECAwEAAQ==\n"
	    "-----END PUBLIC KEY-----\n");
}

static void pkcs1(struct buf *pem)
{
	pem_write(pem, "RSA PUBLIC KEY", BYTES_LIT("x"));
}

static void bad_bundles(void **state)
{
	static const struct {
		void (*make)(struct buf *pem);
		const char *text;
	} rows[] = {
	    {no_file, "holds no certificate"}, {all_expired, "no certificate in it is valid now"}, {curve, "PEM block 2: a key that can sign neither"},
	    {edwards, "PEM block 1: a key that can sign neither"}, {private_key, "PEM block 2: a private key"}, {damaged, "1 of 2 PEM blocks"},
	    {garbage, "PEM block 1: "}, {other_block, "1 of 2 PEM blocks"}, {too_many, "more than 32"}, {short_rsa, "RSA key of 512 bits"},
	    {pkcs1, "openssl rsa -RSAPublicKey_in"},
	};
	struct anchors *a = NULL;
	struct why why;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct buf pem = {0};

		rows[i].make(&pem);
		assert_int_equal(read_anchors(&pem, &a, &why), ERR_CERT);
		print_message("# %s\n", why.text);
		assert_non_null(strstr(why.text, rows[i].text));
		assert_non_null(strstr(why.text, shared.file));
		assert_null(a);
		buf_free(&pem);
	}
	unlink(shared.file);
	assert_int_equal(anchors_read(shared.file, NOW, &a, &why), ERR_FILE);
	anchors_free(NULL);
}

static int set_up(void **state)
{
	(void)state;
	snprintf(shared.dir, sizeof(shared.dir), "/tmp/test_jws.XXXXXX");
	assert_non_null(mkdtemp(shared.dir));
	shared.file = mem_printf("%s/anchors.pem", shared.dir);
	shared.rsa = token_key("rsa:2048");
	shared.rsa2 = token_key("rsa:2048");
	shared.ec = token_key("ec:p256");
	shared.p384 = token_key("ec:p384");
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	unlink(shared.file);
	rmdir(shared.dir);
	free(shared.file);
	key_free(shared.rsa);
	key_free(shared.rsa2);
	key_free(shared.ec);
	key_free(shared.p384);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(looks), cmocka_unit_test(segments), cmocka_unit_test(headers), cmocka_unit_test(sizes), cmocka_unit_test(both_algorithms),
	    cmocka_unit_test(every_octet_counts), cmocka_unit_test(dates_at_use), cmocka_unit_test(bad_bundles),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
