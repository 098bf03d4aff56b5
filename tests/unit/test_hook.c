/* What a web hook and a command are asked and answer, as JSON; the signature; the command's life. */
#include "unit.h"

#include <json-c/json.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "auth/command.h"
#include "auth/hook_json.h"
#include "auth/webhook.h"
#include "base/file.h"
#include "base/codec.h"
#include "base/mem.h"
#include "pki/der.h"
#include "pki/name.h"

/* --- the question ------------------------------------------------------------------------------------------------- */

static struct csr *make_csr(const char *challenge)
{
	struct buf subject = {0}, san = {0}, der = {0};
	struct key *key = NULL;
	struct csr *csr = NULL;
	size_t at = der_open(&san);

	assert_int_equal(key_generate("ec:p256", &key, NULL), ERR_OK);
	assert_int_equal(name_parse("CN=device", &subject, NULL), ERR_OK);
	assert_int_equal(san_parse("dns:a.example", &san, NULL), ERR_OK);
	assert_int_equal(san_parse("ip:192.0.2.1", &san, NULL), ERR_OK);
	der_close(&san, at, DER_SEQUENCE);
	assert_int_equal(csr_build(key, buf_bytes(&subject), challenge, buf_bytes(&san), &der, NULL), ERR_OK);
	assert_int_equal(csr_parse(buf_bytes(&der), &csr, NULL), ERR_OK);
	key_free(key);
	buf_free(&subject);
	buf_free(&san);
	buf_free(&der);
	return csr;
}

static struct json_object *written(const struct hook_event *e)
{
	struct json_object *o;
	struct buf text = {0};

	hook_event_write(e, &text);
	o = json_tokener_parse(buf_str(&text));
	assert_non_null(o);
	buf_free(&text);
	return o;
}

static struct json_object *member(struct json_object *o, const char *name)
{
	struct json_object *v;

	if (!json_object_object_get_ex(o, name, &v))
		fail_msg("no member %s", name);
	return v;
}

#define assert_text(o, name, text) assert_string_equal(json_object_get_string(member(o, name)), text)

static struct csr *csr_in(struct json_object *o)
{
	struct csr *csr = NULL;
	struct buf der = {0};

	assert_true(base64_decode(&der, bytes_str(json_object_get_string(member(o, "csr")))));
	assert_int_equal(csr_parse(buf_bytes(&der), &csr, NULL), ERR_OK);
	buf_free(&der);
	return csr;
}

static void tells_a_judge_the_challenge(void **state)
{
	struct csr *csr = make_csr("s3cret"), *sent;
	struct values values = {0};
	struct hook_event e = {.id = "1", .judges = true, .profile = "p", .transaction = "t", .source = "192.0.2.7", .message = "PKCSReq",
	    .time = 1800000000, .subject = "CN=x", .device = "d", .csr = csr, .key = {.type = KEY_EC, .bits = 256}, .values = &values};
	struct json_object *o;

	(void)state;
	values_add(&values, "tls", "cn", bytes_str("one"));
	values_add(&values, "tls", "cn", bytes_str("two"));
	o = written(&e);
	assert_text(o, "challenge", "s3cret");
	assert_text(o, "time", "2027-01-15T08:00:00Z");
	assert_text(o, "role", "challenge");
	assert_text(o, "sans", "[ \"DNS:a.example\", \"IP:192.0.2.1\" ]");
	assert_text(member(o, "values"), "tls.cn", "[ \"one\", \"two\" ]");
	assert_text(member(o, "key"), "type", "EC");
	assert_null(member(o, "renewal"));
	assert_null(member(o, "accepted_by"));
	assert_null(member(o, "tls_client"));
	sent = csr_in(o);
	assert_true(bytes_eq(buf_bytes(&sent->der), buf_bytes(&csr->der)));
	csr_free(sent);
	json_object_put(o);
	values_free(&values);
	csr_free(csr);
}

