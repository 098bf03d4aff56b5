/* The table itself, values to text and back, and that the example files and the manual page say what the table says. */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <gnutls/x509.h>

#include "base/file.h"
#include "base/mem.h"
#include "conf/cidr.h"
#include "conf/conf.h"
#include "conf/date.h"
#include "conf/rate.h"
#include "conf/value.h"

#define SOURCE TEST_DATA "/../.."

static const struct setting_table *const tables[] = {&server_settings, &profile_settings};

static void rows_are_sound(void **state)
{
	size_t t, i, j;

	(void)state;
	for (t = 0; t < 2; t++) {
		for (i = 0; i < tables[t]->n; i++) {
			const struct setting *row = &tables[t]->rows[i];
			bool words = row->kind == KIND_ENUM || row->kind == KIND_WORDS || row->kind == KIND_OIDS;

			print_message("# [%s] %s\n", row->section, row->key);
			assert_ptr_equal(setting_find(tables[t], row->section, row->key), row);	/* there is no other */
			assert_true(row->offset + sizeof(int) <= tables[t]->struct_size || row->kind == KIND_BOOL);
			assert_true((row->standard == NULL) != (row->example == NULL));
			assert_true(!(row->flags & MUST) || row->standard == NULL);
			assert_true(!words || row->words != NULL);
			assert_true(strlen(row->help) > 10 && row->help[strlen(row->help) - 1] == '.');
			for (j = 0; j < i; j++)	/* no two rows share a field */
				assert_true(tables[t]->rows[j].offset != row->offset);
		}
	}
	assert_null(setting_find(&server_settings, "server", "validity"));
	assert_int_equal(sizeof(enum conf_device_id), sizeof(int));	/* as KIND_ENUM stores them */
	assert_int_equal(sizeof(enum log_level), sizeof(int));
}

/* Each default or example is read, printed and read again. */
static void values_come_back(void **state)
{
	size_t t, i;

	(void)state;
	for (t = 0; t < 2; t++) {
		void *conf = mem_alloc(tables[t]->struct_size), *again = mem_alloc(tables[t]->struct_size);

		values_set_standard(tables[t], "/etc/x/y.ini", conf);
		for (i = 0; i < tables[t]->n; i++) {
			const struct setting *row = &tables[t]->rows[i];
			struct buf text = {0}, text2 = {0};
			struct why why;

			print_message("# [%s] %s\n", row->section, row->key);
			assert_int_equal(value_text(row, conf, &text), row->standard != NULL);
			if (row->example != NULL) {
				assert_int_equal(value_set(row, "/etc/x/y.ini", row->example, conf, &why), ERR_OK);
				assert_true(value_text(row, conf, &text));
				assert_string_equal((char *)text.p, row->example);
			} else if (row->kind != KIND_PATH) {
				assert_string_equal((char *)text.p, row->standard);
			}
			assert_int_equal(value_set(row, "/other/z.ini", (char *)text.p, again, &why), ERR_OK);
			assert_true(value_text(row, again, &text2));
			assert_string_equal((char *)text.p, (char *)text2.p);
			buf_free(&text);
			buf_free(&text2);
		}
		conf_values_free(tables[t], conf);
		conf_values_free(tables[t], again);
		free(conf);
		free(again);
	}
}

/* A bad value leaves the good one that was there. */
static void untouched_on_failure(void **state)
{
	static const char *const bad = "\x01?,; ";
	struct profile_conf p = {0};
	struct why why;
	size_t i;

	(void)state;
	values_set_standard(&profile_settings, "/x.ini", &p);
	for (i = 0; i < profile_settings.n; i++) {
		const struct setting *row = &profile_settings.rows[i];
		struct buf before = {0}, after = {0};

		if (row->kind <= KIND_KEY)	/* any text will do for those */
			continue;
		value_text(row, &p, &before);
		assert_int_equal(value_set(row, "/x.ini", bad, &p, &why), ERR_CONFIG);
		assert_int_equal(value_set(row, "/x.ini", "", &p, &why), ERR_CONFIG);
		value_text(row, &p, &after);
		assert_string_equal(buf_str(&before), buf_str(&after));
		buf_free(&before);
		buf_free(&after);
	}
	conf_values_free(&profile_settings, &p);
}

