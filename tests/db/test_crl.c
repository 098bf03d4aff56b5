/* Revocation and CRLs on a real database: what is listed, for how long, and who publishes when sixteen try. */
#include "fixture.h"

#include <unistd.h>

#include "crew.h"
#include "store/crl.h"
#include "store/revoke.h"

#define ROUNDS 100
#define CA BYTES_LIT("name and key")

/* Issues one certificate of the authority; its serial number in hexadecimal, which the caller frees. */
static char *new_cert(const char *txid, long lasts)
{
	struct store_request r = sample_request(txid, txid, txid);
	struct store_cert c = sample_cert(txid);
	struct store_answer a;
	char *serial = mem_alloc(2 * STORE_SERIAL_SIZE + 1);

	c.authority = CA;
	c.not_before = time(NULL) - 86400;
	c.not_after = time(NULL) + lasts;
	assert_ok(store_issue(super, &r, &c, &a, &why));
	assert_int_equal(a.verdict, STORE_GO_ON);
	for (size_t i = 0; i < STORE_SERIAL_SIZE; i++)
		snprintf(serial + 2 * i, 3, "%02x", c.serial[i]);
	return serial;
}

static struct store_revoked revoke_it(const char *serial, int reason)
{
	struct store_revocation r = {.serial = serial, .reason = reason, .reason_name = "why not", .actor = "alice"};
	struct store_revoked out = {0};

	assert_ok(store_revoke(super, &r, &out, &why));
	return out;
}

static struct store_crl check(long known)
{
	struct store_crl crl;

	assert_ok(store_crl_check(super, CA, known, &crl, &why));
	return crl;
}

/* Publishes the next CRL, which lists `n`. */
static void publish(size_t n, const char *der)
{
	struct store_crl_list list;
	struct store_crl_signed crl = {.list = &list, .der = bytes_str(der), .actor = "here"};
	bool won = false;

	assert_ok(store_crl_entries(super, CA, &list, &why));
	assert_int_equal(list.n, n);
	crl.this_update = list.now;
	crl.next_update = list.now + 3600;
	assert_ok(store_crl_publish(super, CA, &crl, &won, &why));
	assert_true(won);
	store_crl_list_free(&list);
}

static void test_revoke(void **state)
{
	char *serial = new_cert("t", 3600), *other = new_cert("u", 3600);
	struct store_revocation r = {.serial = "0102", .reason = 1, .reason_name = "x", .actor = "alice"};
	struct store_revoked done;

	(void)state;
	done = revoke_it(serial, 1);
	assert_true(!done.before && done.reason == 1 && done.at >= time(NULL) - 600);
	done = revoke_it(serial, 4);	/* the first one holds */
	assert_true(done.before && done.reason == 1);
	assert_sql("SELECT string_agg(kind || ' ' || actor || ' ' || detail, ';') FROM scep.audit WHERE kind = 'revoke'",
	    "revoke alice CN=device-1, why not");
	assert_int_equal(store_revoke(super, &r, &done, &why), ERR_NOT_FOUND);
	r.serial = "no number";
	assert_int_equal(store_revoke(super, &r, &done, &why), ERR_NOT_FOUND);
	run_sql("INSERT INTO scep.revocation (cert_id, revoked_at, reason, actor) SELECT cert_id, now() + interval '7 days', 4, 'renewal' "
		"FROM scep.cert WHERE cert_id NOT IN (SELECT cert_id FROM scep.revocation)");
	done = revoke_it(other, 1);	/* brought forward */
	assert_true(!done.before && done.reason == 1 && done.at <= time(NULL) + 600);
	assert_sql("SELECT count(*) FROM scep.revocation WHERE revoked_at > now()", "0");
	free(serial);
	free(other);
}

