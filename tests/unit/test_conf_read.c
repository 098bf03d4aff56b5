/* Whole configurations, good and bad, from tests/data/{good,bad}/conf. */
#include "unit.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "conf/conf.h"

#define GOOD TEST_DATA "/good/conf"
#define BAD TEST_DATA "/bad/conf"

static void show(const struct problems *p)
{
	size_t i;

	for (i = 0; i < p->n; i++)
		print_message("# %s: %s\n", p->list[i].where, p->list[i].text);
}

static struct conf *read_good(const char *file)
{
	struct problems p = {0};
	struct conf *conf = conf_read(file, &p);

	show(&p);
	assert_non_null(conf);
	assert_int_equal(p.n, 0);
	problems_free(&p);
	return conf;
}

static void defaults(void **state)
{
	struct conf *conf = read_good(GOOD "/plain.ini");
	const struct profile_conf *p = conf_profile(conf, "default");

	(void)state;
	assert_string_equal(conf->file, GOOD "/plain.ini");
	assert_string_equal(conf->profiles_dir, GOOD "/profiles.d");
	assert_string_equal(conf->pepper_file, GOOD "/pepper");
	assert_null(conf->listen);
	assert_string_equal(conf->base_path, "/scep");
	assert_null(conf->admin.conninfo);
	assert_string_equal(conf->admin.base_path, "/scep-admin");
	assert_int_equal(conf->admin.workers, 1);
	assert_int_equal(conf->listen_mode, 0660);
	assert_int_equal(conf->max_body, 1 << 20);
	assert_true(conf->max_query > 16 << 10);
	assert_int_equal(conf->read_timeout_ms, 20000);
	assert_false(conf->syslog);
	assert_int_equal(conf->log_level, LOG_INFO_);
	assert_int_equal(conf->n_profiles, 2);
	assert_string_equal(conf->profiles[0]->name, "default");
	assert_string_equal(conf->profiles[1]->name, "every-1.0_x");
	assert_null(conf->profiles[2]);
	assert_null(conf_profile(conf, "Default"));
	assert_string_equal(p->ca.certificate, GOOD "/profiles.d/ca.pem");
	assert_null(p->ra.certificate);
	assert_null(p->description);
	assert_true(p->one_time_challenge && p->signer_key_must_match && !p->include_chain);
	assert_int_equal(p->validity_s, 365 * 24 * 3600);
	assert_int_equal(p->backdate_s, 300);
	assert_int_equal(p->key_usage, 128 | 32);
	assert_string_equal(p->extended_key_usage[0], "1.3.6.1.5.5.7.3.2");
	assert_null(p->extended_key_usage[1]);
	assert_int_equal(p->san_types & SAN_UPN, 0);
	assert_int_equal(p->legacy | p->obsolete, 0);
	assert_int_equal(p->empty_content, EMPTY_CONTENT_AUTO);
	conf_free(conf);
}

static void every_server_setting(void **state)
{
	struct problems p = {0};
	struct conf *conf = conf_read(GOOD "/every.ini", &p);

	(void)state;
	show(&p);
	assert_int_equal(p.n_errors, 0);	/* it has a password, for which a checkout's mode gives a warning */
	problems_free(&p);
	assert_string_equal(conf->listen, "[::1]:9000");
	assert_int_equal(conf->listen_mode, 0660);
	assert_int_equal(conf->workers, 4);
	assert_string_equal(conf->base_path, "/pki/scep");
	assert_int_equal(conf->max_body, 65536);
	assert_int_equal(conf->max_query, 16384);
	assert_string_equal(conf->mtls_path, "/pki/scep-mtls");
	assert_string_equal(conf->trusted_proxies[0], "192.0.2.0/24");
	assert_string_equal(conf->trusted_proxies[1], "2001:db8::1");
	assert_null(conf->trusted_proxies[2]);
	assert_string_equal(conf->client_cert_header, "X-Device-Cert");
	assert_int_equal(conf->read_timeout_ms, 1500);
	assert_int_equal(conf->write_timeout_ms, 120000);
	assert_true(conf->syslog);
	assert_int_equal(conf->log_level, LOG_DEBUG_);
	assert_string_equal(conf->conninfo, "host=a,b password='x;y#z' target_session_attrs=read-write");
	assert_string_equal(conf->pepper_file, "/etc/pepper");
	assert_int_equal(conf->db_timeout_ms, 3000);
	assert_string_equal(conf->admin.conninfo, "dbname=x user=admin");
	assert_string_equal(conf->admin.users[1], "alice");
	assert_string_equal(conf->admin.challenge_profiles[1], "mdm:every-1.0_x");
	assert_string_equal(conf->admin.base_path, "/pki/admin");
	assert_string_equal(conf->admin.pepper_file, GOOD "/admin.pepper");
	assert_string_equal(conf->admin.listen, "/run/admin.sock");
	assert_int_equal(conf->admin.listen_mode, 0600);
	assert_int_equal(conf->admin.workers, 2);
	conf_free(conf);
}

