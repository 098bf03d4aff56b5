/* What operators' commands use, housekeeping, and who may do what. */
#include "fixture.h"
#include "store/audit.h"
#include "store/cert.h"
#include "store/challenge.h"
#include "store/schema.h"

static void test_challenge_add(void **state)
{
	struct store_challenge c = {.expires = time(NULL) + 600, .uses_left = 1};

	(void)state;
	free(add_challenge("secret", (struct store_challenge){.subject = (char *)"CN=x"}));
	assert_int_equal(store_challenge_add(super, BYTES_LIT("secret"), &c, &why), ERR_CONFLICT);
	assert_null(c.id);
	assert_sql("SELECT count(*) FROM scep.challenge", "1");
	assert_sql("SELECT count(*) FROM scep.challenge c WHERE c::text LIKE '%secret%'", "0");
	assert_sql("SELECT count(*) FROM scep.audit WHERE kind = 'challenge.new' AND actor = 'tester' AND detail LIKE '%subject CN=x%'", "1");
	c.uses_left = 0;
	assert_int_equal(store_challenge_add(super, BYTES_LIT("other"), &c, &why), ERR_INTERNAL);
	c = (struct store_challenge){.created = 1795267200, .expires = 1795267800, .uses_left = 1, .created_by = (char *)"tester"};
	assert_ok(store_challenge_add(super, BYTES_LIT("another"), &c, &why));	/* as the one who made it was told, by one clock */
	assert_sql("SELECT extract(epoch FROM created_at)::bigint || ' ' || expires_at - created_at FROM scep.challenge WHERE created_by = 'tester' "
		   "AND subject IS NULL", "1795267200 00:10:00");
	free(c.id);
}

static void test_challenge_list(void **state)
{
	struct store_challenge *list;
	char *const sans[] = {(char *)"dns:a.example", (char *)"ip:192.0.2.1", NULL}, *const vals[] = {(char *)"owner", (char *)"J\xc3\xbcrgen, \"x\"", NULL};
	char *id = add_challenge("1", (struct store_challenge){.profile = (char *)"p", .subject = (char *)"CN=s", .device = (char *)"d",
	    .sans = (char **)sans, .values = (char **)vals});
	size_t n;

	(void)state;
	free(add_challenge("2", (struct store_challenge){.profile = (char *)"q"}));
	free(add_challenge("3", (struct store_challenge){.expires = time(NULL) - 1}));
	assert_ok(store_challenge_list(super, NULL, false, 0, &list, &n, &why));
	assert_int_equal(n, 2);
	store_challenge_list_free(list, n);
	assert_ok(store_challenge_list(super, NULL, false, 1, &list, &n, &why));
	assert_int_equal(n, 1);
	store_challenge_list_free(list, n);
	assert_ok(store_challenge_list(super, "p", false, 0, &list, &n, &why));
	assert_int_equal(n, 1);
	assert_string_equal(list[0].id, id);
	assert_string_equal(list[0].profile, "p");
	assert_string_equal(list[0].subject, "CN=s");
	assert_string_equal(list[0].device, "d");
	assert_string_equal(list[0].sans[0], sans[0]);
	assert_string_equal(list[0].sans[1], sans[1]);
	assert_null(list[0].sans[2]);
	assert_string_equal(list[0].values[0], vals[0]);
	assert_string_equal(list[0].values[1], vals[1]);
	assert_null(list[0].values[2]);
	assert_sql("SELECT count(*) FROM scep.audit WHERE kind = 'challenge.new' AND detail LIKE '%names dns:a.example ip:192.0.2.1'", "1");
	assert_string_equal(list[0].created_by, "tester");
	assert_int_equal(list[0].uses_left, 1);
	assert_false(list[0].revoked);
	assert_true(list[0].consumed == 0 && labs(list[0].created - time(NULL)) < 600 && labs(list[0].expires - list[0].created - 600) < 600);
	store_challenge_list_free(list, n);
	assert_ok(store_challenge_revoke(super, id, "tester", &why));
	assert_ok(store_challenge_revoke(super, id, "tester", &why));
	assert_sql("SELECT count(*) FROM scep.audit WHERE kind = 'challenge.revoke' AND profile = 'p'", "1");
	assert_int_equal(store_challenge_revoke(super, "nonsense", "tester", &why), ERR_NOT_FOUND);
	assert_why("nonsense");
	assert_ok(store_challenge_list(super, NULL, true, 0, &list, &n, &why));
	assert_int_equal(n, 3);
	assert_true(list[0].revoked);
	store_challenge_list_free(list, n);
	store_challenge_list_free(NULL, 0);
	free(id);
}

