/* What the cmocka programs of this folder share: a fresh database for every test, and short names for what they ask. */
#ifndef TESTS_FIXTURE_H
#define TESTS_FIXTURE_H

#include "../unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cluster.h"
#include "base/mem.h"
#include "store/challenge.h"

extern struct store *super;	/* as superuser, who may everything: where roles do not matter */
extern struct why why;

#define assert_ok(call)                                                                   \
	do {                                                                              \
		enum err err_ = (call);                                                   \
		if (err_ != ERR_OK)                                                       \
			fail_msg("%s: %s: %s", #call, err_row(err_)->name, why.text);     \
	} while (0)
#define assert_why(text_)                                                                 \
	do {                                                                              \
		if (strstr(why.text, text_) == NULL)                                      \
			fail_msg("'%s' is not in: %s", text_, why.text);                  \
	} while (0)

int setup(void **state);
int teardown(void **state);
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

enum store_verdict admit(const struct store_request *r);
/* Issues; `cert` (may be NULL) is the certificate that the client is to get. */
enum store_verdict issue(const struct store_request *r, struct buf *cert);
enum store_verdict pend(const struct store_request *r);	/* for an hour, one approval, 10 at most */
void decide(bool approve);	/* the only request that waits, by "alice" */
enum store_verdict poll_for(const char *txid, const char *key, struct buf *cert);

/* Stores a challenge; of `c`, what is not set is: ten minutes, one use. Returns its id, which the caller frees. */
char *add_challenge(const char *secret, struct store_challenge c);

void run_sql(const char *sql);
void assert_sql(const char *sql, const char *expected);
void make_logins(void);		/* roles web, op, owning: in the three groups; stranger: in none */

#endif
