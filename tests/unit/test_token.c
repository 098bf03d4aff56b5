/* Keys in a PKCS#11 token: SoftHSM2, with a token of our own in a temporary folder. Skipped where it is not installed. */
#include "unit.h"

#include "data.h"
#include "pki/key.h"
#include "run.h"

#define PIN "4711"

static const char *const modules[] = {"/usr/lib/softhsm/libsofthsm2.so", "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so",
				      "/usr/lib64/pkcs11/libsofthsm2.so", NULL};

static const struct key_limits usual = {2048, 8192};
static const struct bytes text = {(const uint8_t *)"what is signed", 14};
static char *folder, *log_file;
static const char *module;

static char *in_folder(const char *name)
{
	return mem_printf("%s/%s", folder, name);
}

static void write_file(const char *name, const char *content, mode_t mode)
{
	char *path = in_folder(name);

	assert_int_equal(file_write(path, bytes_str(content), mode, true, NULL), ERR_OK);
	free(path);
}

static void import(const char *key_file, const char *label, const char *id)
{
	char *path = mem_printf("%s/good/key/%s", TEST_DATA, key_file);

	run_ok(log_file, (const char *const[]){"softhsm2-util", "--import", path, "--token", "scepter", "--label", label, "--id", id,
					       "--pin", PIN, NULL});
	free(path);
}

static int make_token(void **state)
{
	char *conf, *text_conf;

	(void)state;
	for (const char *const *m = modules; *m != NULL && module == NULL; m++)
		module = access(*m, R_OK) == 0 ? *m : NULL;
	folder = run_folder();
	log_file = in_folder("log");
	if (module == NULL)
		return 0;
	conf = in_folder("softhsm2.conf");
	text_conf = mem_printf("directories.tokendir = %s\nobjectstore.backend = file\nlog.level = ERROR\n", folder);
	write_file("softhsm2.conf", text_conf, 0600);
	setenv("SOFTHSM2_CONF", conf, 1);
	run_ok(log_file, (const char *const[]){"softhsm2-util", "--init-token", "--free", "--label", "scepter", "--so-pin", "12345678",
					       "--pin", PIN, NULL});
	import("rsa-pkcs8.pem", "ra", "01");
	import("ec-pkcs8.pem", "ca", "02");
	write_file("pin", PIN "\n", 0600);
	write_file("wrong-pin", "0815\n", 0600);
	write_file("open-pin", PIN "\n", 0644);
	write_file("empty-pin", "\n", 0600);
	free(conf);
	free(text_conf);
	return 0;
}

static int remove_token(void **state)
{
	(void)state;
	free(log_file);
	run_remove(folder);
	return 0;
}

/* Opens the object of that label with a PIN file of the folder (NULL: none). */
static enum err open_key(const char *object, const char *pin_name, struct key **key, struct why *why)
{
	char *uri = mem_printf("pkcs11:token=scepter;%s?module-path=%s", object, module), *pin = NULL;
	enum err err;

	if (pin_name != NULL)
		pin = in_folder(pin_name);
	err = key_open(uri, pin, key, why);
	free(uri);
	free(pin);
	return err;
}

static struct key *opened(const char *object)
{
	struct key *key = NULL;
	struct why why = {0};

	if (module == NULL)
		skip();
	if (open_key(object, "pin", &key, &why) != ERR_OK)
		fail_msg("%s", why.text);
	return key;
}

static void signs(const struct key *key, enum sig_scheme scheme)
{
	struct pubkey *pub = NULL;
	struct buf sig = {0};
	struct why why = {0};

	assert_int_equal(pubkey_import(key_spki(key), &usual, &pub, NULL), ERR_OK);
	if (key_sign_as(key, scheme, digest_row(DIGEST_SHA256), text, &sig, &why) != ERR_OK ||
	    pubkey_verify(pub, scheme, digest_row(DIGEST_SHA256), text, buf_bytes(&sig), &why) != ERR_OK)
		fail_msg("%s", why.text);
	buf_free(&sig);
	pubkey_free(pub);
}

