/* HTTP exchanges and URLs, without sockets. */
#include "unit.h"

#include <string.h>

#include "base/codec.h"
#include "server/body.h"
#include "server/http.h"
#include "server/retry.h"
#include "server/url.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const struct http_limits limits = {.max_body = 1000, .max_query = 100};

/* --- responses ---------------------------------------------------------------------------------------------------- */

static void test_head(void **state)
{
	struct http_resp resp = {.status = 200, .type = "application/x-pki-message"};
	struct buf out = {0};

	(void)state;
	buf_add_str(&resp.body, "hello");
	http_head_write(&resp, &out);
	assert_string_equal((char *)out.p,
	    "Status: 200 OK\r\nContent-Type: application/x-pki-message\r\nContent-Length: 5\r\n"
	    "Cache-Control: no-store\r\nPragma: no-cache\r\nX-Content-Type-Options: nosniff\r\n\r\n");
	buf_free(&out);
	buf_free(&resp.body);
}

/* Every row of the error table has a status that http.c can name, and an answer of its own. */
static void test_errors(void **state)
{
	(void)state;
	for (int e = 0; e < ERR_COUNT; e++) {
		struct http_resp resp = {0};
		struct buf out = {0};

		http_resp_error((enum err)e, &resp);
		http_head_write(&resp, &out);
		assert_int_equal(resp.status, err_row((enum err)e)->http);
		assert_null(strstr((char *)out.p, " Status\r\n"));
		assert_int_equal(strstr((char *)out.p, "Allow: GET, HEAD, POST\r\n") != NULL, e == ERR_METHOD);
		assert_int_equal(strstr((char *)out.p, "WWW-Authenticate: TLS-Client-Certificate realm=") != NULL, resp.status == 401);
		assert_int_equal(strstr((char *)out.p, "Retry-After: ") != NULL, resp.status == 503 || resp.status == 429);
		assert_true(resp.body.n > 1 && resp.body.p[resp.body.n - 1] == '\n');
		buf_free(&resp.body);
		buf_free(&out);
	}
}

/* Never sooner than it makes sense, never much later, and never the same for those who ask one after another. */
static void test_retry(void **state)
{
	static const int seconds[] = {1, 7, 30, 60, 590, 7200};

	(void)state;
	for (size_t i = 0; i < sizeof(seconds) / sizeof(seconds[0]); i++) {
		int span = seconds[i] < 590 ? seconds[i] + 10 : 600, told[200], n = span / 3, latest = 0;

		for (int k = 0; k < n; k++) {
			told[k] = retry_spread(seconds[i]);
			assert_in_range(told[k], seconds[i], seconds[i] + span - 1);
			for (int j = 0; j < k; j++)
				assert_int_not_equal(told[j], told[k]);
			latest = told[k] > latest ? told[k] : latest;
		}
		for (int k = 0; k < span; k++) {
			int t = retry_spread(seconds[i]);

			latest = t > latest ? t : latest;
		}
		assert_true(latest >= seconds[i] + span * 3 / 4);	/* all of the span is used */
	}
}

/* --- requests ----------------------------------------------------------------------------------------------------- */

static const char *variable(void *ctx, const char *name, bool *twice)
{
	const char *const *v = ctx;

	(void)twice;
	for (; v[0] != NULL; v += 2)
		if (strcmp(v[0], name) == 0)
			return v[1];
	return NULL;
}

/* By its whole name; the first counts, and that there are more is told. */
static void test_variable_lists(void **state)
{
	const char *const envp[] = {"SSL_CLIENT_CERTX=no", "XSSL_CLIENT_CERT=no", "SSL_CLIENT_CERT=a=b", "EMPTY=", "SSL_CLIENT_CERT", "OTHER=x",
	    "SSL_CLIENT_CERT=c", NULL};
	bool twice = false;

	(void)state;
	assert_string_equal(http_var_in((void *)(uintptr_t)envp, "SSL_CLIENT_CERT", &twice), "a=b");
	assert_true(twice);
	assert_string_equal(http_var_in((void *)(uintptr_t)envp, "EMPTY", &twice), "");
	assert_false(twice);
	assert_string_equal(http_var_in((void *)(uintptr_t)envp, "OTHER", NULL), "x");
	twice = true;
	assert_null(http_var_in((void *)(uintptr_t)envp, "SSL_CLIENT", &twice));
	assert_false(twice);
}

