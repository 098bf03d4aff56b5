/* signed_check: every claim and bound, in the order in which the outcomes are documented, and what a good token leaves to be done. */
#include "unit.h"

#include <stdio.h>
#include <unistd.h>

#include "auth/signed.h"
#include "pki/der.h"
#include "pki/name.h"
#include "token.h"

static struct {
	char dir[64];
	char *file;
	struct key *rsa, *ec, *device;
	struct anchors *anchors;
} shared;

static const struct signed_conf standard = {.anchors = (char *)"x", .audience = (char *)"A", .validity_s = 3600, .skew_s = 60, .per_device = {3, 86400}};

/* A request; sans: "dns:x email:y" */
static struct csr *make_csr(const char *subject, const char *sans)
{
	struct buf name = {0}, list = {0}, der = {0};
	struct csr *csr = NULL;
	char *copy = mem_strdup(sans), *save = NULL;
	size_t at = der_open(&list);

	assert_int_equal(name_parse(subject, &name, NULL), ERR_OK);
	for (char *one = strtok_r(copy, " ", &save); one != NULL; one = strtok_r(NULL, " ", &save)) {
		for (char *c = one; *c != '\0'; c++)
			*c = *c == '_' ? ' ' : *c;
		assert_int_equal(san_parse(one, &list, NULL), ERR_OK);
	}
	der_close(&list, at, DER_SEQUENCE);
	assert_int_equal(csr_build(shared.device, buf_bytes(&name), NULL, *sans != '\0' ? buf_bytes(&list) : (struct bytes){0}, &der, NULL), ERR_OK);
	assert_int_equal(csr_parse(buf_bytes(&der), &csr, NULL), ERR_OK);
	free(copy);
	buf_free(&name);
	buf_free(&list);
	buf_free(&der);
	return csr;
}

static enum err check_at(const struct signed_conf *conf, time_t now, const char *payload, const struct csr *csr, struct signed_token *out,
    struct why *why)
{
	struct buf t = token_make(HEADER_ES, payload, shared.ec);
	struct signed_rules rules = {.conf = conf, .anchors = shared.anchors, .now = now};
	enum err err = signed_check(&rules, buf_bytes(&t), csr, out, why);

	assert_true(err == ERR_OK || strstr(why->text, buf_str(&t)) == NULL);	/* no sentence has the token in it */
	buf_free(&t);
	return err;
}

static enum err check(const struct signed_conf *conf, const char *payload, const struct csr *csr, struct why *why)
{
	struct signed_token token = {.until = 0};
	enum err err = check_at(conf, NOW, payload, csr, &token, why);

	assert_true(err == ERR_OK ? token.nonce.n > 0 : token.nonce.n == 0 && token.holder.n == 0 && token.values.n == 0);
	signed_free(&token);
	return err;
}

/* One row: a payload, what else differs, and the outcome. */
struct row {
	const char *payload;
	enum err err;
	const char *text;		/* in the sentence */
	unsigned optional;
	const char *audience;		/* NULL: "A"; "": none */
	const char *subject, *sans;	/* of the request; NULL: CN=dev-1, none */
	bool unbound;
};

static void run(const struct row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct row *r = &rows[i];
		struct signed_conf conf = standard;
		struct csr *csr = make_csr(r->subject != NULL ? r->subject : "CN=dev-1,O=Example", r->sans != NULL ? r->sans : "");
		struct why why = {0};
		enum err err;

		conf.optional_claims = r->optional;
		conf.unbound_san_allowed = r->unbound;
		if (r->audience != NULL)
			conf.audience = *r->audience != '\0' ? (char *)r->audience : NULL;
		print_message("# %zu: %s\n", i, r->payload);
		err = check(&conf, r->payload, csr, &why);
		print_message("#    %s %s\n", err_row(err)->label, why.text);
		assert_int_equal(err, r->err);
		assert_true(r->text == NULL || strstr(why.text, r->text) != NULL);
		csr_free(csr);
	}
}