static void assert_listed(const struct store_cert_filter *f, size_t expected, const char *device)
{
	struct store_cert_row *list;
	size_t n;

	assert_ok(store_cert_list(super, f, &list, &n, &why));
	assert_int_equal(n, expected);
	if (device != NULL) {
		assert_string_equal(list[0].device, device);
		assert_int_equal(list[0].der.n, 0);
	}
	store_cert_list_free(list, n);
}

static void assert_counted(const char *profile, long expected)
{
	struct store_cert_count *list;
	long found = 0;
	size_t n;

	assert_ok(store_cert_counts(super, &list, &n, &why));
	for (size_t i = 0; i < n; i++) {
		if (strcmp(list[i].profile, profile) == 0)
			found += list[i].n;
	}
	assert_int_equal(found, expected);
	store_cert_counts_free(list, n);
}

static void test_cert_list(void **state)
{
	struct store_request r = sample_request("t1", "key", "csr");

	(void)state;
	assert_int_equal(issue(&r, NULL), STORE_GO_ON);
	r = sample_request("t2", "key", "csr");
	r.device = "device-2";
	r.subject = "CN=device_2,O=Printers";
	r.profile = "another";
	assert_int_equal(issue(&r, NULL), STORE_GO_ON);
	assert_listed(&(struct store_cert_filter){0}, 2, NULL);
	assert_counted("default", 1);
	assert_counted("another", 1);
	assert_counted("none", 0);
	assert_listed(&(struct store_cert_filter){.limit = 1}, 1, NULL);
	assert_listed(&(struct store_cert_filter){.profile = "another"}, 1, "device-2");
	assert_listed(&(struct store_cert_filter){.profile = "none"}, 0, NULL);
	assert_listed(&(struct store_cert_filter){.subject_like = "printers"}, 1, "device-2");
	assert_listed(&(struct store_cert_filter){.subject_like = "CN=%-1"}, 1, "device-1");
	assert_listed(&(struct store_cert_filter){.device = "device-2"}, 1, "device-2");
	assert_listed(&(struct store_cert_filter){.device = "device-2", .profile = "default"}, 0, NULL);
	assert_listed(&(struct store_cert_filter){.device = "device-3"}, 0, NULL);
	assert_listed(&(struct store_cert_filter){.expires_before = time(NULL)}, 0, NULL);
	assert_listed(&(struct store_cert_filter){.expires_before = time(NULL) + 2 * 86400}, 2, NULL);
}