/* An entry stays until a CRL had it that was made after the certificate's end (RFC 5280, 3.3); later revocations wait for their time. */
static void test_life_of_an_entry(void **state)
{
	char *serial = new_cert("t", 3600), *later = new_cert("u", 3600);
	struct store_crl crl;

	(void)state;
	crl = check(0);
	assert_true(crl.number == 0 && !crl.waits && crl.der.n == 0);
	publish(0, "first");
	revoke_it(serial, 1);
	run_sql("INSERT INTO scep.revocation (cert_id, revoked_at, reason, actor) SELECT cert_id, now() + interval '1 hour', 4, 'renewal' "
		"FROM scep.cert WHERE cert_id NOT IN (SELECT cert_id FROM scep.revocation)");
	crl = check(0);
	assert_true(crl.number > 0 && crl.waits);
	assert_true(bytes_eq_str(buf_bytes(&crl.der), "first"));
	buf_free(&crl.der);
	publish(1, "second");
	crl = check(check(STORE_CRL_NO_OCTETS).number);
	assert_true(!crl.waits && crl.der.n == 0);
	assert_true(crl.next_update == crl.this_update + 3600);
	run_sql("UPDATE scep.crl SET this_update = now() - interval '10 seconds'");
	run_sql("UPDATE scep.revocation SET not_after = now() - interval '1 second' WHERE reason = 1");
	publish(1, "third");	/* the second was made before its end */
	run_sql("UPDATE scep.crl SET this_update = now()");
	publish(0, "fourth");
	run_sql("UPDATE scep.revocation SET revoked_at = now(), not_after = now() - interval '1 hour' WHERE reason = 4");
	assert_true(check(STORE_CRL_NO_OCTETS).waits);
	publish(1, "fifth");	/* revoked after its end: on one CRL all the same */
	publish(0, "sixth");
	assert_sql("SELECT count(*) FROM scep.audit WHERE kind = 'crl' AND detail ~ '^CRL [0-9]+ with 1 entries, 1 of them new$'", "2");
	free(serial);
	free(later);
}

static void test_only_the_last_ten_are_kept(void **state)
{
	(void)state;
	free(new_cert("t", 3600));
	for (int i = 0; i < 15; i++)
		publish(0, "x");
	assert_sql("SELECT count(*) || ' ' || bool_and(l.number > a.crl_number - 10) || ' ' || count(*) FILTER (WHERE l.number = a.crl_number) "
		   "FROM scep.crl l JOIN scep.authority a USING (authority_id)", "10 true 1");
}

/*
 * A database that was restored does not know the numbers given out since its backup, of which there was less than one a second. Several in
 * one second count on, also where the clock has gone back.
 */
static void test_numbers_after_a_restore(void **state)
{
	long before, now = (long)time(NULL);

	(void)state;
	free(new_cert("t", 3600));
	for (int i = 0; i < 3; i++)
		publish(0, "x");
	assert_in_range(check(STORE_CRL_NO_OCTETS).number, now, now + 600);
	run_sql("DELETE FROM scep.crl");
	run_sql("UPDATE scep.authority SET crl_number = 5");
	publish(0, "restored");
	before = check(STORE_CRL_NO_OCTETS).number;
	assert_in_range(before, now, now + 600);
	run_sql("UPDATE scep.crl SET number = 4000000000");
	run_sql("UPDATE scep.authority SET crl_number = 4000000000");
	publish(0, "by a clock that went back");
	assert_int_equal(check(STORE_CRL_NO_OCTETS).number, 4000000001L);
}