static void every_profile_setting(void **state)
{
	static const char *const purposes[] = {"1.3.6.1.5.5.7.3.1", "1.3.6.1.4.1.311.20.2.2", "1.3.6.1.5.5.7.3.2", "1.2.3.4", NULL};
	struct conf *conf = read_good(GOOD "/plain.ini");
	const struct profile_conf *p = conf_profile(conf, "every-1.0_x");
	size_t i;

	(void)state;
	assert_string_equal(p->file, GOOD "/profiles.d/every-1.0_x.ini");
	assert_string_equal(p->description, "Laptops; all of them");
	assert_string_equal(p->ca.certificate, "/etc/ca.pem");
	assert_string_equal(p->ca.key, "pkcs11:token=x;object=ca");
	assert_string_equal(p->ca.pin_file, GOOD "/profiles.d/../ca.pin");
	assert_string_equal(p->chain, GOOD "/profiles.d/chain.pem");
	assert_string_equal(p->ra.key, "pkcs11:token=x;object=ra");
	assert_string_equal(p->ra.pin_file, GOOD "/profiles.d/ra.pin");
	assert_string_equal(p->next.ca.certificate, GOOD "/profiles.d/next-ca.pem");
	assert_string_equal(p->next.ca.key, "pkcs11:token=x;object=next");
	assert_string_equal(p->next.chain, GOOD "/profiles.d/next-chain.pem");
	assert_string_equal(p->next.ra.key, GOOD "/profiles.d/next-ra.key");
	assert_true(p->next.announce == 1801396801 && p->next.switch_at == 1803772800 && p->next.overlap_s == 0);
	assert_string_equal(p->old_ca, GOOD "/profiles.d/old-ca.pem");
	assert_string_equal(p->old_ra[0].pair.certificate, GOOD "/profiles.d/old-ra.pem");
	assert_true(p->old_ra[0].until == 1830297599 && p->old_ra[1].until == 0);
	assert_string_equal(p->old_ra[1].pair.key, GOOD "/profiles.d/older-ra.key");
	assert_string_equal(p->static_challenge_file, GOOD "/profiles.d/secrets");
	assert_true(!p->one_time_challenge && !p->signer_key_must_match && p->include_chain);
	assert_string_equal(p->client_cert.trust, GOOD "/profiles.d/client-cas.pem");
	assert_string_equal(p->client_cert.crl, "/var/crl.der");
	assert_true(!p->client_cert.client_auth && p->client_cert.replaces_challenge && !p->client_cert.only);
	assert_int_equal(p->client_cert.bind, BIND_CN | BIND_SAN | BIND_KEY);
	assert_int_equal(p->min_rsa_bits, 3072);
	assert_int_equal(p->max_rsa_bits, 4096);
	assert_int_equal(p->device_id, DEVICE_ID_TRANSACTION);
	assert_int_equal(p->validity_s, 36 * 3600);
	assert_int_equal(p->backdate_s, 90);
	assert_int_equal(p->key_usage, 128 | 8);
	for (i = 0; purposes[i] != NULL; i++)
		assert_string_equal(p->extended_key_usage[i], purposes[i]);
	assert_null(p->extended_key_usage[i]);
	assert_int_equal(p->san_types, 0);
	assert_string_equal(p->crl_urls[0], "http://pki.example.com/scep/default/crl");
	assert_string_equal(p->crl_urls[1], "https://[2001:db8::1]:8443/crl?x=1");
	assert_null(p->crl_urls[2]);
	assert_null(p->ca_issuers_urls);
	assert_int_equal(p->legacy, LEGACY_SHA1 | LEGACY_DES3);
	assert_int_equal(p->obsolete, OBSOLETE_MD5);
	assert_int_equal(p->empty_content, EMPTY_CONTENT_ABSENT);
	assert_string_equal(p->paths[0], "/certsrv/mscep/mscep.dll");
	assert_string_equal(p->paths[1], "/cgi-bin/pkiclient.exe");
	assert_null(p->paths[2]);
	assert_true(p->ca_first && !p->post && p->get);
	assert_string_equal(p->ca_identifiers[1], "Office%20CA");
	assert_int_equal(p->dialect, DIALECT_LEGACY);	/* and everything that it presets is overridden */
	assert_int_equal(p->ca_chain, CA_CHAIN_FULL);
	assert_int_equal(p->hide_caps, HIDE_RENEWAL);
	assert_int_equal(p->tolerate, TOLERATE_NONCE);
	conf_free(conf);
}

