/* scepter: the command line. */
#include <argp.h>

#include "admin/print.h"
#include "admin/verb.h"
#include "base/log.h"
#include "base/mem.h"

const char *argp_program_version = "scepter " PACKAGE_VERSION;

int main(int argc, char **argv)
{
	int code;

	mem_no_core();
	argp_err_exit_status = EXIT_USAGE;
	log_open(LOG_TO_STDERR, LOG_WARN_, "scepter");
	code = verbs_main(argc, argv);
	if (!print_finish() && code == EXIT_OK)
		code = EXIT_FAILED;
	return code;
}