static void test_authorities(void **state)
{
	struct store_crl crl;
	char *serial = new_cert("t", 3600);
	struct store_lookup_of of = {.authority = CA};
	struct store_found found = {0};
	struct buf octets = {0};

	(void)state;
	assert_int_equal(store_crl_check(super, BYTES_LIT("somebody else"), 0, &crl, &why), ERR_NOT_FOUND);
	assert_ok(store_issuer_add(super, BYTES_LIT("renewed certificate"), CA, &why));
	assert_ok(store_issuer_add(super, BYTES_LIT("renewed certificate"), CA, &why));
	assert_sql("SELECT count(*) || ' ' || count(DISTINCT authority_id) FROM scep.issuer", "2 1");
	assert_ok(store_issuer_add(super, BYTES_LIT("another CA"), BYTES_LIT("somebody else"), &why));
	revoke_it(serial, 1);
	assert_ok(store_crl_check(super, BYTES_LIT("somebody else"), 0, &crl, &why));
	assert_false(crl.waits);
	assert_true(check(0).waits);
	buf_grow(&octets, STORE_SERIAL_SIZE);
	for (size_t i = 0; i < STORE_SERIAL_SIZE; i++)
		sscanf(serial + 2 * i, "%2hhx", &octets.p[i]);
	of.serial = of.signer_serial = buf_bytes(&octets);
	assert_ok(store_lookup(super, &of, &found, &why));
	assert_true(found.cert.n == 1000 && found.signer.n == 1000 && found.signer_revoked);
	store_found_free(&found);
	of.authority = BYTES_LIT("somebody else");
	for (size_t i = 0; i < 2; i++) {
		of.profile = i == 0 ? NULL : "elsewhere";
		assert_ok(store_lookup(super, &of, &found, &why));
		assert_true(found.cert.n == 0 && found.signer.n == 0);
		store_found_free(&found);
	}
	of.profile = "default";		/* where a CA before this one issued it */
	assert_ok(store_lookup(super, &of, &found, &why));
	assert_true(found.cert.n == 1000 && found.signer.n == 1000 && found.signer_revoked);
	store_found_free(&found);
	of = (struct store_lookup_of){.authority = CA, .serial = BYTES_LIT("\1")};
	assert_ok(store_lookup(super, &of, &found, &why));
	assert_true(found.cert.n == 0 && found.signer.n == 0 && !found.signer_revoked);
	store_found_free(&found);
	buf_free(&octets);
	free(serial);
}

/* --- sixteen at once ---------------------------------------------------------------------------------------------- */

static int (*winners)[CREW], (*takers)[CREW];

static void race(int number)
{
	struct store *s = cluster_store("web");
	char der[40];

	for (int i = 0; i < ROUNDS; i++) {
		struct store_crl_list list;
		struct store_crl_signed crl = {.list = &list, .actor = "crew"};
		bool won = false, taken = false;
		struct store_crl last;

		assert_ok(store_crl_check(s, CA, STORE_CRL_NO_OCTETS, &last, &why));
		crew_together();
		assert_ok(store_crl_take(s, CA, last.number, 3600, &taken, &why));
		takers[i][number] = taken;
		crew_together();
		assert_ok(store_crl_entries(s, CA, &list, &why));
		snprintf(der, sizeof(der), "%d by %d", i, number);
		crl.der = bytes_str(der);
		crl.this_update = list.now;
		crl.next_update = list.now + 60;
		assert_int_equal(list.after, last.number);
		assert_true(list.number > last.number);
		crew_together();
		assert_ok(store_crl_publish(s, CA, &crl, &won, &why));
		winners[i][number] = won;
		crew_together();
		store_crl_list_free(&list);
	}
	store_close(s);
}

static void test_race(void **state)
{
	(void)state;
	make_logins();
	winners = crew_memory(ROUNDS * sizeof(*winners));
	takers = crew_memory(ROUNDS * sizeof(*takers));
	free(new_cert("t", 3600));
	crew_start(CREW, race);
	assert_int_equal(crew_wait(), 0);
	for (int i = 0; i < ROUNDS; i++) {
		int won = 0, took = 0;

		for (int k = 0; k < CREW; k++) {
			won += winners[i][k];
			took += takers[i][k];
		}
		assert_int_equal(won, 1);
		assert_int_equal(took, 1);
	}
	assert_sql("SELECT count(DISTINCT substring(detail FROM 'CRL ([0-9]+)')) FROM scep.audit WHERE kind = 'crl'", "100");
}