#define RUN(rows) run(rows, sizeof(rows) / sizeof((rows)[0]))
#define TIMES "\"iat\":1799999990,\"exp\":1800000600,"
#define REST "\"aud\":\"A\",\"nonce\":\"n\",\"iss\":\"I\",\"sub\":\"S\""
#define GOOD TIMES REST

static void form_and_version(void **state)
{
	static const struct row rows[] = {
	    {.payload = "{" GOOD "}"}, {.payload = "{\"version\":\"v1\"," GOOD "}"}, {.payload = "{\"version\":\"\"," GOOD "}"},
	    {.payload = "{\"version\":null," GOOD "}"}, {.payload = "{\"more\":{\"x\":[1,2.5]}," GOOD "}"},
	    {.payload = "{\"version\":\"v2\"," GOOD "}", .err = ERR_SIGNED_VERSION, .text = "'v2'"},
	    {.payload = "{\"version\":\"V1\"," GOOD "}", .err = ERR_SIGNED_VERSION}, {.payload = "{\"version\":\"v1 \"," GOOD "}", .err = ERR_SIGNED_VERSION},
	    {.payload = "{\"version\":1," GOOD "}", .err = ERR_SIGNED_FORM, .text = "'version' is not text"},
	    {.payload = "{\"version\":\"v2\",\"iat\":\"x\"}", .err = ERR_SIGNED_VERSION},	/* before the payload */
	    {.payload = "no JSON", .err = ERR_SIGNED_FORM}, {.payload = "[]", .err = ERR_SIGNED_FORM}, {.payload = "{" GOOD "}x", .err = ERR_SIGNED_FORM},
	    {.payload = "{" GOOD ",\"nonce\":\"other\"}", .err = ERR_SIGNED_FORM, .text = "twice"},
	    {.payload = "{" TIMES "\"aud\":[\"A\"],\"nonce\":\"n\"}", .err = ERR_SIGNED_FORM, .text = "'aud' is not text"},
	    {.payload = "{" TIMES "\"aud\":\"A\",\"nonce\":7}", .err = ERR_SIGNED_FORM, .text = "'nonce'"},
	    {.payload = "{" TIMES "\"aud\":\"A\",\"nonce\":\"a\\tb\"}", .err = ERR_SIGNED_FORM, .text = "control characters"},
	    {.payload = "{" TIMES "\"aud\":\"A\",\"nonce\":\"n\",\"sub\":\"a\\u202eb\"}", .err = ERR_SIGNED_FORM, .text = "'sub' holds control characters"},
	    {.payload = "{" GOOD ",\"device_name\":[\"dev-1\"]}", .err = ERR_SIGNED_FORM, .text = "'device_name'"},
	    {.payload = "{" GOOD ",\"san_dns\":\"a.example\"}", .err = ERR_SIGNED_FORM, .text = "'san_dns' is not a list"},
	    {.payload = "{" GOOD ",\"san_dns\":[1]}", .err = ERR_SIGNED_FORM, .text = "'san_dns'"}, {.payload = "{" GOOD ",\"san_upn\":[null]}", .err = ERR_SIGNED_FORM},
	    {.payload = "{" GOOD ",\"san_rfc822\":[\" \"]}", .err = ERR_SIGNED_FORM, .text = "an empty name"},
	    {.payload = "{" GOOD ",\"san_dns\":[\"1\",\"2\",\"3\",\"4\",\"5\",\"6\",\"7\",\"8\",\"9\",\"10\",\"11\",\"12\",\"13\",\"14\",\"15\",\"16\",\"17\",\"18\","
			"\"19\",\"20\",\"21\",\"22\",\"23\",\"24\",\"25\"]}", .err = ERR_SIGNED_FORM, .text = "25 names, at most 24"},
	};

	(void)state;
	RUN(rows);
}

