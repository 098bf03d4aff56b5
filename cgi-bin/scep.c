/* scep.fcgi: the SCEP responder. server/program.h has the story. */
#include "server/serve.h"

const char *argp_program_version = "scep.fcgi (scepter) " PACKAGE_VERSION;

int main(int argc, char **argv)
{
	return program_main(&scep_program, argc, argv);
}