static void test_below(void **state)
{
	(void)state;
	assert_true(url_is_below("/scep-mtls", "/scep-mtls"));
	assert_true(url_is_below("/scep-mtls", "/scep-mtls/"));
	assert_true(url_is_below("/scep-mtls", "/scep-mtls/x/pkiclient.exe"));
	assert_false(url_is_below("/scep-mtls", "/scep-mtlsx"));
	assert_false(url_is_below("/scep-mtls", "/scep"));
	assert_false(url_is_below("/scep", "/scep-mtls/x"));
	assert_false(url_is_below("/scep-mtls", ""));
	assert_false(url_is_below("/scep-mtls", "/x/scep-mtls"));
}

static void check_path(const char *script, const char *info, const char *uri, const char *want)
{
	const char *vars[8] = {0}, **v = vars;
	struct http_req req;
	struct buf path = {0};

	if (script != NULL)
		*v++ = "SCRIPT_NAME", *v++ = script;
	if (info != NULL)
		*v++ = "PATH_INFO", *v++ = info;
	if (uri != NULL)
		*v++ = "REQUEST_URI", *v++ = uri;
	http_req_read(variable, vars, &limits, &path, &req);
	assert_string_equal(req.path, want);
	buf_free(&path);
}

static void test_paths(void **state)
{
	(void)state;
	check_path("/scep", "/ra1", "/x", "/scep/ra1");
	check_path("/scep/ra1", "", NULL, "/scep/ra1");
	check_path("/scep/ra1", NULL, NULL, "/scep/ra1");
	check_path("", "/scep", NULL, "/scep");
	check_path(NULL, NULL, "/scep/ra1?operation=x", "/scep/ra1");
	check_path("", "", "/scep", "/scep");
	check_path("/scep", "/a%20b", NULL, "/scep/a b");
	check_path("/scep", "/a%2", NULL, "");
	check_path("/scep", "/a%00b", NULL, "");
	check_path(NULL, NULL, NULL, "");
}

static void test_variables(void **state)
{
	const char *none[] = {NULL}, *all[] = {"REQUEST_METHOD", "POST", "QUERY_STRING", "a=%20", "REMOTE_ADDR", "192.0.2.1", NULL};
	char query[102];
	const char *longest[] = {"QUERY_STRING", query, NULL};
	struct http_req req;
	struct buf path = {0};

	(void)state;
	http_req_read(variable, none, &limits, &path, &req);
	assert_string_equal(req.method, "");
	assert_string_equal(req.peer, "");
	assert_int_equal(req.query.n, 0);
	http_req_read(variable, all, &limits, &path, &req);
	assert_string_equal(req.method, "POST");
	assert_string_equal(req.peer, "192.0.2.1");
	assert_true(bytes_eq_str(req.query, "a=%20"));
	memset(query, 'q', sizeof(query));
	query[101] = '\0';
	http_req_read(variable, longest, &limits, &path, &req);
	assert_int_equal(req.err, ERR_QUERY_LONG);
	query[100] = '\0';
	http_req_read(variable, longest, &limits, &path, &req);
	assert_int_equal(req.err, ERR_OK);
	buf_free(&path);
}

