/* scepter check: what scep.fcgi --check says, before it is asked. */
#include <stdio.h>

#include "admin/load.h"
#include "admin/opts.h"
#include "admin/print.h"
#include "admin/verb.h"
#include "admin/verbs.h"
#include "ca/site.h"

struct args {
	const char *conf;
	bool json;
};

static const struct opt table[] = {
    OPT_CONF(struct args),
    OPT_JSON(struct args),
    {NULL, 0, OPT_FLAG, 0, NULL, NULL},
};

static const struct opts opts = {
    .doc = "Reads the configuration, its profiles, keys and certificates, and asks the database: says everything that is wrong."
	   " Run it as the user that the responder runs as.",
    .table = table,
};

static void print_problems(const struct problems *problems)
{
	struct json_object *array = json_object_new_array();
	size_t i;

	for (i = 0; i < problems->n; i++) {
		struct json_object *o = json_object_new_object();

		put_text(o, "level", problems->list[i].level == PROBLEM_ERROR ? "error" : "warning");
		put_text(o, "where", problems->list[i].where);
		put_text(o, "text", problems->list[i].text);
		json_object_array_add(array, o);
	}
	print_json(array);
}

int check_run(int argc, char **argv)
{
	struct args args = {0};
	struct problems problems = {0};
	bool ok;

	opts_parse(&opts, argc, argv, &args);
	ok = site_check(conf_file(args.conf), time(NULL), &problems);
	if (args.json)
		print_problems(&problems);
	else
		load_print_problems(&problems);
	if (!args.json && ok)
		printf("%s: in order%s\n", conf_file(args.conf), problems.n > 0 ? ", with warnings" : "");
	else if (!args.json)
		fprintf(stderr, "%s: %zu error%s\n", conf_file(args.conf), problems.n_errors, problems.n_errors == 1 ? "" : "s");
	problems_free(&problems);
	return ok ? EXIT_OK : EXIT_CONFIG;
}