static void settings_of_hooks(void **state)
{
	struct conf *conf = read_good(GOOD "/plain.ini");
	const struct profile_conf *p = conf_profile(conf, "every-1.0_x");

	(void)state;
	assert_string_equal(p->webhook.url, "https://mdm.example.com:8443/scepter?site=1");
	assert_int_equal(hook_url_server(p->webhook.url), strlen("https://mdm.example.com:8443"));
	assert_true(p->webhook.hook.role == HOOK_CHALLENGE && p->webhook.hook.without_challenge && !p->webhook.hook.renewals);
	assert_string_equal(p->webhook.secret_file, GOOD "/profiles.d/webhook.secret");
	assert_string_equal(p->webhook.ca_file, "/etc/webhook-ca.pem");
	assert_string_equal(p->webhook.client_certificate, GOOD "/profiles.d/webhook.pem");
	assert_string_equal(p->webhook.client_key, GOOD "/profiles.d/webhook.key");
	assert_true(p->webhook.hook.timeout_ms == 1500 && p->webhook.retries == 0);
	assert_string_equal(p->command.path, GOOD "/profiles.d/may-enrol");
	assert_true(p->command.hook.role == HOOK_COMPLIANCE && !p->command.hook.without_challenge && !p->command.hook.renewals);
	assert_int_equal(p->command.hook.timeout_ms, 2000);
	conf_free(conf);
}

/* Does the problem contain the text of this "; expect: " line? */
static bool matches(const struct problem *p, struct bytes want)
{
	char *all = mem_printf("%s: %s", p->where, p->text);
	bool found = memmem(all, strlen(all), want.p, want.n) != NULL;

	free(all);
	return found;
}

/* Every problem is expected by a line of the file, and every such line's problem is there. */
static void check_expectations(const char *file, const struct problems *p)
{
	static const char mark[] = "\n; expect: ";
	struct buf text = {0};
	struct bytes rest, line;
	bool *met = mem_alloc(p->n + 1);
	struct why why;
	size_t i, n_expected = 0;

	assert_int_equal(file_read(file, &text, &why), ERR_OK);
	for (rest = buf_bytes(&text); rest.n > 0; rest = bytes_cut(rest, (size_t)(line.p - rest.p) + line.n, rest.n)) {
		const uint8_t *at = memmem(rest.p, rest.n, mark, strlen(mark));
		bool found = false;

		if (at == NULL)
			break;
		at += strlen(mark);
		line = bytes_of(at, (size_t)((uint8_t *)memchr(at, '\n', (size_t)(rest.p + rest.n - at)) - at));
		for (i = 0; i < p->n; i++) {
			if (matches(&p->list[i], line))
				met[i] = found = true;
		}
		if (!found)
			print_message("# missing: %.*s\n", (int)line.n, line.p);
		assert_true(found);
		n_expected++;
	}
	assert_true(n_expected > 0);
	for (i = 0; i < p->n; i++) {
		if (!met[i])
			print_message("# not expected: %s: %s\n", p->list[i].where, p->list[i].text);
		assert_true(met[i]);
	}
	free(met);
	buf_free(&text);
}

static void check_bad(const char *file, const char *expectations)
{
	struct problems p = {0};

	print_message("# %s\n", expectations);
	assert_null(conf_read(file, &p));
	check_expectations(expectations, &p);
	problems_free(&p);
}