static void test_cert_show(void **state)
{
	struct store_request r = sample_request("t1", "key", "csr");
	struct store_cert c = sample_cert("key");
	struct store_cert_row *row;
	struct store_answer a;
	char *serial;

	(void)state;
	c.serial[0] = 0x0c;	/* as until 2028: other tools print it without the leading zero */
	assert_ok(store_issue(super, &r, &c, &a, &why));
	serial = cluster_sql("postgres", "SELECT replace(cert_id::text, '-', '') FROM scep.cert");
	assert_ok(store_cert_show(super, serial, &row, &why));
	assert_string_equal(row->serial, serial);
	assert_string_equal(row->txid, "t1");
	assert_string_equal(row->sans, "DNS:device-1");
	assert_string_equal(row->requester, "127.0.0.1");
	assert_true(row->not_before == c.not_before && row->not_after == c.not_after);
	assert_true(labs(row->issued - time(NULL)) < 600);
	assert_true(bytes_eq(buf_bytes(&row->der), c.der));
	assert_int_equal(strlen(row->fingerprint), 64);
	assert_false(row->revoked);
	store_cert_list_free(row, 1);
	assert_int_equal(*serial, '0');
	assert_ok(store_cert_show(super, serial + 1, &row, &why));
	store_cert_list_free(row, 1);
	free(serial);
	run_sql("INSERT INTO scep.revocation SELECT cert_id, now(), 1, 'tester' FROM scep.cert");
	serial = cluster_sql("postgres", "SELECT regexp_replace(replace(cert_id::text, '-', ''), '(..)(?=.)', '\\1:', 'g') FROM scep.cert");
	assert_ok(store_cert_show(super, serial, &row, &why));
	assert_true(row->revoked);
	store_cert_list_free(row, 1);
	run_sql("UPDATE scep.revocation SET revoked_at = now() + interval '1 hour'");
	assert_ok(store_cert_show(super, serial, &row, &why));
	assert_false(row->revoked);
	store_cert_list_free(row, 1);
	free(serial);
	assert_int_equal(store_cert_show(super, "1234", &row, &why), ERR_NOT_FOUND);
	assert_int_equal(store_cert_show(super, "nonsense", &row, &why), ERR_NOT_FOUND);
	assert_int_equal(store_cert_show(super, "", &row, &why), ERR_NOT_FOUND);
	assert_int_equal(store_cert_show(super, "112233445566778899aabbccddeeff0011", &row, &why), ERR_NOT_FOUND);
}

static void test_audit(void **state)
{
	struct store_event e = {"refuse", "default", "challenge", "192.0.2.1", "txn", "the challenge is unknown"};

	(void)state;
	assert_ok(store_audit(super, &e, &why));
	e = (struct store_event){.kind = "start"};
	assert_ok(store_audit(super, &e, &why));
	assert_sql("SELECT concat_ws('|', kind, profile, reason, actor, txid, detail, db_role) FROM scep.audit ORDER BY kind LIMIT 1",
	    "refuse|default|challenge|192.0.2.1|txn|the challenge is unknown|postgres");
	assert_sql("SELECT count(*) FROM scep.audit WHERE at BETWEEN now() - interval '10 minutes' AND now()", "2");
	e.kind = "";
	assert_int_equal(store_audit(super, &e, &why), ERR_DB);
}

static void test_maintain(void **state)
{
	struct store_request r = sample_request("t1", "key", "csr");
	int removed;

	(void)state;
	assert_int_equal(issue(&r, NULL), STORE_GO_ON);
	run_sql("UPDATE scep.request SET expires_at = now() - interval '1 second'");
	free(add_challenge("old", (struct store_challenge){.expires = time(NULL) - 31 * 86400}));
	free(add_challenge("new", (struct store_challenge){.expires = time(NULL) - 29 * 86400}));
	assert_ok(store_maintain(super, 100, &removed, &why));
	assert_int_equal(removed, 2);
	assert_ok(store_maintain(super, 100, &removed, &why));
	assert_int_equal(removed, 0);
	assert_sql("SELECT count(*) FROM scep.cert", "1");
	assert_sql("SELECT count(*) FROM scep.challenge", "1");
	assert_int_equal(issue(&r, NULL), STORE_GO_ON);		/* forgotten: a new transaction */
}

/* A year later the next partitions come, with their triggers. */
static void test_partitions(void **state)
{
	int removed;

	(void)state;
	run_sql("UPDATE scep.setting SET value = (value::date - interval '1 year')::date::text WHERE key = 'partition_next'");
	run_sql("DO $$ DECLARE y text; BEGIN SELECT left(value, 4) INTO y FROM scep.setting WHERE key = 'partition_next'; "
		"EXECUTE format('DROP TABLE scep.cert_%s, scep.audit_%s', y, y); END $$");
	assert_sql("SELECT count(*) FROM pg_inherits WHERE inhparent = 'scep.cert'::regclass", "3");
	assert_ok(store_maintain(super, 100, &removed, &why));
	assert_sql("SELECT count(*) FROM pg_inherits WHERE inhparent = 'scep.cert'::regclass", "4");
	assert_sql("SELECT count(*) FROM pg_inherits WHERE inhparent = 'scep.audit'::regclass", "4");
	assert_sql("SELECT count(*) FROM pg_trigger WHERE tgname LIKE 'audit_frozen%' AND tgrelid::regclass::text LIKE 'scep.audit%'", "10");
}