/* The token's keys are the files': same public part, and they sign. */
static void keys_in_a_token_sign(void **state)
{
	struct key *rsa = opened("object=ra"), *ec = opened("id=%02"), *file = NULL;
	struct buf pem = data_read("good/key/rsa-pkcs8.pem"), out = {0};

	(void)state;
	assert_int_equal(key_from_pem(buf_bytes(&pem), &file, NULL), ERR_OK);
	assert_true(bytes_eq(key_spki(rsa), key_spki(file)));
	assert_int_equal(key_kind(ec).curve, GNUTLS_ECC_CURVE_SECP256R1);
	signs(rsa, SIG_RSA_PKCS1);
	signs(rsa, SIG_RSA_PSS);
	signs(ec, SIG_ECDSA);
	assert_int_equal(key_export_pem(rsa, &out, NULL), ERR_KEY);
	assert_int_equal(out.n, 0);
	buf_free(&pem);
	key_free(file);
	key_free(rsa);
	key_free(ec);
}

static void unwraps(const struct key *key)
{
	struct pubkey *pub = NULL;
	struct buf wrapped = {0};
	uint8_t out[16] = {0};

	assert_int_equal(pubkey_import(key_spki(key), &usual, &pub, NULL), ERR_OK);
	assert_int_equal(pubkey_wrap(pub, BYTES_LIT("sixteen octets!!"), &wrapped, NULL), ERR_OK);
	assert_int_equal(key_unwrap(key, buf_bytes(&wrapped), out, sizeof(out), NULL), ERR_OK);
	assert_memory_equal(out, "sixteen octets!!", 16);
	buf_free(&wrapped);
	pubkey_free(pub);
}

/* One ciphertext that is too short left the session dead for good before its length was checked (P-196). */
static void hostile_ciphertexts_do_not_wedge_the_token(void **state)
{
	static const size_t lengths[] = {0, 1, 255, 257, 512};
	struct key *key = opened("object=ra");
	uint8_t block[512], out[16];

	(void)state;
	memset(block, 0x11, sizeof(block));
	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		assert_int_equal(key_unwrap(key, bytes_of(block, lengths[i]), out, sizeof(out), NULL), ERR_RECIPIENT);
		unwraps(key);
	}
	for (int fill = 0; fill < 256; fill += 51) {	/* 0: c = 0; 255: c above the modulus */
		memset(block, fill, sizeof(block));
		memset(out, 0xa5, sizeof(out));
		assert_int_equal(key_unwrap(key, bytes_of(block, 256), out, sizeof(out), NULL), ERR_OK);
		assert_true(out[0] == 0xa5 && out[15] == 0xa5);
		unwraps(key);
		signs(key, SIG_RSA_PKCS1);
	}
	key_free(key);
}

/* The parent has opened and used the key; children log in by themselves. */
static void keys_work_after_fork(void **state)
{
	struct key *key = opened("object=ra");

	(void)state;
	signs(key, SIG_RSA_PKCS1);
	for (int i = 0; i < 2; i++) {
		pid_t pid = fork();
		int status;

		if (pid == 0) {
			struct buf sig = {0};
			struct key *again = NULL;

			if (key_sign(key, digest_row(DIGEST_SHA256), text, &sig, NULL) != ERR_OK)
				_exit(1);
			_exit(open_key("object=ca", "pin", &again, NULL) == ERR_OK ? 0 : 2);
		}
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_int_equal(status, 0);
	}
	signs(key, SIG_RSA_PKCS1);
	key_free(key);
}