static void hides_the_challenge_from_others(void **state)
{
	struct csr *csr = make_csr("s3cret"), *sent;
	struct cert client = {.subject = csr->subject};
	struct hook_event e = {.id = "1", .profile = "p", .transaction = "t", .source = "", .message = "PKCSReq", .light = true, .subject = "",
	    .device = "", .csr = csr, .key = {.type = KEY_EC, .bits = 256}, .accepted_by = "static challenge", .tls_client = &client};
	struct json_object *o = written(&e);

	(void)state;
	assert_false(json_object_object_get_ex(o, "challenge", NULL));
	assert_text(o, "accepted_by", "static challenge");
	assert_text(o, "tls_client", "CN=device");
	assert_text(o, "message", "PKCS10");
	sent = csr_in(o);
	assert_string_equal(buf_str(&sent->challenge), "******");
	assert_int_equal(sent->der.n, csr->der.n);
	assert_true(bytes_eq(sent->spki, csr->spki));
	csr_free(sent);
	json_object_put(o);
	csr_free(csr);
}

static void says_when_there_is_no_challenge(void **state)
{
	struct csr *csr = make_csr(NULL);
	struct hook_event e = {.id = "1", .judges = true, .profile = "p", .transaction = "t", .source = "", .message = "PKCSReq", .subject = "",
	    .device = "", .csr = csr, .key = {.type = KEY_EC, .bits = 256}};
	struct json_object *o = written(&e);

	(void)state;
	assert_null(member(o, "challenge"));
	json_object_put(o);
	csr_free(csr);
}

/* --- the answer --------------------------------------------------------------------------------------------------- */

#define LONG_NAME "nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn"

/* What is no answer, and what the sentence says of it. */
static const struct {
	const char *json, *word;
} bad[] = {
    {"", "empty"},
    {" ", "not JSON"},
    {"allow", "not JSON"},
    {"{\"decision\": \"deny\", \"decision\": \"allow\"}", "twice"},
    {"[]", "not a JSON object"},
    {"{}", "missing"},
    {"{\"reason\": \"x\"}", "missing"},
    {"{\"decision\": \"allow\"", "not JSON"},
    {"{\"decision\": \"allow\"} {}", "not JSON"},
    {"{\"decision\": \"allow\",}", "not JSON"},
    {"{'decision': 'allow'}", "not JSON"},
    {"{\"decision\": \"allow\" /* or not */}", "not JSON"},
    {"{\"decision\": \"allow\", \"reason\": \"\xfc\"}", "not JSON"},
    {"{\"decision\": \"ALLOW\"}", "'ALLOW', not allow"},
    {"{\"decision\": \"allow\\u0000\"}", "not JSON"},
    {"{\"decision\\u0000x\": \"allow\"}", "not JSON"},
    {"{\"decision\": \"\"}", "not allow"},
    {"{\"decision\": true}", "not a text"},
    {"{\"decision\": null}", "not a text"},
    {"{\"decision\": [\"allow\"]}", "not a text"},
    {"{\"decision\": \"allow\", \"version\": 2}", "\"version\" is not 1"},
    {"{\"decision\": \"allow\", \"version\": \"1\"}", "\"version\" is not 1"},
    {"{\"decision\": \"deny\", \"reason\": 7}", "\"reason\" is not a text"},
    {"{\"decision\": \"allow\", \"value\": {}}", "no member 'value'"},
    {"{\"decision\": \"allow\", \"values\": []}", "not an object"},
    {"{\"decision\": \"allow\", \"values\": {\"a\": 1}}", "'a' is neither"},
    {"{\"decision\": \"allow\", \"values\": {\"a\": null}}", "'a' is neither"},
    {"{\"decision\": \"allow\", \"values\": {\"a\": {}}}", "'a' is neither"},
    {"{\"decision\": \"allow\", \"values\": {\"a\": [[\"x\"]]}}", "'a' is neither"},
    {"{\"decision\": \"allow\", \"values\": {\"\": \"x\"}}", "not a name"},
    {"{\"decision\": \"allow\", \"values\": {\"a.b\": \"x\"}}", "not a name"},
    {"{\"decision\": \"allow\", \"values\": {\"a}\": \"x\"}}", "not a name"},
    {"{\"decision\": \"allow\", \"values\": {\"a\": \"line\\nline\"}}", "control"},
    {"{\"decision\": \"allow\", \"values\": {\"a\": \"good\\u202elive\"}}", "control"},
    {"{\"decision\": \"allow\", \"values\": {\"a\": \"\\u009b31m\"}}", "control"},
    {"\xef\xbb\xbf{\"decision\": \"allow\"}", "byte order mark"},
    {"{\"decision\": \"allow\", \"values\": {\"" LONG_NAME "\": \"x\"}}", "too long"},
    {"{\"decision\": \"allow\", \"values\": {\"b\": \"x\", \"a\": 1}}", "'a' is neither"},
    {"{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":1}}}}}}}}}", "not JSON"},
};