/* A lease of somebody who died runs out; publishing ends it at once. */
static void test_take_runs_out(void **state)
{
	bool taken;

	(void)state;
	free(new_cert("t", 3600));
	assert_ok(store_crl_take(super, CA, 0, 3600, &taken, &why));
	assert_true(taken);
	assert_ok(store_crl_take(super, CA, 0, 3600, &taken, &why));
	assert_false(taken);
	run_sql("UPDATE scep.authority SET busy_until = clock_timestamp()");
	assert_ok(store_crl_take(super, CA, 0, 60, &taken, &why));
	assert_true(taken);
	publish(0, "x");
	assert_ok(store_crl_take(super, CA, 0, 60, &taken, &why));	/* after one that has its successor already */
	assert_false(taken);
	assert_ok(store_crl_take(super, CA, check(STORE_CRL_NO_OCTETS).number, 60, &taken, &why));
	assert_true(taken);
}

/* The same call made again after a lost answer is still the winner; the same number with other octets is not. */
static void test_publish_is_repeatable(void **state)
{
	struct store_crl_list list;
	struct store_crl_signed crl = {.list = &list, .der = BYTES_LIT("mine"), .actor = "me"};
	bool won = false;

	(void)state;
	free(new_cert("t", 3600));
	assert_ok(store_crl_entries(super, CA, &list, &why));
	crl.this_update = list.now;
	crl.next_update = list.now + 60;
	for (int i = 0; i < 2; i++) {
		assert_ok(store_crl_publish(super, CA, &crl, &won, &why));
		assert_true(won);
	}
	crl.der = BYTES_LIT("yours");
	assert_ok(store_crl_publish(super, CA, &crl, &won, &why));
	assert_false(won);
	assert_sql("SELECT string_agg(convert_from(der, 'UTF8'), ',') FROM scep.crl", "mine");
	store_crl_list_free(&list);
}

static void test_many(void **state)
{
	struct store_crl_list list;
	struct store_crl_signed crl = {.list = &list, .der = BYTES_LIT("large"), .actor = "me"};
	bool won = false;

	(void)state;
	free(new_cert("t", 3600));
	run_sql("INSERT INTO scep.cert SELECT (lpad(to_hex(g), 8, '0') || repeat('1', 24))::uuid, now(), not_before, not_after, issuer_id, "
		"spki_sha256, profile, txid, device, requester, subject, sans, '\\x00' FROM scep.cert, generate_series(200000000, 200049999) g");
	run_sql("INSERT INTO scep.revocation (cert_id, reason, actor) SELECT cert_id, 1, 'x' FROM scep.cert WHERE der = '\\x00'");
	assert_ok(store_crl_entries(super, CA, &list, &why));
	assert_int_equal(list.n, 50000);
	assert_true(list.entries[49999].fresh && list.entries[49999].reason == 1);
	crl.this_update = list.now;
	crl.next_update = list.now + 60;
	assert_ok(store_crl_publish(super, CA, &crl, &won, &why));
	assert_true(won);
	assert_sql("SELECT count(*) FROM scep.revocation v JOIN scep.authority a ON v.listed_by = a.crl_number", "50000");
	store_crl_list_free(&list);
}

static void test_roles(void **state)
{
	struct store *op, *web;
	struct store_revocation r = {.serial = "01", .reason = 1, .reason_name = "x", .actor = "alice"};
	struct store_revoked done;
	struct store_crl crl;
	bool taken;

	(void)state;
	make_logins();
	free(new_cert("t", 3600));
	op = cluster_store("op");
	web = cluster_store("web");
	assert_ok(store_crl_check(op, CA, 0, &crl, &why));
	assert_int_equal(store_crl_take(op, CA, 0, 1, &taken, &why), ERR_DB);	/* operators do not publish ... */
	assert_ok(store_crl_take(web, CA, 0, 1, &taken, &why));
	assert_int_equal(store_revoke(op, &r, &done, &why), ERR_NOT_FOUND);
	assert_int_equal(store_revoke(web, &r, &done, &why), ERR_DB);		/* ... and the responder does not revoke */
	store_close(op);
	store_close(web);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    T(test_revoke), T(test_life_of_an_entry), T(test_only_the_last_ten_are_kept), T(test_numbers_after_a_restore), T(test_authorities), T(test_race),
	    T(test_take_runs_out), T(test_publish_is_repeatable), T(test_many), T(test_roles),
	};

	if (!cluster_start())
		return 0;
	cluster_hurry();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