/* Each mistake is named, and no sentence holds a PIN. */
static void mistakes_are_named(void **state)
{
	static const struct {
		const char *object, *pin_name, *words;
		enum err err;
	} rows[] = {
	    {"object=ra", "wrong-pin", "is wrong", ERR_KEY},
	    {"object=ra", NULL, "pin_file", ERR_KEY},
	    {"object=ra", "open-pin", "chmod 600", ERR_FILE},
	    {"object=ra", "empty-pin", "empty first line", ERR_FILE},
	    {"object=ra", "no-such-file", "no-such-file", ERR_FILE},
	    {"object=nobody", "pin", "no private key", ERR_KEY},
	    {"manufacturer=nobody", "pin", "no token matches", ERR_KEY},
	};
	static const char *const uris[][2] = {
	    {"pkcs11:token=x?module-path=/no/such.so", "/no/such.so"},
	    {"pkcs11:token=other?x-any=1", "no token matches 'pkcs11:token=other'"},
	    {"pkcs11:token=%zz?x-any=1", "not a PKCS#11 URI"},
	};
	struct key *key = NULL;
	struct why why = {0};

	(void)state;
	key_free(opened("object=ra"));
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (open_key(rows[i].object, rows[i].pin_name, &key, &why) != rows[i].err || key != NULL || why.err != rows[i].err ||
		    strstr(why.text, rows[i].words) == NULL || strstr(why.text, "0815") != NULL)
			fail_msg("%s, %s: %s", rows[i].object, rows[i].pin_name, why.text);
	}
	for (size_t i = 0; i < sizeof(uris) / sizeof(uris[0]); i++) {
		char *uri = mem_printf("%s&pin-value=" PIN "&module-path=%s", uris[i][0], module);

		assert_int_equal(key_open(uri, NULL, &key, &why), ERR_KEY);
		if (strstr(why.text, uris[i][1]) == NULL || strstr(why.text, PIN) != NULL)
			fail_msg("%s", why.text);
		free(uri);
	}
}

/* A wrong PIN is tried once, not until the token locks: SoftHSM's own count is not shown, so the right one must still work. */
static void wrong_pins_do_not_lock_the_token(void **state)
{
	struct key *key = NULL;

	(void)state;
	key_free(opened("object=ra"));
	for (int i = 0; i < 5; i++)
		assert_int_equal(open_key("object=ra", "wrong-pin", &key, NULL), ERR_KEY);
	key_free(opened("object=ra"));
}

static void pin_may_stand_in_the_uri(void **state)
{
	struct key *key = NULL;
	struct why why = {0};
	char *uri;

	(void)state;
	if (module == NULL)
		skip();
	uri = mem_printf("pkcs11:token=scepter;object=ra?module-path=%s&pin-value=" PIN, module);
	if (key_open(uri, NULL, &key, &why) != ERR_OK)
		fail_msg("%s", why.text);
	signs(key, SIG_RSA_PKCS1);
	key_free(key);
	key = NULL;
	free(uri);
	uri = mem_printf("pkcs11:token=scepter;object=ra?module-path=%s&pin-value=0815", module);
	assert_int_equal(key_open(uri, NULL, &key, &why), ERR_KEY);
	assert_null(strstr(why.text, "0815"));
	free(uri);
}

/* In a process of its own, since the first key decides which modules are loaded. */
static void modules_may_come_from_p11_kit(void **state)
{
	const char *uri = "pkcs11:token=scepter;object=ra?pin-value=" PIN;
	struct key *key = NULL;
	struct why why = {0};
	pid_t pid;
	int status;

	(void)state;
	if (module == NULL)
		skip();
	key = opened("object=ra");	/* with module-path */
	key_free(key);
	key = NULL;
	assert_int_equal(key_open(uri, NULL, &key, &why), ERR_KEY);
	assert_true(strstr(why.text, "module-path") != NULL && strstr(why.text, PIN) == NULL);
	if ((pid = fork()) == 0) {
		execl("/proc/self/exe", "test_token", uri, (char *)NULL);
		_exit(127);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

/* test_token URI: opens it and nothing else. */
static int open_only(const char *uri)
{
	struct key *key = NULL;
	struct why why = {0};
	enum err err = key_open(uri, NULL, &key, &why);

	if (err != ERR_OK)
		fprintf(stderr, "%s\n", why.text);
	key_free(key);
	return err != ERR_OK;
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(keys_in_a_token_sign),
	    cmocka_unit_test(hostile_ciphertexts_do_not_wedge_the_token),
	    cmocka_unit_test(keys_work_after_fork),
	    cmocka_unit_test(mistakes_are_named),
	    cmocka_unit_test(wrong_pins_do_not_lock_the_token),
	    cmocka_unit_test(pin_may_stand_in_the_uri),
	    cmocka_unit_test(modules_may_come_from_p11_kit),
	};

	if (argc > 1)
		return open_only(argv[1]);
	return cmocka_run_group_tests_name("token", tests, make_token, remove_token);
}
