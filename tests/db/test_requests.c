/* Requests that wait for people: queued, listed, decided, sealed. */
#include "fixture.h"

#include "store/request.h"
#include "store/challenge.h"

static struct store_pend sample_pend(void)
{
	return (struct store_pend){
	    .secret = BYTES_LIT("a PKCS#10 with its challenge"), .sans = "DNS:a.example", .key = "RSA 2048", .requester = "a test",
	    .approvals = 1, .keep_s = 3600, .most = 10};
}

static enum store_verdict pend_as(const struct store_request *r, const struct store_pend *p)
{
	struct store_answer answer = {0};
	enum store_verdict verdict;

	assert_ok(store_pend(super, r, p, &answer, &why));
	verdict = answer.verdict;
	store_answer_free(&answer);
	return verdict;
}

/* The id of the only request; the caller frees. */
static char *only_id(void)
{
	struct store_request_row *list;
	size_t n;
	char *id;

	assert_ok(store_request_list(super, NULL, NULL, true, &list, &n, &why));
	assert_int_equal(n, 1);
	id = mem_strdup(list[0].id);
	store_request_list_free(list, n);
	return id;
}

static void test_queued_once_and_listed(void **state)
{
	struct store_request r = sample_request("txn", "key", "csr");
	struct store_pend p = sample_pend();
	struct store_request_row *list;
	size_t n;

	(void)state;
	assert_int_equal(pend_as(&r, &p), STORE_PENDING);
	assert_int_equal(pend_as(&r, &p), STORE_PENDING);
	assert_ok(store_request_list(super, "default", NULL, false, &list, &n, &why));
	assert_int_equal(n, 1);
	assert_string_equal(list[0].sans, "DNS:a.example");
	assert_string_equal(list[0].key, "RSA 2048");
	assert_int_equal(list[0].state, REQUEST_PENDING);
	assert_null(list[0].approved_by);
	store_request_list_free(list, n);
	assert_ok(store_request_list(super, "another", NULL, false, &list, &n, &why));
	assert_int_equal(n, 0);
	store_request_list_free(list, n);
	assert_sql("SELECT count(*) FROM scep.audit WHERE kind = 'pend'", "1");
}

/* What is stored does not hold the challenge in clear, and comes back as it was when it was approved. */
static void test_sealed(void **state)
{
	struct store_request r = sample_request("txn", "key", "csr");
	struct store_pend p = sample_pend();
	struct store_answer answer = {0};

	(void)state;
	assert_int_equal(pend_as(&r, &p), STORE_PENDING);
	assert_sql("SELECT position('challenge'::bytea IN sealed) FROM scep.request", "0");
	decide(true);
	assert_ok(store_poll(super, "default", BYTES_LIT("txn"), BYTES_LIT("key"), &answer, &why));
	assert_int_equal(answer.verdict, STORE_APPROVED);
	assert_true(bytes_eq(buf_bytes(&answer.secret), p.secret));
	store_answer_free(&answer);
	run_sql("UPDATE scep.request SET sealed = set_byte(sealed, 20, get_byte(sealed, 20) # 1)");
	assert_int_equal(store_poll(super, "default", BYTES_LIT("txn"), BYTES_LIT("key"), &answer, &why), ERR_DB);
	assert_why("pepper_file");
}

static void test_challenge_is_spent_when_queued(void **state)
{
	struct store_request r = sample_request("txn", "key", "csr"), other = sample_request("txn2", "key2", "csr2");
	struct store_pend p = sample_pend();

	(void)state;
	free(add_challenge("secret", (struct store_challenge){0}));
	r.challenge = other.challenge = BYTES_LIT("secret");
	assert_int_equal(pend_as(&r, &p), STORE_PENDING);
	assert_int_equal(pend_as(&other, &p), STORE_CHALLENGE);
	assert_sql("SELECT uses_left FROM scep.challenge", "0");
	assert_sql("SELECT count(*) FROM scep.request", "1");
	decide(true);
	assert_int_equal(issue(&r, NULL), STORE_GO_ON);	/* not asked for it again */
	assert_sql("SELECT count(*) FROM scep.request WHERE sealed IS NOT NULL", "0");
}