static void test_body_check(void **state)
{
	static const struct {
		const char *length;
		size_t got;
		enum err want;
	} t[] = {
	    {NULL, 0, ERR_OK}, {"", 0, ERR_OK}, {"0", 0, ERR_OK}, {"1000", 1000, ERR_OK}, {"0001000", 1000, ERR_OK},
	    {NULL, 1000, ERR_OK}, {"", 5, ERR_OK},	/* read to its end: chunked */
	    {NULL, 1001, ERR_BODY_LARGE}, {"5", 1001, ERR_BODY_LARGE}, {"x", 1001, ERR_BODY_LARGE},
	    {"6", 5, ERR_BODY_CUT}, {"4", 5, ERR_BODY_CUT}, {"0", 5, ERR_BODY_CUT}, {"-5", 5, ERR_BODY_CUT}, {"+5", 5, ERR_BODY_CUT},
	    {" 5", 5, ERR_BODY_CUT}, {"5,5", 5, ERR_BODY_CUT}, {"18446744073709551621", 5, ERR_BODY_CUT},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(t); i++)
		assert_int_equal(http_body_check(t[i].length, t[i].got, &limits), t[i].want);
}

/* --- URLs --------------------------------------------------------------------------------------------------------- */

static void test_profile_names(void **state)
{
	static const struct {
		const char *base, *path, *want;
	} t[] = {
	    {"/scep", "/scep", "default"}, {"/scep", "/scep/", "default"}, {"/scep/", "/scep", "default"},
	    {"/scep", "/scep/pkiclient.exe", "default"}, {"/scep", "/scep/pkiclient.exe/", "default"},
	    {"/scep", "/scep//pkiclient.exe", "default"}, {"/scep", "/scep/PKICLIENT.EXE", "default"},
	    {"/scep", "/scep/ra1", "ra1"}, {"/scep", "/scep/ra1/", "ra1"}, {"/scep", "/scep/ra1/pkiclient.exe", "ra1"},
	    {"/scep", "/scep/default", "default"}, {"/scep", "/cgi-bin/pkiclient.exe", "default"},
	    {"/", "/", "default"}, {"/", "/ra1", "ra1"}, {"/", "/pkiclient.exe", "default"}, {"/a/b", "/a/b/c", "c"},
	    {"/scep", "", NULL}, {"/scep", "/", NULL}, {"/scep", "/sceptre", NULL}, {"/scep", "/sce", NULL}, {"/scep", "/Scep", NULL},
	    {"/scep", "/scep/a/b", NULL}, {"/scep", "/scep/a//pkiclient.exe", "a"}, {"/scep", "/scep/xpkiclient.exe", "xpkiclient.exe"},
	    {"/scep", "/scep/../etc", NULL}, {"/scep", "//scep", NULL}, {"/scep", "/scep//x", NULL},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(t); i++) {
		struct bytes name = {0};
		bool ours = url_profile_name(t[i].base, t[i].path, &name);

		if (ours != (t[i].want != NULL) || (ours && !bytes_eq_str(name, t[i].want)))
			fail_msg("%s under %s gives %s '%.*s'", t[i].path, t[i].base, ours ? "profile" : "nothing", (int)name.n,
			    (const char *)name.p);
	}
}