static void for_each(const char *folder, void (*check)(const char *file))
{
	DIR *dir = opendir(folder);
	struct dirent *e;
	size_t n = 0;

	assert_non_null(dir);
	while ((e = readdir(dir)) != NULL) {
		char *file;

		if (strstr(e->d_name, ".ini") == NULL)
			continue;
		assert_int_equal(strncmp(e->d_name, "config-", 7), 0);	/* the error's label */
		file = mem_printf("%s/%s", folder, e->d_name);
		check(file);
		free(file);
		n++;
	}
	closedir(dir);
	assert_true(n > 10);
}

static void check_server_file(const char *file)
{
	check_bad(file, file);
}

static void bad_servers(void **state)
{
	(void)state;
	for_each(BAD "/server", check_server_file);
}

/* A folder with a scepter.ini and an empty profiles.d. */
static char folder[] = "/tmp/test-conf-read.XXXXXX";
static const char server_ini[] = "[database]\nconninfo = dbname=x\npepper_file = pepper\n";

static int set_up(void **state)
{
	struct why why;

	(void)state;
	return mkdtemp(folder) == NULL || chdir(folder) != 0 || mkdir("profiles.d", 0700) != 0 ||
	    file_write("scepter.ini", bytes_str(server_ini), 0600, true, &why) != ERR_OK;
}

static int tear_down(void **state)
{
	(void)state;
	return unlink("scepter.ini") != 0 || rmdir("profiles.d") != 0 || chdir("/") != 0 || rmdir(folder) != 0;
}

static void check_profile_file(const char *file)
{
	assert_int_equal(symlink(file, "profiles.d/x.ini"), 0);
	check_bad("scepter.ini", file);
	unlink("profiles.d/x.ini");
}

static void bad_profiles(void **state)
{
	(void)state;
	for_each(BAD "/profile", check_profile_file);
}

static void profile_names(void **state)
{
	static const char good[] = "[ca]\ncertificate = c\nkey = k\n";
	static const struct {
		const char *name;
		bool good;
	} rows[] = {
	    {"a", true}, {"0", true}, {"a.b_c-9", true},
	    {"a23456789b123456789c123456789d123456789e123456789f123456789g123", true},
	    {"a23456789b123456789c123456789d123456789e123456789f123456789g1234", false},
	    {"A", false}, {"-a", false}, {"_a", false}, {"a b", false}, {"a%", false}, {"\xc3\xa4", false}, {"pkiclient.exe", false},
	};
	struct why why;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char *file = mem_printf("profiles.d/%s.ini", rows[i].name);
		struct problems p = {0};
		struct conf *conf;

		print_message("# %s\n", rows[i].name);
		assert_int_equal(file_write(file, bytes_str(good), 0600, true, &why), ERR_OK);
		conf = conf_read("scepter.ini", &p);
		assert_int_equal(conf != NULL, rows[i].good);
		if (!rows[i].good) {
			assert_int_equal(p.n, 1);
			assert_non_null(strstr(p.list[0].text, "is not a profile's name"));
		}
		unlink(file);
		free(file);
		conf_free(conf);
		problems_free(&p);
	}
}

/* Whatever order the folder gives them in. */
static void profiles_sorted(void **state)
{
	static const char names[] = "zabycxdwevfu";
	struct problems p = {0};
	struct conf *conf;
	struct why why;
	char file[] = "profiles.d/?.ini";
	size_t i;

	(void)state;
	for (i = 0; names[i] != '\0'; i++) {
		file[strlen("profiles.d/")] = names[i];
		file_write(file, BYTES_LIT("[ca]\ncertificate = c\nkey = k\n"), 0600, true, &why);
	}
	conf = conf_read("scepter.ini", &p);
	assert_non_null(conf);
	assert_int_equal(conf->n_profiles, strlen(names));
	for (i = 1; i < conf->n_profiles; i++)
		assert_true(strcmp(conf->profiles[i - 1]->name, conf->profiles[i]->name) < 0);
	for (i = 0; names[i] != '\0'; i++) {
		assert_non_null(conf_profile(conf, (char[]){names[i], '\0'}));
		file[strlen("profiles.d/")] = names[i];
		unlink(file);
	}
	conf_free(conf);
	problems_free(&p);
}