static void key_usage_bits(void **state)
{
	const struct setting *row = setting_find(&profile_settings, "certificate", "key_usage");
	struct profile_conf p = {0};
	struct why why;

	(void)state;
	assert_int_equal(value_set(row, "/x", "digitalSignature nonRepudiation keyEncipherment dataEncipherment keyAgreement", &p, &why),
	    ERR_OK);
	assert_int_equal(p.key_usage, GNUTLS_KEY_DIGITAL_SIGNATURE | GNUTLS_KEY_NON_REPUDIATION | GNUTLS_KEY_KEY_ENCIPHERMENT |
	    GNUTLS_KEY_DATA_ENCIPHERMENT | GNUTLS_KEY_KEY_AGREEMENT);
}

static void rates(void **state)
{
	static const struct {
		const char *text, *printed;	/* printed NULL: refused */
		struct conf_rate rate;
	} rows[] = {
	    {"3/24h", "3/1d", {3, 86400}}, {"100/1m", "100/1m", {100, 60}}, {"1/90", "1/90s", {1, 90}}, {"1000/366d", "1000/366d", {1000, 31622400}},
	    {"0", "0", {0}}, {"3", NULL, {0}}, {"3/", NULL, {0}}, {"/1h", NULL, {0}}, {"3/0", NULL, {0}}, {"0/1h", NULL, {0}}, {"1001/1h", NULL, {0}},
	    {"3/367d", NULL, {0}}, {"-3/1h", NULL, {0}}, {"3/-1h", NULL, {0}}, {"3 /1h", NULL, {0}}, {"3/1h/1h", NULL, {0}}, {"3/h", NULL, {0}},
	    {"three/1h", NULL, {0}}, {"99999999999999999999/1h", NULL, {0}}, {"3/99999999999999999999d", NULL, {0}},
	};
	static const struct setting row = {.kind = KIND_RATE, .max = 1000};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct conf_rate rate = {7, 7};
		struct buf text = {0};
		struct why why;

		print_message("# '%s'\n", rows[i].text);
		assert_int_equal(rate_set(&row, rows[i].text, &rate, &why), rows[i].printed != NULL ? ERR_OK : ERR_CONFIG);
		assert_int_equal(rate.most, rows[i].printed != NULL ? rows[i].rate.most : 7);
		assert_int_equal(rate.window_s, rows[i].printed != NULL ? rows[i].rate.window_s : 7);
		rate_text(rate, &text);
		assert_string_equal(buf_str(&text), rows[i].printed != NULL ? rows[i].printed : "7/7s");
		buf_free(&text);
	}
}