static void test_crl_names(void **state)
{
	static const struct {
		const char *base, *path, *want, *want_ca;
	} t[] = {
	    {"/scep", "/scep/ra1/crl/0a1b", "ra1", "0a1b"}, {"/scep", "/scep/crl/0a1b/", "default", "0a1b"},
	    {"/scep", "/scep/ra1/crl/a/b", NULL, NULL}, {"/scep", "/crl/0a1b", NULL, NULL},
	    {"/scep", "/scep/ra1/0a1b", NULL, NULL}, {"/scep", "/scep/ra1/crl", "ra1", NULL},
	    {"/scep", "/scep/crl", "default", NULL}, {"/scep", "/scep/ra1/crl/", "ra1", NULL},
	    {"/", "/crl", "default", NULL}, {"/", "/ra1/crl", "ra1", NULL},
	    {"/scep/", "/scep/ra1/crl", "ra1", NULL}, {"/scep", "/scep/ra1", NULL, NULL},
	    {"/scep", "/scep", NULL, NULL}, {"/scep", "/crl", NULL, NULL},
	    {"/scep", "/sceptre/crl", NULL, NULL}, {"/scep", "/scep/a/b/crl", NULL, NULL},
	    {"/scep", "/scep/a/xcrl", NULL, NULL}, {"/scep", "/scep//crl", NULL, NULL},
	    {"/a/crl", "/a/crl", NULL, NULL}, {"/a/crl", "/a/crl/crl", "default", NULL},
	    {"/scep", "", NULL, NULL},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(t); i++) {
		struct bytes name = {0}, ca = {0};
		bool ours = url_crl_name(t[i].base, t[i].path, &name, &ca);

		if (ours != (t[i].want != NULL) || (ours && !bytes_eq_str(name, t[i].want)) ||
		    (ours && !bytes_eq(ca, bytes_str(t[i].want_ca))))
			fail_msg("%s under %s gives %s '%.*s' '%.*s'", t[i].path, t[i].base, ours ? "profile" : "nothing", (int)name.n,
			    (const char *)name.p, (int)ca.n, (const char *)ca.p);
	}
}

/* What caches are told; a 304 has neither type nor length. */
static void test_head_of_what_may_be_kept(void **state)
{
	struct http_resp resp = {.status = 200, .type = "application/pkix-crl", .max_age = 600, .modified = 784111777, .etag = "\"1-00\""};
	struct buf out = {0};

	(void)state;
	http_head_write(&resp, &out);
	assert_string_equal(buf_str(&out), "Status: 200 OK\r\nContent-Type: application/pkix-crl\r\nContent-Length: 0\r\n"
	    "Cache-Control: public, max-age=600\r\nETag: \"1-00\"\r\nLast-Modified: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
	    "X-Content-Type-Options: nosniff\r\n\r\n");
	buf_cut(&out, 0);
	resp.status = 304;
	http_head_write(&resp, &out);
	assert_string_equal(buf_str(&out), "Status: 304 Not Modified\r\nCache-Control: public, max-age=600\r\nETag: \"1-00\"\r\n"
	    "Last-Modified: Sun, 06 Nov 1994 08:49:37 GMT\r\nX-Content-Type-Options: nosniff\r\n\r\n");
	buf_free(&out);
}

static void check_message(const char *query, const char *want_hex)
{
	struct buf out = {0}, hex = {0};
	struct why why = {0};
	enum err err = url_message(bytes_str(query), true, &out, &why);

	hex_encode(&hex, buf_bytes(&out));
	buf_add_str(&hex, "");
	if (err != (want_hex == NULL ? ERR_ENCODING : ERR_OK) || (want_hex != NULL && strcmp((char *)hex.p, want_hex) != 0))
		fail_msg("%s gives %s, %s", query, err_row(err)->label, (const char *)hex.p);
	assert_true(err == ERR_OK || out.n == 0);
	buf_free(&out);
	buf_free(&hex);
}

static void test_messages(void **state)
{
	(void)state;
	check_message("operation=PKIOperation&message=MPv%2F%2Bw%3D%3D", "30fbfffb");
	check_message("message=MPv/+w==&operation=PKIOperation", "30fbfffb");	/* raw */
	check_message("message=MPv/ w==", "30fbfffb");				/* '+' as blank */
	check_message("message=MPv/%20w==", "30fbfffb");
	check_message("message=MPv/%0A%2Bw==%0A", "30fbfffb");			/* sscep's line ends */
	check_message("message=MPv/%0D%0A%2Bw", "30fbfffb");			/* no padding */
	check_message("message=MPv_-w", "30fbfffb");				/* base64url */
	check_message("message=", "");
	check_message("message", "");
	check_message("message=AAAA&message=BBBB", "000000");			/* the first one counts */
	check_message("xmessage=AAAA", NULL);
	check_message("", NULL);
	check_message("message=A", NULL);
	check_message("message=AA*A", NULL);
	check_message("message=%252B", NULL);					/* decoded once */
	check_message("message=AAAA%", NULL);
	check_message("message=AAAA%4", NULL);
	check_message("message=AAAA%zz", NULL);
	check_message("message=AAAA%00", NULL);
}