/* Problems of all files come at once; a relative name of the main file is made absolute. */
static void all_at_once(void **state)
{
	struct problems p = {0};
	struct why why;
	size_t i, a = 0, b = 0, c = 0;

	(void)state;
	file_write("profiles.d/a.ini", bytes_str("[ca]\ncertificate = c\nkey = k\nkeys = k\n"), 0600, true, &why);
	file_write("profiles.d/b.ini", bytes_str("[ca]\ncertificate = c\nkey = k\n[cb]\n"), 0600, true, &why);
	mkdir("profiles.d/c.ini", 0700);
	problem_add(&p, PROBLEM_ERROR, "before", "somebody else's");
	assert_null(conf_read("scepter.ini", &p));
	assert_int_equal(p.n, 4);
	for (i = 0; i < p.n; i++) {
		a += strstr(p.list[i].where, "/profiles.d/a.ini:4 [ca] keys") != NULL;
		b += strstr(p.list[i].where, "/profiles.d/b.ini:4 [cb]") != NULL;
		c += strstr(p.list[i].text, "profiles.d/c.ini' is not a regular file") != NULL;
		assert_int_equal(p.list[i].where[0], i == 0 ? 'b' : '/');
	}
	assert_true(a == 1 && b == 1 && c == 1);
	unlink("profiles.d/a.ini");
	unlink("profiles.d/b.ini");
	rmdir("profiles.d/c.ini");
	problems_free(&p);
}

/* A conninfo with a password in a file that everybody can read is a warning: the configuration is used all the same. */
static void readable_password(void **state)
{
	static const char *const conninfos[] = {"dbname=x password=y", "postgresql://u:y@h/x"};
	struct why why;
	size_t i;
	int mode;

	(void)state;
	file_write("profiles.d/a.ini", BYTES_LIT("[ca]\ncertificate = c\nkey = k\n"), 0600, true, &why);
	for (i = 0; i < 4; i++) {
		char *text = mem_printf("[database]\nconninfo = %s\npepper_file = p\n", conninfos[i % 2]);
		struct problems p = {0};
		struct conf *conf;

		mode = i < 2 ? 0644 : 0640;
		assert_int_equal(file_write("scepter.ini", bytes_str(text), (mode_t)mode, true, &why), ERR_OK);
		conf = conf_read("scepter.ini", &p);
		assert_non_null(conf);
		assert_int_equal(p.n, i < 2);
		assert_true(p.n == 0 || strstr(p.list[0].text, "chmod 640") != NULL);
		free(text);
		conf_free(conf);
		problems_free(&p);
	}
	file_write("scepter.ini", bytes_str(server_ini), 0600, true, &why);
	unlink("profiles.d/a.ini");
}

static void missing_or_large_file(void **state)
{
	struct problems p = {0};
	char *large = mem_alloc(70000);
	struct why why;

	(void)state;
	assert_null(conf_read("/nowhere/scepter.ini", &p));
	assert_int_equal(p.n, 1);
	assert_string_equal(p.list[0].text, "cannot open '/nowhere/scepter.ini': No such file or directory; is the name right?");
	problems_free(&p);
	memset(large, '\n', 70000);
	assert_int_equal(file_write("large.ini", bytes_of(large, 70000), 0600, true, &why), ERR_OK);
	assert_null(conf_read("large.ini", &p));
	assert_int_equal(p.n, 1);
	assert_string_equal(p.list[0].text, "larger than 65536 octets");
	unlink("large.ini");
	free(large);
	problems_free(&p);
	conf_free(NULL);
}

static void which_file(void **state)
{
	(void)state;
	unsetenv(CONF_ENV);
	assert_string_equal(conf_file(NULL), "/etc/scepter/scepter.ini");
	setenv(CONF_ENV, "", 1);
	assert_string_equal(conf_file(NULL), "/etc/scepter/scepter.ini");
	setenv(CONF_ENV, "/x.ini", 1);
	assert_string_equal(conf_file(NULL), "/x.ini");
	assert_string_equal(conf_file("/y.ini"), "/y.ini");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(defaults), cmocka_unit_test(every_server_setting), cmocka_unit_test(every_profile_setting),
	    cmocka_unit_test(settings_of_hooks),
	    cmocka_unit_test(bad_servers), cmocka_unit_test(bad_profiles), cmocka_unit_test(profile_names),
	    cmocka_unit_test(profiles_sorted),
	    cmocka_unit_test(all_at_once), cmocka_unit_test(readable_password),
	    cmocka_unit_test(missing_or_large_file), cmocka_unit_test(which_file),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
