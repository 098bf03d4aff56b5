#include "server/report.h"

#include "base/log.h"

void report_log(const struct problems *problems)
{
	for (size_t i = 0; i < problems->n; i++) {
		const struct problem *p = &problems->list[i];

		log_line(p->level == PROBLEM_ERROR ? LOG_ERROR_ : LOG_WARN_, "%s: %s", p->where, p->text);
	}
}

void report_print(FILE *f, const char *conf_file, const struct problems *problems)
{
	size_t n_warnings = problems->n - problems->n_errors;

	for (size_t i = 0; i < problems->n; i++) {
		const struct problem *p = &problems->list[i];

		fprintf(f, "%s: %s: %s\n", p->level == PROBLEM_ERROR ? "error" : "warning", p->where, p->text);
	}
	fprintf(f, "%s: %zu error%s, %zu warning%s\n", conf_file, problems->n_errors, problems->n_errors == 1 ? "" : "s", n_warnings,
	    n_warnings == 1 ? "" : "s");
}
