/* scep-admin.fcgi: challenges made by HTTP. server/program.h has the story. */
#include "api/program.h"

const char *argp_program_version = "scep-admin.fcgi (scepter) " PACKAGE_VERSION;

int main(int argc, char **argv)
{
	return program_main(&admin_program, argc, argv);
}
