/* What start-up, reload and --check tell the operator. */
#ifndef SERVER_REPORT_H
#define SERVER_REPORT_H

#include <stdio.h>

#include "base/problems.h"

/* Every problem as a log line. */
void report_log(const struct problems *problems);

/* Every problem as a line of text, and how many there are. */
void report_print(FILE *f, const char *conf_file, const struct problems *problems);

#endif