static void refuses_bad_answers(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct hook_answer answer = {.decision = HOOK_DENY, .reason = "untouched"};
		struct values values = {0};
		struct why why = {0};

		values_add(&values, "tls", "cn", bytes_str("before"));
		print_message("# %s\n", bad[i].json);
		assert_int_equal(hook_answer_read(bytes_str(bad[i].json), "hook", &values, &answer, &why), ERR_HOOK);
		if (strstr(why.text, bad[i].word) == NULL)
			fail_msg("'%s' does not say '%s'", why.text, bad[i].word);
		assert_string_equal(answer.reason, "untouched");
		assert_int_equal(values.n, 1);
		values_free(&values);
	}
}

static void reads_answers(void **state)
{
	static const char json[] = " {\"version\": 1, \"decision\": \"pending\", \"reason\": \"two\\nlines \xc3\xbc\", "
				   "\"values\": {\"site\": \"Ulm\", \"group\": [\"a\", \"b\"], \"none\": []}}\n";
	struct hook_answer answer;
	struct values values = {0};

	(void)state;
	assert_int_equal(hook_answer_read(BYTES_LIT("{\"decision\":\"allow\"}"), "hook", &values, &answer, NULL), ERR_OK);
	assert_int_equal(answer.decision, HOOK_ALLOW);
	assert_string_equal(answer.reason, "");
	assert_int_equal(hook_answer_read(BYTES_LIT("{\"decision\":\"deny\"}"), "hook", &values, &answer, NULL), ERR_OK);
	assert_int_equal(answer.decision, HOOK_DENY);
	assert_int_equal(hook_answer_read(BYTES_LIT(json), "command", &values, &answer, NULL), ERR_OK);
	assert_int_equal(answer.decision, HOOK_PENDING);
	assert_string_equal(answer.reason, "two lines \xc3\xbc");
	assert_int_equal(values.n, 3);
	assert_string_equal(values_get(&values, "command.site", 0), "Ulm");
	assert_string_equal(values_get(&values, "command.group", 1), "b");
	values_free(&values);
}

/* Never in the middle of a character, which the database would not take. */
static void cuts_long_reasons(void **state)
{
	(void)state;
	for (size_t lead = 0; lead < 4; lead++) {
		struct hook_answer answer;
		struct values values = {0};
		struct buf json = {0};

		buf_add_str(&json, "{\"decision\":\"deny\",\"reason\":\"");
		buf_printf(&json, "%.*s", (int)lead, "xxx");
		for (int i = 0; i < 200; i++)
			buf_add_str(&json, "\xe2\x82\xac");	/* three octets each */
		buf_add_str(&json, "\"}");
		assert_int_equal(hook_answer_read(buf_bytes(&json), "hook", &values, &answer, NULL), ERR_OK);
		assert_int_equal((strlen(answer.reason) - lead) % 3, 0);
		assert_in_range(strlen(answer.reason), HOOK_REASON_MAX - 3, HOOK_REASON_MAX);
		buf_free(&json);
	}
}

static void refuses_large_answers(void **state)
{
	struct hook_answer answer;
	struct values values = {0};
	struct buf json = {0};
	struct why why;

	(void)state;
	buf_add_str(&json, "{\"decision\":\"allow\"}");
	while (json.n < HOOK_ANSWER_MAX)
		buf_add_byte(&json, ' ');
	assert_int_equal(hook_answer_read(buf_bytes(&json), "hook", &values, &answer, &why), ERR_OK);
	buf_add_byte(&json, ' ');
	assert_int_equal(hook_answer_read(buf_bytes(&json), "hook", &values, &answer, &why), ERR_HOOK);
	buf_free(&json);
}

/* --- loading ------------------------------------------------------------------------------------------------------ */