static void missing_claims(void **state)
{
	static const struct row rows[] = {
	    {.payload = "{" TIMES "\"aud\":\"A\"}", .err = ERR_SIGNED_FORM, .text = "'nonce'"}, {.payload = "{" TIMES "\"aud\":\"A\"}", .optional = CLAIM_NONCE},
	    {.payload = "{" TIMES "\"aud\":\"A\",\"nonce\":\"\"}", .err = ERR_SIGNED_FORM}, {.payload = "{" TIMES "\"aud\":\"A\",\"nonce\":null}", .err = ERR_SIGNED_FORM},
	    {.payload = "{\"exp\":1800000600," REST "}", .err = ERR_SIGNED_FORM, .text = "'iat'"}, {.payload = "{\"exp\":1800000600," REST "}", .optional = CLAIM_IAT},
	    {.payload = "{\"iat\":1799999990," REST "}", .err = ERR_SIGNED_FORM, .text = "'exp'"}, {.payload = "{\"iat\":1799999990," REST "}", .optional = CLAIM_EXP},
	    {.payload = "{\"iat\":1799999990," REST "}", .optional = CLAIM_IAT, .err = ERR_SIGNED_FORM, .text = "'exp'"},
	    {.payload = "{" REST "}", .optional = CLAIM_IAT | CLAIM_EXP, .err = ERR_SIGNED_FORM, .text = "for ever"},
	    {.payload = "{" TIMES "\"nonce\":\"n\"}", .err = ERR_SIGNED_AUDIENCE, .text = "no claim 'aud'"}, {.payload = "{" TIMES "\"nonce\":\"n\"}", .optional = CLAIM_AUD},
	    {.payload = "{" TIMES "\"nonce\":\"n\"}", .audience = "", .err = ERR_SIGNED_FORM, .text = "'aud'"},
	    {.payload = "{" TIMES "\"nonce\":\"n\"}", .audience = "", .optional = CLAIM_AUD},
	    {.payload = "{" TIMES "\"nonce\":\"n\",\"aud\":\"B\"}", .optional = CLAIM_AUD, .err = ERR_SIGNED_AUDIENCE},	/* there, it has to be right */
	};

	(void)state;
	RUN(rows);
}

static void audience(void **state)
{
	static const struct row rows[] = {
	    {.payload = "{" GOOD "}", .audience = "A"}, {.payload = "{" GOOD "}", .audience = ""},
	    {.payload = "{" GOOD "}", .audience = "B", .err = ERR_SIGNED_AUDIENCE, .text = "is for 'A', this profile's audience is 'B'"},
	    {.payload = "{" GOOD "}", .audience = "a", .err = ERR_SIGNED_AUDIENCE}, {.payload = "{" GOOD "}", .audience = "AA", .err = ERR_SIGNED_AUDIENCE},
	    {.payload = "{" TIMES "\"nonce\":\"n\",\"aud\":\" A\"}", .err = ERR_SIGNED_AUDIENCE},
	};

	(void)state;
	RUN(rows);
}