static void test_standard_base64_only(void **state)
{
	static const char *const bad[] = {"message=MTIz NA==", "message=MTIzNA", "message=MTIz%0ANA%3D%3D", "message=-_8="};
	struct buf out = {0};

	(void)state;
	assert_int_equal(url_message(bytes_str("message=%2B/8%3D"), false, &out, NULL), ERR_OK);
	assert_true(bytes_eq_str(buf_bytes(&out), "\xfb\xff"));
	buf_free(&out);
	for (size_t i = 0; i < COUNT(bad); i++) {
		assert_int_equal(url_message(bytes_str(bad[i]), false, &out, NULL), ERR_ENCODING);
		assert_int_equal(out.n, 0);
		buf_free(&out);
	}
}

static void test_ca_identifiers(void **state)
{
	char office[] = "OFFICE", blank[] = "Office%20CA", *list[] = {office, blank, NULL};

	(void)state;
	assert_true(url_names_ca(bytes_str("operation=x&message=whatever"), NULL));
	assert_true(url_names_ca(bytes_str("operation=x"), list));
	assert_true(url_names_ca(bytes_str("message=&operation=x"), list));
	assert_true(url_names_ca(bytes_str("message=OFFICE"), list));
	assert_true(url_names_ca(bytes_str("message=%4fFFICE"), list));
	assert_true(url_names_ca(bytes_str("message=Office%20CA"), list));
	assert_false(url_names_ca(bytes_str("message=office"), list));
	assert_false(url_names_ca(bytes_str("message=OFFICE%"), list));
	assert_false(url_names_ca(bytes_str("message=OFFICE2"), list));
}

static void check_text(const char *body, const char *want)
{
	struct buf out = {0};

	buf_add_str(&out, "x");
	assert_int_equal(body_from_text(bytes_str(body), &out), want != NULL);
	assert_true(bytes_eq_str(bytes_cut(buf_bytes(&out), 1, out.n), want != NULL ? want : ""));
	buf_free(&out);
}

static void test_bodies_of_text(void **state)
{
	(void)state;
	check_text("MAMCAQU=", "0\x03\x02\x01\x05");
	check_text("\r\n MAMC\r\nAQU=\n", "0\x03\x02\x01\x05");
	check_text("MAMCAQU", "0\x03\x02\x01\x05");
	check_text("-----BEGIN ANY-----\nMAMCAQU=\n-----END ANY-----\n", "0\x03\x02\x01\x05");
	check_text("-----BEGIN ANY-----\nMAMCAQU=\n", NULL);
	check_text("0\x03\x02\x01\x05", NULL);	/* is DER */
	check_text("AAAA", NULL);		/* decodes to nothing of ours */
	check_text("M!", NULL);
	check_text(" \n", NULL);
	check_text("", NULL);
	assert_true(body_is_pki_message("Application/X-PKI-Message; charset=x"));
	assert_false(body_is_pki_message("application/x-pki-messages"));
	assert_false(body_is_pki_message(""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_variable_lists), cmocka_unit_test(test_below),
	    cmocka_unit_test(test_head), cmocka_unit_test(test_errors), cmocka_unit_test(test_retry), cmocka_unit_test(test_paths), cmocka_unit_test(test_variables),
	    cmocka_unit_test(test_body_check), cmocka_unit_test(test_profile_names), cmocka_unit_test(test_crl_names),
	    cmocka_unit_test(test_head_of_what_may_be_kept), cmocka_unit_test(test_messages),
	    cmocka_unit_test(test_standard_base64_only), cmocka_unit_test(test_ca_identifiers), cmocka_unit_test(test_bodies_of_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