static char folder[] = "/tmp/scepter-hook-XXXXXX";

static char *put_file(const char *name, const char *text, mode_t mode)
{
	char *path = mem_printf("%s/%s", folder, name);

	assert_int_equal(file_write(path, bytes_str(text), mode, true, NULL), ERR_OK);
	assert_int_equal(chmod(path, mode), 0);
	return path;
}

static void assert_loads(const struct webhook_conf *conf, enum err err, const char *at, const char *word)
{
	struct webhook *hook = NULL;
	struct why why = {0};
	const char *key;

	assert_int_equal(webhook_load(conf, &hook, &key, &why), err);
	assert_true(err == ERR_OK || strcmp(key, at) == 0);
	if (strstr(why.text, word) == NULL)
		fail_msg("'%s' does not say '%s'", why.text, word);
	assert_int_equal(hook != NULL, err == ERR_OK);
	webhook_free(hook);
}

static void loads_what_it_needs(void **state)
{
	struct webhook_conf conf = {.url = (char *)"https://mdm.example.com/scepter"};

	(void)state;
	assert_loads(&conf, ERR_OK, "", "");
	conf.secret_file = put_file("secret", "0123456789abcdef\n", 0600);
	assert_loads(&conf, ERR_OK, "", "");
	free(conf.secret_file);
	conf.secret_file = put_file("secret", "0123456789abcde\n\n", 0600);
	assert_loads(&conf, ERR_CONFIG, "secret_file", "holds 15 octets");
	free(conf.secret_file);
	conf.secret_file = put_file("secret", "0123456789abcdef", 0640);
	assert_loads(&conf, ERR_FILE, "secret_file", "chmod 600");
	unlink(conf.secret_file);
	assert_loads(&conf, ERR_FILE, "secret_file", "cannot open");
	free(conf.secret_file);
	conf.secret_file = NULL;
	conf.ca_file = (char *)"/nonexistent/ca.pem";
	assert_loads(&conf, ERR_FILE, "ca_file", "/nonexistent/ca.pem");
	conf.ca_file = put_file("ca", "no certificate\n", 0644);
	assert_loads(&conf, ERR_CERT, "ca_file", "holds no certificate in PEM");
	free(conf.ca_file);
	conf.ca_file = put_file("ca", "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n", 0644);
	assert_loads(&conf, ERR_SYNTAX, "ca_file", "/ca'");
	unlink(conf.ca_file);
	free(conf.ca_file);
	conf.ca_file = (char *)"/etc/ssl/certs/ca-certificates.crt";	/* more than anybody reads at once */
	if (access(conf.ca_file, R_OK) == 0)
		assert_loads(&conf, ERR_OK, "", "");
	conf.ca_file = NULL;
	conf.client_key = put_file("key", "x", 0644);
	assert_loads(&conf, ERR_FILE, "client_key", "chmod 600");
	unlink(conf.client_key);
	free(conf.client_key);
}

/* --- the signature ------------------------------------------------------------------------------------------------ */

/* By: printf '1800000000.{"a":1}' | openssl dgst -sha256 -hmac key */
static void signs(void **state)
{
	struct buf out = {0};

	(void)state;
	webhook_sign(BYTES_LIT("key"), 1800000000, BYTES_LIT("{\"a\":1}"), &out);
	assert_string_equal(buf_str(&out), "t=1800000000,v1=7330c9cf7d886970cbebbbb5494c04d2aeff06a990adb7d7a75abfeb0159d291");
	buf_free(&out);
}

/* --- the command -------------------------------------------------------------------------------------------------- */

static char *script(const char *text, mode_t mode)
{
	char *all = mem_printf("#!/bin/sh\n%s\n", text), *path = put_file("command", all, mode);

	free(all);
	return path;
}

static void checks_the_file(void **state)
{
	static const struct {
		mode_t mode;
		enum err err;
	} modes[] = {{0755, ERR_OK}, {0700, ERR_OK}, {0644, ERR_FILE}, {0775, ERR_FILE}, {0757, ERR_FILE}};
	struct why why;

	(void)state;
	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		char *path = script("exit 0", modes[i].mode);

		assert_int_equal(command_check(path, &why), modes[i].err);
		free(path);
	}
	assert_int_equal(command_check(folder, &why), ERR_FILE);
	assert_int_equal(command_check("/nonexistent/command", &why), ERR_FILE);
	assert_int_equal(command_check("command", &why), ERR_FILE);
}