/* Skew 60 s, validity 3600 s; NOW is 1800000000. */
static void times(void **state)
{
	static const struct row rows[] = {
	    {.payload = "{\"iat\":1800000060,\"exp\":1800000600," REST "}"},
	    {.payload = "{\"iat\":1800000061,\"exp\":1800000600," REST "}", .err = ERR_SIGNED_EARLY, .text = "61 s in the future"},
	    {.payload = "{\"iat\":1799999000,\"exp\":1799999941," REST "}"},
	    {.payload = "{\"iat\":1799999000,\"exp\":1799999940," REST "}", .err = ERR_SIGNED_LATE, .text = "expired 60 s ago"},
	    {.payload = "{\"iat\":1799996400,\"exp\":1900000000," REST "}"},
	    {.payload = "{\"iat\":1799996399,\"exp\":1900000000," REST "}", .err = ERR_SIGNED_LATE, .text = "issued 3601 s ago"},
	    {.payload = "{\"exp\":1800003600," REST "}", .optional = CLAIM_IAT},
	    {.payload = "{\"exp\":1800003601," REST "}", .optional = CLAIM_IAT, .err = ERR_SIGNED_LATE, .text = "3601 s left"},
	    {.payload = "{\"iat\":1799996399," REST "}", .optional = CLAIM_EXP, .err = ERR_SIGNED_LATE},
	    {.payload = "{\"iat\":1800001000,\"exp\":1799990000," REST "}", .err = ERR_SIGNED_EARLY},	/* iat is looked at first */
	    {.payload = "{\"iat\":0,\"exp\":1," REST "}", .err = ERR_SIGNED_LATE}, {.payload = "{\"iat\":-1,\"exp\":1800000600," REST "}", .err = ERR_SIGNED_FORM},
	    {.payload = "{\"iat\":1.8e9,\"exp\":1800000600," REST "}", .err = ERR_SIGNED_FORM, .text = "'iat' is not a whole number"},
	    {.payload = "{\"iat\":1800000000.0,\"exp\":1800000600," REST "}", .err = ERR_SIGNED_FORM},
	    {.payload = "{\"iat\":\"1800000000\",\"exp\":1800000600," REST "}", .err = ERR_SIGNED_FORM}, {.payload = "{\"iat\":true,\"exp\":1800000600," REST "}", .err = ERR_SIGNED_FORM},
	    {.payload = "{\"iat\":1800000000,\"exp\":253402300799," REST "}"}, {.payload = "{\"iat\":1800000000,\"exp\":253402300800," REST "}", .err = ERR_SIGNED_FORM},
	    {.payload = "{\"iat\":1800000000,\"exp\":9223372036854775807," REST "}", .err = ERR_SIGNED_FORM},
	    {.payload = "{\"iat\":1800000000,\"exp\":99999999999999999999999," REST "}", .err = ERR_SIGNED_FORM},
	    {.payload = "{\"iat\":-99999999999999999999999,\"exp\":1800000600," REST "}", .err = ERR_SIGNED_FORM},
	    /* times before the audience, that before the age, that before the binding */
	    {.payload = "{\"iat\":1799990000,\"exp\":1799999000," REST "}", .audience = "B", .err = ERR_SIGNED_LATE},
	    {.payload = "{\"iat\":1799990000,\"exp\":1800000600," REST "}", .audience = "B", .err = ERR_SIGNED_AUDIENCE},
	    {.payload = "{\"iat\":1799990000,\"exp\":1800000600,\"device_name\":\"other\"," REST "}", .err = ERR_SIGNED_LATE},
	};

	(void)state;
	RUN(rows);
}

static void device_name(void **state)
{
	static const struct row rows[] = {
	    {.payload = "{\"device_name\":\"dev-1\"," GOOD "}"}, {.payload = "{\"device_name\":\"\"," GOOD "}"}, {.payload = "{\"device_name\":null," GOOD "}"},
	    {.payload = "{\"device_name\":\"DEV-1\"," GOOD "}", .err = ERR_SIGNED_CLAIM, .text = "for 'dev-1', the claim device_name says 'DEV-1'"},
	    {.payload = "{\"device_name\":\"dev-1 \"," GOOD "}", .err = ERR_SIGNED_CLAIM}, {.payload = "{\"device_name\":\"dev-2\"," GOOD "}", .err = ERR_SIGNED_CLAIM},
	    {.payload = "{\"device_name\":\"dev-1\"," GOOD "}", .subject = "O=Example", .err = ERR_SIGNED_CLAIM, .text = "0 common names"},
	    {.payload = "{\"device_name\":\"dev-1\"," GOOD "}", .subject = "CN=dev-1,CN=bank", .err = ERR_SIGNED_CLAIM, .text = "2 common names"},
	    {.payload = "{\"device_name\":\"dev-1\"," GOOD "}", .subject = "CN=bank,CN=dev-1", .err = ERR_SIGNED_CLAIM},
	    {.payload = "{\"device_name\":\"dev-1\"," GOOD "}", .subject = "CN=dev-1+CN=dev-1", .err = ERR_SIGNED_CLAIM},
	    {.payload = "{\"device_name\":\"ger\\u00e4t\"," GOOD "}", .subject = "CN=ger\xc3\xa4t"},
	    {.payload = "{" GOOD "}", .subject = "CN=whatever"},
	};

	(void)state;
	RUN(rows);
}

