/* The trust anchors of a profile, at start and at a reload: what cannot be used then leaves the ones before it in use. */
#include "unit.h"

#include <stdio.h>
#include <unistd.h>

#include "ca/signed.h"
#include "pki/cert.h"
#include "pki/name.h"
#include "token.h"

static struct {
	char dir[64];
	char *file;
	struct key *key, *other;
} shared;

static void write_cert(const struct key *key, time_t until)
{
	struct cert_spec spec = {.serial = BYTES_LIT("\x01"), .spki = key_spki(key), .digest = digest_row(DIGEST_SHA256), .path_len = -1,
	    .not_before = NOW - 10000, .not_after = until};
	struct buf name = {0}, der = {0}, pem = {0};

	assert_int_equal(name_parse("CN=issuer", &name, NULL), ERR_OK);
	spec.subject = spec.issuer = buf_bytes(&name);
	assert_int_equal(cert_build(&spec, key, &der, NULL), ERR_OK);
	pem_write(&pem, "CERTIFICATE", buf_bytes(&der));
	token_write_file(shared.file, &pem);
	buf_free(&name);
	buf_free(&der);
	buf_free(&pem);
}

static bool trusts(const struct profile *p, const struct key *key, time_t now)
{
	struct buf t = token_make(HEADER_ES, "{}", key);
	uint8_t id[ANCHOR_ID_SIZE];
	struct jws j = {0};
	bool ok;

	assert_int_equal(jws_read(buf_bytes(&t), &j, NULL), ERR_OK);
	ok = anchors_verify(p->anchors, &j, now, id, NULL) == ERR_OK;
	jws_free(&j);
	buf_free(&t);
	return ok;
}

/* Loads after `before`; the problems are of that number and of which so many are errors, and their texts hold `text`. */
static void load(const struct profile_conf *conf, struct profile *p, const struct profile *before, time_t now, size_t n_errors, const char *text)
{
	struct problems problems = {0};
	bool found = text == NULL && problems.n == 0;

	*p = (struct profile){.conf = conf};
	signed_load(p, before, now, &problems);
	for (size_t i = 0; i < problems.n; i++) {
		print_message("# %s: %s\n", problems.list[i].where, problems.list[i].text);
		assert_string_equal(problems.list[i].where, "/x/default.ini [signed_challenge] anchors");
		found |= text != NULL && strstr(problems.list[i].text, text) != NULL;
	}
	assert_true(found);
	assert_true(text != NULL || problems.n == 0);
	assert_int_equal(problems.n_errors, n_errors);
	problems_free(&problems);
}

static struct profile_conf conf_of(char *audience)
{
	struct profile_conf conf = {.file = (char *)"/x/default.ini"};

	conf.signed_challenge.anchors = shared.file;
	conf.signed_challenge.audience = audience;
	return conf;
}

static void at_start(void **state)
{
	struct profile_conf conf = conf_of((char *)"A"), off = {.file = (char *)"x"};
	struct profile p;

	(void)state;
	write_cert(shared.key, NOW + 10000000);
	load(&conf, &p, NULL, NOW, 0, NULL);
	assert_true(trusts(&p, shared.key, NOW));
	anchors_free(p.anchors);
	load(&conf, &p, NULL, NOW + 10000001, 1, "no certificate in it is valid now");
	assert_null(p.anchors);
	conf.signed_challenge.audience = NULL;
	load(&conf, &p, NULL, NOW, 0, "without an audience");
	anchors_free(p.anchors);
	unlink(shared.file);
	load(&conf, &p, NULL, NOW, 1, shared.file);
	load(&off, &p, NULL, NOW, 0, NULL);
	assert_null(p.anchors);
	load(&conf, &p, &p, NOW, 1, shared.file);	/* what ran had none */
}

static void at_reload(void **state)
{
	struct profile_conf conf = conf_of((char *)"A");
	struct profile first, second, third;
	struct buf garbage = {0};

	(void)state;
	write_cert(shared.key, NOW + 10000000);
	load(&conf, &first, NULL, NOW, 0, NULL);
	buf_add_str(&garbage, "half of a file");
	token_write_file(shared.file, &garbage);
	load(&conf, &second, &first, NOW, 0, "holds no certificate and no public key in PEM; the trust anchors read before stay in use");
	anchors_free(first.anchors);
	assert_true(trusts(&second, shared.key, NOW));
	assert_false(trusts(&second, shared.key, NOW + 10000001));	/* kept, not prolonged */
	write_cert(shared.other, NOW - 1);
	load(&conf, &third, &second, NOW, 0, "no certificate in it is valid now; ask the issuer for its present one; the trust anchors read before");
	anchors_free(second.anchors);
	assert_true(trusts(&third, shared.key, NOW));
	write_cert(shared.other, NOW + 10000000);
	load(&conf, &first, &third, NOW, 0, NULL);
	anchors_free(third.anchors);
	assert_true(trusts(&first, shared.other, NOW));
	assert_false(trusts(&first, shared.key, NOW));
	anchors_free(first.anchors);
	buf_free(&garbage);
}

static int set_up(void **state)
{
	(void)state;
	snprintf(shared.dir, sizeof(shared.dir), "/tmp/test_signed_load.XXXXXX");
	assert_non_null(mkdtemp(shared.dir));
	shared.file = mem_printf("%s/anchors.pem", shared.dir);
	shared.key = token_key("ec:p256");
	shared.other = token_key("ec:p256");
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	unlink(shared.file);
	rmdir(shared.dir);
	free(shared.file);
	key_free(shared.key);
	key_free(shared.other);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(at_start), cmocka_unit_test(at_reload)};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