/* --- roles --------------------------------------------------------------------------------------------------------- */

static void assert_denied(const char *role, const char *sql)
{
	char *with_mark = mem_printf("?%s", sql), *got = cluster_sql(role, with_mark);

	if (strcmp(got, "ERROR 42501") != 0)
		fail_msg("%s as %s: '%s' instead of a refusal", sql, role, got);
	free(got);
	free(with_mark);
}

static void assert_no_writing(const char *role, const char *table)
{
	char sql[100];

	snprintf(sql, sizeof(sql), "DELETE FROM scep.%s", table);
	assert_denied(role, sql);
	snprintf(sql, sizeof(sql), "TRUNCATE scep.%s", table);
	assert_denied(role, sql);
	snprintf(sql, sizeof(sql), "INSERT INTO scep.%s DEFAULT VALUES", table);
	assert_denied(role, sql);
}

static void test_roles_cannot(void **state)
{
	static const char *const tables[] = {"cert", "request", "challenge", "device", "revocation", "audit", "audit_default", "setting",
	    "issuer", "schema_version", "cert_default"};
	static const char *const web[] = {"UPDATE scep.audit SET detail = ''", "SELECT * FROM scep.challenge", "SELECT * FROM scep.audit",
	    "SELECT * FROM scep.cert", "SELECT scep.challenge_add(NULL, '', now(), now(), 1, NULL, NULL, NULL, '', NULL, NULL, NULL)",
	    "SELECT scep.challenge_check(NULL, '', '', '', NULL)", "SELECT scep.challenge_list(NULL, true)", "SELECT scep.make_partitions()",
	    "CREATE TABLE scep.x ()", "SET ROLE scep_owner"};
	static const char *const op[] = {"UPDATE scep.audit SET detail = ''", "SELECT * FROM scep.challenge",
	    "SELECT chal_h FROM scep.challenge", "SELECT scep.admit('p', NULL, NULL, NULL, '', '', NULL, NULL, NULL, 0, 0, NULL)",
	    "SELECT scep.issue('p', NULL, NULL, NULL, '', '', NULL, NULL, NULL, 0, 0, NULL, NULL, NULL, '', NULL, NULL, NULL, NULL, NULL, '', '', '', '', NULL, NULL, 0, false)",
	    "SELECT scep.poll('p', NULL, NULL)", "SET ROLE scep_owner"};
	size_t i;

	(void)state;
	make_logins();
	for (i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
		assert_no_writing("web", tables[i]);
		assert_no_writing("op", tables[i]);
	}
	for (i = 0; i < sizeof(web) / sizeof(web[0]); i++)
		assert_denied("web", web[i]);
	for (i = 0; i < sizeof(op) / sizeof(op[0]); i++)
		assert_denied("op", op[i]);
	assert_denied("stranger", "SELECT * FROM scep.schema_version");
	free(cluster_sql("op", "SELECT id FROM scep.challenge"));
}

static void assert_frozen(const char *role, const char *sql)
{
	char *got = cluster_sql(role, sql);

	assert_string_equal(got, "ERROR SC099");
	free(got);
}