static void test_two_people(void **state)
{
	struct store_request r = sample_request("txn", "key", "csr");
	struct store_pend p = sample_pend();
	bool final = true;
	char *id;

	(void)state;
	p.approvals = 2;
	assert_int_equal(pend_as(&r, &p), STORE_PENDING);
	id = only_id();
	assert_ok(store_request_decide(super, id, true, "alice", NULL, &final, &why));
	assert_false(final);
	assert_int_equal(admit(&r), STORE_PENDING);
	assert_int_equal(store_request_decide(super, id, true, "alice", NULL, &final, &why), ERR_CONFLICT);
	assert_why("somebody else");
	assert_ok(store_request_decide(super, id, true, "bob", NULL, &final, &why));
	assert_true(final);
	assert_int_equal(admit(&r), STORE_APPROVED);
	assert_int_equal(store_request_decide(super, id, false, "carol", NULL, &final, &why), ERR_CONFLICT);
	assert_int_equal(store_request_decide(super, "nosuchid", true, "carol", NULL, &final, &why), ERR_NOT_FOUND);
	assert_sql("SELECT string_agg(actor, ' ' ORDER BY at) FROM scep.audit WHERE kind = 'approve'", "alice bob");
	free(id);
}

static void test_rejected_with_a_reason(void **state)
{
	struct store_request r = sample_request("txn", "key", "csr");
	struct store_pend p = sample_pend();
	struct store_answer answer = {0};

	(void)state;
	assert_int_equal(pend_as(&r, &p), STORE_PENDING);
	decide(false);
	assert_ok(store_poll(super, "default", BYTES_LIT("txn"), BYTES_LIT("key"), &answer, &why));
	assert_int_equal(answer.verdict, STORE_REJECTED);
	assert_string_equal(answer.reason, "not ours");
	store_answer_free(&answer);
	assert_int_equal(pend_as(&r, &p), STORE_REJECTED);
	assert_sql("SELECT count(*) FROM scep.request WHERE sealed IS NOT NULL", "0");
}

static void test_queue_is_bounded(void **state)
{
	struct store_pend p = sample_pend();
	struct store_request one = sample_request("txn1", "key", "csr"), two = sample_request("txn2", "key", "csr");

	(void)state;
	p.most = 1;
	assert_int_equal(pend_as(&one, &p), STORE_PENDING);
	assert_int_equal(pend_as(&two, &p), STORE_QUEUE_FULL);
	assert_why("approve or reject");
	assert_int_equal(pend_as(&one, &p), STORE_PENDING);
	assert_sql("SELECT count(*) FROM scep.request", "1");
}

static void test_expired_makes_room(void **state)
{
	struct store_request r = sample_request("txn", "key", "csr"), other = sample_request("txn", "key", "another csr");
	struct store_pend p = sample_pend();
	struct store_request_row *list;
	size_t n;

	(void)state;
	assert_int_equal(pend_as(&r, &p), STORE_PENDING);
	assert_int_equal(pend_as(&other, &p), STORE_OTHER_PENDING);
	run_sql("UPDATE scep.request SET expires_at = now() - interval '1 second'");
	assert_ok(store_request_list(super, NULL, NULL, true, &list, &n, &why));
	assert_int_equal(list[0].state, REQUEST_EXPIRED);
	store_request_list_free(list, n);
	assert_int_equal(pend_as(&other, &p), STORE_PENDING);
	assert_int_equal(poll_for("txn", "key", NULL), STORE_PENDING);
}

/* Those that nobody decided in time do not keep others out until housekeeping comes by: nobody could reject them any more. */
static void test_expired_make_room_in_the_queue(void **state)
{
	struct store_request r = sample_request("first", "key", "csr"), other = sample_request("second", "key", "csr");
	struct store_pend p = sample_pend();

	(void)state;
	p.most = 1;
	assert_int_equal(pend_as(&r, &p), STORE_PENDING);
	assert_int_equal(pend_as(&other, &p), STORE_QUEUE_FULL);
	run_sql("UPDATE scep.request SET expires_at = now()");
	assert_int_equal(pend_as(&other, &p), STORE_PENDING);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    T(test_queued_once_and_listed), T(test_sealed), T(test_challenge_is_spent_when_queued), T(test_two_people),
	    T(test_rejected_with_a_reason), T(test_queue_is_bounded), T(test_expired_makes_room),
	    T(test_expired_make_room_in_the_queue),
	};

	if (!cluster_start())
		return 0;
	cluster_hurry();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