/* Who is in which range; a malformed range has nobody. */
static void address_ranges(void **state)
{
	static const struct {
		const char *range, *in, *out;	/* in NULL: it is no range */
	} rows[] = {
	    {"192.0.2.7", "192.0.2.7", "192.0.2.6"}, {"192.0.2.0/24", "192.0.2.255", "192.0.3.0"}, {"10.0.0.0/9", "10.127.1.1", "10.128.0.0"},
	    {"128.0.0.0/1", "255.1.1.1", "127.1.1.1"}, {"192.0.2.7/32", "::ffff:192.0.2.7", "::192.0.2.7"},
	    {"2001:db8::/32", "2001:db8:ffff::1", "2001:db9::"}, {"2001:db8::1/128", "2001:0db8:0:0:0:0:0:1", "2001:db8::2"},
	    {"::ffff:192.0.2.0/120", "192.0.2.1", "192.0.3.1"}, {"::1", "::1", "127.0.0.1"}, {"127.0.0.1", "127.0.0.1", "::1"},
	    {"0.0.0.0/0", NULL, "192.0.2.1"}, {"::/0", NULL, "::1"}, {"192.0.2.1/24", NULL, "192.0.2.1"}, {"192.0.2.0/33", NULL, "192.0.2.0"},
	    {"192.0.2/24", NULL, "192.0.2.1"}, {"192.0.2.0/", NULL, "192.0.2.0"}, {"192.0.2.0/ 24", NULL, "192.0.2.0"}, {"/24", NULL, ""},
	    {"2001:db8::/129", NULL, "2001:db8::"}, {"192.0.2.0/-1", NULL, "192.0.2.0"}, {"localhost", NULL, "127.0.0.1"},
	    {"192.0.2.0/24/24", NULL, "192.0.2.0"}, {"192.0.2.1", "192.0.2.1", "unix:"}, {"192.0.2.1", "192.0.2.1", ""},
	    {"192.0.2.1", "192.0.2.1", "192.0.2.1 "}, {"192.0.2.1", "192.0.2.1", "192.0.2.1, 192.0.2.1"},
	    {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa/8", NULL, "::1"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char *list[] = {(char *)"198.51.100.1", (char *)rows[i].range, NULL};

		print_message("# %s\n", rows[i].range);
		assert_int_equal(is_cidr(rows[i].range), rows[i].in != NULL);
		assert_true(rows[i].in == NULL || cidrs_have(list, rows[i].in));
		assert_false(cidrs_have(list, rows[i].out));
	}
	assert_false(cidrs_have(NULL, "192.0.2.1"));
}

/* Only dates that exist, in the form that is printed or its first half. */
static void dates(void **state)
{
	static const struct {
		const char *text;
		time_t t;	/* 0: refused */
	} rows[] = {
	    {"1970-01-01T00:00:01Z", 1}, {"2027-01-31T12:00:00Z", 1801396800}, {"2027-01-31", 1801353600}, {"2028-02-29", 1835395200},
	    {"9999-12-31T23:59:59Z", 253402300799},
	    {"1970-01-01", 0}, {"1969-12-31", 0}, {"0000-01-01", 0}, {"2027-02-29", 0}, {"2027-04-31", 0}, {"2027-13-01", 0}, {"2027-00-01", 0},
	    {"2027-01-00", 0}, {"2027-01-31T24:00:00Z", 0}, {"2027-01-31T12:60:00Z", 0}, {"2027-01-31T12:00:60Z", 0}, {"", 0}, {"now", 0},
	    {"2027-1-31", 0}, {"2027-01-31T12:00:00", 0}, {"2027-01-31T12:00:00z", 0}, {"2027-01-31 12:00:00Z", 0}, {" 2027-01-31", 0},
	    {"2027-01-31 ", 0}, {"2027-01-31T12:00:00Z ", 0}, {"2027-01-31T", 0}, {"+027-01-31", 0}, {"2027- 1-31", 0},
	    {"12027-01-31T12:00:00Z", 0},
	};
	char text[DATE_SIZE];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		time_t t = 7;

		print_message("# '%s'\n", rows[i].text);
		assert_int_equal(date_parse(rows[i].text, &t), rows[i].t != 0);
		assert_int_equal(t, rows[i].t != 0 ? rows[i].t : 7);
		date_print(t, text);
		if (rows[i].t != 0)
			assert_memory_equal(text, rows[i].text, strlen(rows[i].text));
	}
	date_print((time_t)253402300800, text);
	assert_string_equal(text, "");
	date_print(-1, text);
	assert_string_equal(text, "");
}

static char *printed(void (*print)(FILE *f))
{
	char *text = NULL;
	size_t n;
	FILE *f = open_memstream(&text, &n);

	assert_non_null(f);
	print(f);
	fclose(f);
	return text;
}

static void example_server(FILE *f)
{
	conf_print(f, NULL);
}

static void example_profile(FILE *f)
{
	conf_print_profile(f, NULL);
}

/* The committed file contains what the table prints: the whole of it, or (the manual page) as its middle part. */
static void check_committed(const char *file, void (*print)(FILE *f), bool whole)
{
	struct buf committed = {0};
	char *now = printed(print);
	struct why why;

	assert_int_equal(file_read(file, &committed, &why), ERR_OK);
	if (strstr((char *)committed.p, now) == NULL || (whole && committed.n != strlen(now)))
		print_message("# %s differs from the table; run 'make update-conf-docs'\n", file);
	assert_non_null(strstr((char *)committed.p, now));
	assert_true(!whole || committed.n == strlen(now));
	buf_free(&committed);
	free(now);
}

static void committed_files(void **state)
{
	(void)state;
	check_committed(SOURCE "/conf/scepter.ini", example_server, true);
	check_committed(SOURCE "/conf/profiles.d/default.ini", example_profile, true);
	check_committed(SOURCE "/doc/scepter.ini.5", conf_print_manual, false);
}