/* Append-only for the owner and for superusers too, in every partition. */
static void test_audit_frozen(void **state)
{
	struct store_event e = {.kind = "test"};
	char *partition;

	(void)state;
	make_logins();
	assert_ok(store_audit(super, &e, &why));
	run_sql("INSERT INTO scep.audit (audit_id, kind, actor) VALUES ('00000000-0000-0000-0000-000000000001', 'old', '')");
	assert_frozen("postgres", "?UPDATE scep.audit SET detail = 'x'");
	assert_frozen("owning", "?DELETE FROM scep.audit");
	assert_frozen("owning", "?UPDATE scep.audit_default SET detail = 'x'");
	assert_frozen("owning", "?TRUNCATE scep.audit");
	assert_frozen("owning", "?TRUNCATE scep.audit_default");
	partition = mem_printf("?TRUNCATE scep.audit_%ld", cluster_count("SELECT to_char(now() AT TIME ZONE 'UTC', 'YYYY')"));
	assert_frozen("owning", partition);
	free(partition);
}

static void test_responder_suffices(void **state)
{
	struct store_request r = sample_request("txn", "key", "csr");
	struct store_cert cert = sample_cert("key");
	struct store_event e = {.kind = "refuse"};
	struct store_status status;
	struct store_answer a;
	struct store *web;
	int removed;

	(void)state;
	make_logins();
	web = cluster_store("web");
	free(add_challenge("secret", (struct store_challenge){0}));
	assert_ok(store_check(web, &why));
	r.challenge = BYTES_LIT("secret");
	assert_ok(store_admit(web, &r, &a, &why));
	assert_int_equal(a.verdict, STORE_GO_ON);
	store_answer_free(&a);
	assert_ok(store_issue(web, &r, &cert, &a, &why));
	assert_int_equal(a.verdict, STORE_GO_ON);
	assert_ok(store_poll(web, "default", r.txid, r.signer_spki, &a, &why));
	store_answer_free(&a);
	assert_ok(store_audit(web, &e, &why));
	assert_sql("SELECT db_role FROM scep.audit WHERE kind = 'refuse'", "web");
	assert_ok(store_maintain(web, 10, &removed, &why));
	assert_ok(store_status(web, &status, &why));
	assert_int_equal(store_check_admin(web, &why), ERR_DB);
	assert_why("GRANT scep_admin TO web");
	store_close(web);
}

static void test_admin_suffices(void **state)
{
	struct store_challenge c = {.expires = time(NULL) + 600, .uses_left = 1, .created_by = (char *)"op"}, *list;
	struct store_request r = sample_request("txn", "key", "csr");
	struct store_cert_row *rows, *row;
	struct store_status status;
	struct store_answer a;
	struct store *op;
	char *profile = NULL;
	size_t n;

	(void)state;
	make_logins();
	op = cluster_store("op");
	assert_int_equal(issue(&r, NULL), STORE_GO_ON);
	assert_ok(store_challenge_add(op, BYTES_LIT("secret"), &c, &why));
	assert_ok(store_challenge_list(op, NULL, true, 0, &list, &n, &why));
	store_challenge_list_free(list, n);
	assert_ok(store_challenge_profile(op, c.id, &profile, &why));
	assert_null(profile);
	assert_int_equal(store_challenge_profile(op, "nonsense", &profile, &why), ERR_NOT_FOUND);
	assert_ok(store_challenge_revoke(op, c.id, "op", &why));
	free(c.id);
	assert_ok(store_cert_list(op, &(struct store_cert_filter){0}, &rows, &n, &why));
	assert_ok(store_cert_show(op, rows[0].serial, &row, &why));
	store_cert_list_free(rows, n);
	store_cert_list_free(row, 1);
	assert_ok(store_status(op, &status, &why));
	assert_int_equal(status.n_certs, 1);
	assert_int_equal(status.n_challenges, 0);
	assert_int_equal(store_admit(op, &r, &a, &why), ERR_DB);
	assert_why("GRANT scep_responder");
	assert_int_equal(store_check(op, &why), ERR_DB);
	assert_why("GRANT scep_responder TO op");
	assert_ok(store_check_admin(op, &why));
	store_close(op);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    T(test_challenge_add), T(test_challenge_list), T(test_cert_list), T(test_cert_show), T(test_audit), T(test_maintain),
	    T(test_partitions), T(test_roles_cannot), T(test_audit_frozen), T(test_responder_suffices), T(test_admin_suffices),
	};

	if (!cluster_start())
		return 0;
	cluster_hurry();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
