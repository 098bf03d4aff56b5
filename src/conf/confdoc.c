/* Prints what is generated from the table of settings: confdoc server | profile | manual (see update-conf-docs). */
#include <stdio.h>
#include <string.h>

#include "conf/conf.h"

int main(int argc, char *argv[])
{
	const char *what = argc == 2 ? argv[1] : "";

	if (strcmp(what, "server") == 0) {
		conf_print(stdout, NULL);
	} else if (strcmp(what, "profile") == 0) {
		conf_print_profile(stdout, NULL);
	} else if (strcmp(what, "manual") == 0) {
		conf_print_manual(stdout);
	} else {
		fputs("usage: confdoc server | profile | manual\n", stderr);
		return 2;
	}
	return fflush(stdout) != 0;
}
