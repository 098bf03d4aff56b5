/* What start-up, reload and --check tell the operator. */
#ifndef SERVER_REPORT_H
#define SERVER_REPORT_H

#include <stdio.h>

#include "base/problems.h"
#include "ca/site.h"

/* Every problem as a log line. */
void report_log(const struct problems *problems);

/* Every problem as a line of text, and how many there are. */
void report_print(FILE *f, const char *conf_file, const struct problems *problems);

/* The profiles with the SHA-256 fingerprints of their CA certificates: the only root of trust that SCEP has (P-42). */
void report_profiles(const struct site *site);

#endif