/* The example as it is gives the defaults; so does the example with every default switched on. */
static void examples_are_the_defaults(void **state)
{
	struct problems p = {0};
	struct conf *conf = conf_read(SOURCE "/conf/scepter.ini", &p);
	size_t i, j, t;

	(void)state;
	assert_non_null(conf);
	assert_int_equal(p.n, 0);
	assert_int_equal(conf->n_profiles, 1);
	for (t = 0; t < 2; t++) {
		void *standard = mem_alloc(tables[t]->struct_size);
		const void *got = t == 0 ? (void *)conf : (void *)conf->profiles[0];

		values_set_standard(tables[t], t == 0 ? conf->file : conf->profiles[0]->file, standard);
		for (i = 0; i < tables[t]->n; i++) {
			const struct setting *row = &tables[t]->rows[i];
			struct buf a = {0}, b = {0};
			bool set = value_text(row, got, &a);

			assert_int_equal(set, row->standard != NULL || (row->flags & EXAMPLE_ON) != 0);
			if (value_text(row, standard, &b))
				assert_string_equal((char *)a.p, (char *)b.p);
			buf_free(&a);
			buf_free(&b);
		}
		conf_values_free(tables[t], standard);
		free(standard);
	}
	for (j = 0; j < p.n; j++)
		print_message("# %s: %s\n", p.list[j].where, p.list[j].text);
	conf_free(conf);
	problems_free(&p);
}

static char *printed_conf(const struct conf *conf, const struct profile_conf *profile)
{
	char *text = NULL;
	size_t n;
	FILE *f = open_memstream(&text, &n);

	assert_non_null(f);
	if (profile != NULL)
		conf_print_profile(f, profile);
	else
		conf_print(f, conf);
	fclose(f);
	return text;
}

/* What is printed of a configuration in use is read back as the same, and shows no password. */
static void printed_and_read(void **state)
{
	static char dir[] = "/tmp/test-conf-table.XXXXXX";
	struct problems p = {0};
	struct conf *conf = conf_read(TEST_DATA "/good/conf/plain.ini", &p), *again;
	const char *name = "every-1.0_x";
	char *server, *profile, *reprinted;
	struct why why;

	(void)state;
	assert_non_null(conf);
	assert_non_null(mkdtemp(dir));
	assert_int_equal(chdir(dir), 0);
	assert_int_equal(mkdir("profiles.d", 0700), 0);
	server = printed_conf(conf, NULL);
	profile = printed_conf(NULL, conf_profile(conf, name));
	assert_int_equal(file_write("profiles.d/every-1.0_x.ini", bytes_str(profile), 0600, true, &why), ERR_OK);
	assert_int_equal(file_write("scepter.ini", BYTES_LIT("[database]\nconninfo = x\npepper_file = y\n"), 0600, true, &why), ERR_OK);
	again = conf_read("scepter.ini", &p);
	assert_non_null(again);
	reprinted = printed_conf(NULL, again->profiles[0]);
	assert_string_equal(strchr(reprinted, '\n'), strchr(profile, '\n'));	/* but for the file's name */
	assert_non_null(strstr(server, "\nconninfo = dbname=scepter\n"));
	free(server);
	conf_free(conf);
	conf = conf_read(TEST_DATA "/good/conf/every.ini", &p);
	server = printed_conf(conf, NULL);
	assert_null(strstr(server, "x;y#z"));
	assert_non_null(strstr(server, "\n#conninfo is set, and not shown"));
	unlink("profiles.d/every-1.0_x.ini");
	unlink("scepter.ini");
	assert_true(rmdir("profiles.d") == 0 && chdir("/") == 0 && rmdir(dir) == 0);
	free(server);
	free(profile);
	free(reprinted);
	conf_free(conf);
	conf_free(again);
	problems_free(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(rows_are_sound), cmocka_unit_test(values_come_back), cmocka_unit_test(untouched_on_failure),
	    cmocka_unit_test(key_usage_bits), cmocka_unit_test(address_ranges), cmocka_unit_test(dates), cmocka_unit_test(rates), cmocka_unit_test(committed_files), cmocka_unit_test(examples_are_the_defaults),
	    cmocka_unit_test(printed_and_read),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
