#include "admin/load.h"

#include <errno.h>
#include <pwd.h>
#include <stdlib.h>
#include <unistd.h>

#include "admin/verb.h"
#include "base/mem.h"
#include "ca/site.h"

void load_print_problems(const struct problems *problems)
{
	size_t i;

	for (i = 0; i < problems->n; i++)
		fprintf(stderr, "%s: %s: %s\n", problems->list[i].level == PROBLEM_ERROR ? "error" : "warning",
		    problems->list[i].where, problems->list[i].text);
}

struct conf *load_conf(const char *given)
{
	struct problems problems = {0};
	struct conf *conf = conf_read(conf_file(given), &problems);

	if (conf == NULL) {
		load_print_problems(&problems);
		fprintf(stderr, "%s: the configuration %s cannot be used as it is\n", program_invocation_name, conf_file(given));
	}
	problems_free(&problems);
	return conf;
}

const struct profile_conf *load_profile(const struct conf *conf, const char *name)
{
	const struct profile_conf *found = conf_profile(conf, name);
	const char **names, *near;
	size_t i;

	if (found != NULL)
		return found;
	names = mem_alloc((conf->n_profiles + 1) * sizeof(*names));
	for (i = 0; i < conf->n_profiles; i++)
		names[i] = conf->profiles[i]->name;
	near = nearest_word(name, names);
	fprintf(stderr, "%s: there is no profile '%s' in %s", program_invocation_name, name, conf->profiles_dir);
	if (near != NULL)
		fprintf(stderr, "; did you mean '%s'?", near);
	fputc('\n', stderr);
	free(names);
	return NULL;
}

struct store *load_store(const struct conf *conf, const char *conninfo)
{
	struct conf other = *conf;	/* the strings stay the configuration's */
	struct store *store = NULL;
	struct why why = {0};

	if (conninfo != NULL)
		other.conninfo = (char *)conninfo;
	if (site_open_store(&other, "scepter", &store, &why) == ERR_OK)
		return store;
	fprintf(stderr, "%s: %s%s\n", program_invocation_name, why.text,
	    access(conf->pepper_file, F_OK) == 0 ? "" : " (`scepter db init' makes it)");
	return NULL;
}

struct store *load_store_of(const char *conf_given, const char *conninfo)
{
	struct conf *conf = load_conf(conf_given);
	struct store *store = conf == NULL ? NULL : load_store(conf, conninfo);

	conf_free(conf);
	return store;
}

char *load_actor(void)
{
	const char *sudo = getenv("SUDO_USER");
	struct passwd *pw = getpwuid(getuid());

	if (getuid() == 0 && sudo != NULL && *sudo != '\0')
		return mem_strdup(sudo);
	return pw != NULL ? mem_strdup(pw->pw_name) : mem_printf("uid %ld", (long)getuid());
}