static void names(void **state)
{
	static const struct row rows[] = {
	    {.payload = "{\"san_dns\":[\"a.example\",\"b.example\"]," GOOD "}", .sans = "dns:b.example dns:a.example"},
	    {.payload = "{\"san_dns\":[\" A.example \",\"a.EXAMPLE\"]," GOOD "}", .sans = "dns:a.Example dns:a.example"},
	    {.payload = "{\"san_dns\":[\"a.example\"]," GOOD "}", .err = ERR_SIGNED_CLAIM, .text = "the claim san_dns has the name 'a.example'"},
	    {.payload = "{\"san_dns\":[\"a.example\"]," GOOD "}", .sans = "dns:b.example", .err = ERR_SIGNED_CLAIM, .text = "the name 'b.example', which is not in"},
	    {.payload = "{\"san_dns\":[\"a.example\"]," GOOD "}", .sans = "dns:a.example dns:b.example", .err = ERR_SIGNED_CLAIM},
	    {.payload = "{\"san_dns\":[\"a.example\",\"b.example\"]," GOOD "}", .sans = "dns:a.example", .err = ERR_SIGNED_CLAIM, .text = "'b.example'"},
	    {.payload = "{\"san_dns\":[\"a.example\"]," GOOD "}", .sans = "email:a.example", .err = ERR_SIGNED_CLAIM},	/* of another kind */
	    {.payload = "{\"san_dns\":[]," GOOD "}", .sans = "dns:any.example"}, {.payload = "{\"san_dns\":null," GOOD "}", .sans = "dns:any.example"},
	    {.payload = "{" GOOD "}", .sans = "dns:any.example email:a@b.example upn:a@b"},
	    {.payload = "{\"san_rfc822\":[\"A@b.example\"],\"san_upn\":[\"Me@Corp.example\"]," GOOD "}", .sans = "upn:me@corp.example email:a@B.example"},
	    {.payload = "{\"san_upn\":[\"me@corp.example\"]," GOOD "}", .sans = "upn:you@corp.example", .err = ERR_SIGNED_CLAIM, .text = "'you@corp.example'"},
	    {.payload = "{\"san_upn\":[\"me@corp.example\"]," GOOD "}", .err = ERR_SIGNED_CLAIM, .text = "san_upn"},
	    {.payload = "{\"san_upn\":[\"me\"]," GOOD "}", .sans = "upn:_me_"},	/* '_' is a blank here */
	    {.payload = "{\"san_rfc822\":[\"a@b.example\"]," GOOD "}", .sans = "upn:a@b.example", .err = ERR_SIGNED_CLAIM},
	    {.payload = "{" GOOD "}", .sans = "ip:192.0.2.1", .err = ERR_SIGNED_CLAIM, .text = "a kind that no claim covers"},
	    {.payload = "{\"san_dns\":[\"a.example\"]," GOOD "}", .sans = "dns:a.example uri:tag:microsoft.com,2022-09-14:sid:S-1-5", .err = ERR_SIGNED_CLAIM},
	    {.payload = "{\"san_dns\":[\"a.example\"]," GOOD "}", .sans = "dns:a.example uri:tag:microsoft.com,2022-09-14:sid:S-1-5", .unbound = true},
	    {.payload = "{\"san_dns\":[\"a.example\"]," GOOD "}", .sans = "ip:192.0.2.1", .unbound = true, .err = ERR_SIGNED_CLAIM, .text = "san_dns"},
	};

	(void)state;
	RUN(rows);
}