static enum err run_script(const char *text, long timeout_ms, struct bytes input, struct buf *answer, struct why *why)
{
	char *path = script(text, 0755);
	enum err err = command_run(path, timeout_ms, input, answer, why);

	free(path);
	return err;
}

static void runs(void **state)
{
	struct buf answer = {0}, large = {0};
	struct why why;

	(void)state;
	assert_int_equal(run_script("tr a-z A-Z", 60000, BYTES_LIT("hello"), &answer, &why), ERR_OK);
	assert_string_equal(buf_str(&answer), "HELLO");
	buf_cut(&answer, 0);
	buf_grow(&large, (size_t)1 << 20);	/* more than a pipe holds */
	assert_int_equal(run_script("wc -c", 60000, buf_bytes(&large), &answer, &why), ERR_OK);
	assert_string_equal(buf_str(&answer), "1048576\n");
	buf_cut(&answer, 0);
	assert_int_equal(run_script("echo yes", 60000, buf_bytes(&large), &answer, &why), ERR_OK);	/* it does not read */
	assert_string_equal(buf_str(&answer), "yes\n");
	buf_free(&answer);
	buf_free(&large);
}

/* Not all that a process has open is marked: libraries forget it. */
static void gets_none_of_our_descriptors(void **state)
{
	int fd = dup2(STDERR_FILENO, 9);
	struct buf answer = {0};
	struct why why;

	(void)state;
	assert_int_equal(run_script("test ! -e /proc/$$/fd/$(cat)", 60000, BYTES_LIT("9"), &answer, &why), ERR_OK);
	buf_free(&answer);
	close(fd);
}

static void says_why_it_failed(void **state)
{
	static const struct {
		const char *text, *word;
	} scripts[] = {
	    {"echo first >&2; echo second >&2; exit 3", "exit code 3; it said: first"},
	    {"kill -TERM $$", "killed by signal 15; it said: nothing"},
	    {"sleep 100", "did not end within 'timeout' in [command], which is 300 ms"},
	    {"exec </dev/null >&- 2>&-; sleep 100", "did not end within"},
	    {"cat /dev/zero", "more than 64 KiB"},
	};
	struct buf answer = {0};
	struct why why;

	(void)state;
	for (size_t i = 0; i < sizeof(scripts) / sizeof(scripts[0]); i++) {
		assert_int_equal(run_script(scripts[i].text, i == 2 || i == 3 ? 300 : 60000, BYTES_LIT("x"), &answer, &why), ERR_HOOK);
		if (strstr(why.text, scripts[i].word) == NULL)
			fail_msg("'%s' does not say '%s'", why.text, scripts[i].word);
	}
	assert_int_equal(answer.n, 0);
	assert_int_equal(command_run("/nonexistent/command", 1000, BYTES_LIT("x"), &answer, &why), ERR_HOOK);
	assert_non_null(strstr(why.text, "cannot be run"));
}

static int set_up(void **state)
{
	(void)state;
	signal(SIGPIPE, SIG_IGN);
	return mkdtemp(folder) == NULL ? -1 : 0;
}

static int tear_down(void **state)
{
	char *path = mem_printf("%s/command", folder);

	(void)state;
	unlink(path);
	rmdir(folder);
	free(path);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(tells_a_judge_the_challenge),
	    cmocka_unit_test(hides_the_challenge_from_others),
	    cmocka_unit_test(says_when_there_is_no_challenge),
	    cmocka_unit_test(refuses_bad_answers),
	    cmocka_unit_test(reads_answers),
	    cmocka_unit_test(cuts_long_reasons),
	    cmocka_unit_test(refuses_large_answers),
	    cmocka_unit_test(loads_what_it_needs),
	    cmocka_unit_test(signs),
	    cmocka_unit_test(checks_the_file),
	    cmocka_unit_test(runs),
	    cmocka_unit_test(gets_none_of_our_descriptors),
	    cmocka_unit_test(says_why_it_failed),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
