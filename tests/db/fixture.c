#include "fixture.h"

#include "store/request.h"
#include "store/challenge.h"
#include "store/schema.h"

struct store *super;
struct why why;

int setup(void **state)
{
	(void)state;
	memset(&why, 0, sizeof(why));
	cluster_new_database();
	super = cluster_store("postgres");
	assert_ok(store_init(super, &why));
	return 0;
}

int teardown(void **state)
{
	(void)state;
	store_close(super);
	super = NULL;
	return 0;
}

enum store_verdict admit(const struct store_request *r)
{
	struct store_answer a;

	enum store_verdict verdict;

	assert_ok(store_admit(super, r, &a, &why));
	verdict = a.verdict;
	store_answer_free(&a);
	return verdict;
}

enum store_verdict issue(const struct store_request *r, struct buf *cert)
{
	struct store_cert c = sample_cert("key");
	struct store_answer a;

	assert_ok(store_issue(super, r, &c, &a, &why));
	if (cert != NULL) {
		*cert = (struct buf){0};
		buf_add_bytes(cert, a.verdict == STORE_GO_ON ? c.der : buf_bytes(&a.cert));
	}
	enum store_verdict verdict = a.verdict;

	store_answer_free(&a);
	return verdict;
}

enum store_verdict poll_for(const char *txid, const char *key, struct buf *cert)
{
	struct store_answer a;

	assert_ok(store_poll(super, "default", bytes_str(txid), bytes_str(key), &a, &why));
	enum store_verdict verdict = a.verdict;

	if (cert != NULL) {
		*cert = a.cert;
		a.cert = (struct buf){0};
	}
	store_answer_free(&a);
	return verdict;
}

char *add_challenge(const char *secret, struct store_challenge c)
{
	if (c.expires == 0)
		c.expires = time(NULL) + 600;
	if (c.uses_left == 0)
		c.uses_left = 1;
	c.created_by = (char *)"tester";
	assert_ok(store_challenge_add(super, bytes_str(secret), &c, &why));
	assert_int_equal(strlen(c.id), 8);
	return c.id;
}

void run_sql(const char *sql)
{
	free(cluster_sql("postgres", sql));
}

void assert_sql(const char *sql, const char *expected)
{
	char *got = cluster_sql("postgres", sql);

	assert_string_equal(got, expected);
	free(got);
}

void make_logins(void)
{
	run_sql("DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'web') THEN CREATE ROLE web LOGIN IN ROLE scep_responder; "
		"CREATE ROLE op LOGIN IN ROLE scep_admin; CREATE ROLE stranger LOGIN; CREATE ROLE owning LOGIN IN ROLE scep_owner; END IF; "
		"END $$");
}

enum store_verdict pend(const struct store_request *r)
{
	struct store_pend p = {
	    .secret = BYTES_LIT("the request"), .sans = "", .key = "RSA 2048", .requester = "a test", .approvals = 1, .keep_s = 3600, .most = 10};
	struct store_answer answer = {0};
	enum store_verdict verdict;

	assert_ok(store_pend(super, r, &p, &answer, &why));
	verdict = answer.verdict;
	store_answer_free(&answer);
	return verdict;
}

void decide(bool approve)
{
	struct store_request_row *list;
	bool final = false;
	size_t n;

	assert_ok(store_request_list(super, NULL, NULL, false, &list, &n, &why));
	assert_int_equal(n, 1);
	assert_ok(store_request_decide(super, list[0].id, approve, "alice", approve ? NULL : "not ours", &final, &why));
	assert_true(final);
	store_request_list_free(list, n);
}