/* Names that san_parse does not write: other kinds, and what is malformed. */
static void strange_names(void **state)
{
	static const struct {
		struct bytes san;
		bool allowed;	/* where unbound ones are */
	} rows[] = {
	    {BYTES_LIT("\x30\x04\x88\x02\x2a\x03"), true},						/* registeredID */
	    {BYTES_LIT("\x30\x0d\xa0\x0b\x06\x03\x2a\x03\x04\xa0\x04\x0c\x02me"), true},			/* otherName, not a UPN */
	    {BYTES_LIT("\x30\x14\xa0\x12\x06\x0a\x2b\x06\x01\x04\x01\x82\x37\x14\x02\x03\xa0\x04\x13\x02me"), false},	/* UPN as PrintableString */
	    {BYTES_LIT("\x30\x05\x82\x03"	"a\0b"), false}, {BYTES_LIT("\x30\x02\x82\x07"), false}, {BYTES_LIT("\x04\x00"), false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct signed_conf conf = standard;
		struct buf name = {0}, der = {0};
		struct csr *csr = NULL;
		struct why why;

		assert_int_equal(name_parse("CN=dev-1", &name, NULL), ERR_OK);
		assert_int_equal(csr_build(shared.device, buf_bytes(&name), NULL, rows[i].san, &der, NULL), ERR_OK);
		assert_int_equal(csr_parse(buf_bytes(&der), &csr, NULL), ERR_OK);
		assert_int_equal(check(&conf, "{" GOOD "}", csr, &why), ERR_SIGNED_CLAIM);
		print_message("# %s\n", why.text);
		conf.unbound_san_allowed = true;
		assert_int_equal(check(&conf, "{" GOOD "}", csr, &why), rows[i].allowed ? ERR_OK : ERR_SIGNED_CLAIM);
		csr_free(csr);
		buf_free(&name);
		buf_free(&der);
	}
}

static struct signed_token good_token(const char *payload, unsigned optional)
{
	struct signed_conf conf = standard;
	struct signed_token t = {.until = 0};
	struct csr *csr = make_csr("CN=dev-1", "");
	struct why why = {0};

	conf.optional_claims = optional;
	conf.audience = NULL;
	assert_int_equal(check_at(&conf, NOW, payload, csr, &t, &why), ERR_OK);
	csr_free(csr);
	return t;
}

static bool same_nonce(const char *a, const char *b, unsigned optional)
{
	struct signed_token x = good_token(a, optional), y = good_token(b, optional);
	bool same = bytes_eq(buf_bytes(&x.nonce), buf_bytes(&y.nonce));

	signed_free(&x);
	signed_free(&y);
	return same;
}

static void what_is_spent(void **state)
{
	struct signed_token t;

	(void)state;
	assert_true(same_nonce("{" GOOD "}", "{\"device_name\":\"dev-1\"," GOOD "}", 0));	/* whatever else the token says */
	assert_false(same_nonce("{" GOOD "}", "{" TIMES "\"aud\":\"A\",\"nonce\":\"m\",\"iss\":\"I\"}", 0));
	assert_false(same_nonce("{" GOOD "}", "{" TIMES "\"aud\":\"A\",\"nonce\":\"n\",\"iss\":\"J\"}", 0));
	assert_false(same_nonce("{" TIMES "\"aud\":\"A\",\"nonce\":\"bc\",\"iss\":\"a\"}", "{" TIMES "\"aud\":\"A\",\"nonce\":\"c\",\"iss\":\"ab\"}", 0));
	/* without a nonce the token itself, in whichever of its signatures: ECDSA's are different each time */
	assert_true(same_nonce("{" TIMES "\"aud\":\"A\"}", "{" TIMES "\"aud\":\"A\"}", CLAIM_NONCE));
	assert_false(same_nonce("{" TIMES "\"aud\":\"A\"}", "{" TIMES "\"aud\":\"A\" }", CLAIM_NONCE));

	t = good_token("{" GOOD "}", 0);
	assert_true(bytes_eq(buf_bytes(&t.holder), BYTES_LIT("S\0I")));
	assert_int_equal(t.until, 1800000600 + SIGNED_SKEW_MAX_S);
	signed_free(&t);
	t = good_token("{\"iat\":1799999990,\"aud\":\"A\",\"nonce\":\"n\"}", CLAIM_EXP);
	assert_true(bytes_eq(buf_bytes(&t.holder), BYTES_LIT("dev-1\0")));	/* nobody named: the name that is asked for */
	assert_int_equal(t.until, 1799999990 + SIGNED_VALIDITY_MAX_S + SIGNED_SKEW_MAX_S);
	signed_free(&t);
	t = good_token("{\"iat\":1799999990,\"exp\":253402300799,\"aud\":\"A\",\"nonce\":\"n\"}", 0);	/* not for eight thousand years */
	assert_int_equal(t.until, 1799999990 + SIGNED_VALIDITY_MAX_S + SIGNED_SKEW_MAX_S);
	signed_free(&t);
}

static void values(void **state)
{
	struct signed_conf conf = standard;
	struct signed_token t = {.until = 0};
	struct csr *csr = make_csr("CN=dev-1", "dns:a.example dns:b.example email:m@b.example upn:m@b upn:n@b");
	struct why why = {0};

	(void)state;
	assert_int_equal(check_at(&conf, NOW, "{\"device_name\":\"dev-1\",\"san_dns\":[\" a.example\",\"b.example\"],\"san_rfc822\":[\"M@b.example\"],"
	    "\"san_upn\":[\"m@b\",\"n@b\"]," GOOD "}", csr, &t, &why), ERR_OK);
	assert_string_equal(values_get(&t.values, "intune.device_name", 0), "dev-1");
	assert_string_equal(values_get(&t.values, "intune.sub", 0), "S");
	assert_string_equal(values_get(&t.values, "intune.iss", 0), "I");
	assert_string_equal(values_get(&t.values, "intune.dns", 0), "a.example");
	assert_string_equal(values_get(&t.values, "intune.dns", 1), "b.example");
	assert_string_equal(values_get(&t.values, "intune.email", 0), "M@b.example");
	assert_string_equal(values_get(&t.values, "intune.upn", 1), "n@b");
	assert_int_equal(t.values.n, 8);
	signed_free(&t);
	csr_free(csr);
}

static void signature_first(void **state)
{
	struct buf t = token_make(HEADER_RS, "no JSON", shared.rsa);
	struct signed_rules rules = {.conf = &standard, .anchors = shared.anchors, .now = NOW};
	struct csr *csr = make_csr("CN=dev-1", "");
	struct signed_token out = {.until = 0};
	struct why why;

	(void)state;
	assert_int_equal(signed_check(&rules, buf_bytes(&t), csr, &out, &why), ERR_SIGNED_SIG);
	assert_int_equal(signed_check(&rules, BYTES_LIT("..x"), csr, &out, &why), ERR_SIGNED_FORM);
	buf_free(&t);
	csr_free(csr);
}

static int set_up(void **state)
{
	struct buf pem = {0};

	(void)state;
	snprintf(shared.dir, sizeof(shared.dir), "/tmp/test_signed.XXXXXX");
	assert_non_null(mkdtemp(shared.dir));
	shared.file = mem_printf("%s/anchors.pem", shared.dir);
	shared.rsa = token_key("rsa:2048");
	shared.ec = token_key("ec:p256");
	shared.device = token_key("ec:p256");
	pem_write(&pem, "PUBLIC KEY", key_spki(shared.ec));
	token_write_file(shared.file, &pem);
	assert_int_equal(anchors_read(shared.file, NOW, &shared.anchors, NULL), ERR_OK);
	buf_free(&pem);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	anchors_free(shared.anchors);
	unlink(shared.file);
	rmdir(shared.dir);
	free(shared.file);
	key_free(shared.rsa);
	key_free(shared.ec);
	key_free(shared.device);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(form_and_version), cmocka_unit_test(missing_claims), cmocka_unit_test(audience), cmocka_unit_test(times),
	    cmocka_unit_test(device_name), cmocka_unit_test(names), cmocka_unit_test(strange_names), cmocka_unit_test(what_is_spent),
	    cmocka_unit_test(values), cmocka_unit_test(signature_first),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
