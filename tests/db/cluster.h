/* For the database tests: a private cluster for the life of the program, its databases, and plain SQL beside the code under test. */
#ifndef TESTS_CLUSTER_H
#define TESTS_CLUSTER_H

#include <stdbool.h>

#include "store/enrol.h"

/* Starts the cluster, to be removed at exit. False, with a TAP line that says "skipped": PostgreSQL is not installed. */
bool cluster_start(void);
void cluster_hurry(void);		/* no fsync: what a power cut would lose is of no interest to tests, a killed server loses nothing */
void cluster_restart(void);		/* fast */
void cluster_kill(void);		/* SIGKILL to the postmaster, then start again */

int cluster_pid(void);			/* the postmaster's */

/* Conninfo for a role and the database chosen last. The buffer is static. */
const char *cluster_conninfo(const char *role);

/* A new empty database, which cluster_conninfo names from now on. */
void cluster_new_database(void);

/*
 * The first column of the first row as text, "" when there is none; the caller frees. Ends the program when the statement fails, unless
 * it begins with '?': then the result is "ERROR " and the SQLSTATE.
 */
char *cluster_sql(const char *role, const char *sql);
long cluster_count(const char *sql);	/* as superuser */

#define CLUSTER_PATIENCE_MS 60000	/* of a store whose calls are to succeed, however slow the machine */

/* A store with a test pepper. */
struct store *cluster_store(const char *role);
struct store *cluster_store_to(const char *conninfo, long timeout_ms);

/* A request, and a certificate to go with it; the strings are borrowed. */
struct store_request sample_request(const char *txid, const char *key, const char *csr);
struct store_cert sample_cert(const char *key);		/* a fresh serial, and DER that begins with it; 64 are valid at a time */

#endif
