#include "conf/admin_conf.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "conf/conf.h"

static bool in_list(char *const *list, const char *name, size_t n)
{
	for (; list != NULL && *list != NULL; list++) {
		if (strlen(*list) == n && memcmp(*list, name, n) == 0)
			return true;
	}
	return false;
}

/* A mistyped pair would bind nobody, and that user would be free: nothing unknown is taken. */
static void check_pair(const struct conf *conf, const char *pair, struct problems *problems)
{
	static const char key[] = "[admin] challenge_profiles";
	const char *colon = strrchr(pair, ':');
	char *const *users = conf->admin.users;

	if (colon == NULL || colon == pair || colon[1] == '\0')
		problem_in(problems, conf->file, key, "'%.80s' is no pair; write USER:PROFILE", pair);
	else if (users != NULL && strcmp(users[0], ADMIN_USERS_ANY) != 0 && !in_list(users, pair, (size_t)(colon - pair)))
		problem_in(problems, conf->file, key, "'%.80s' is for a user who is not in 'users'; add the name there, or take the pair out", pair);
	else if (conf_profile(conf, colon + 1) == NULL)
		problem_in(problems, conf->file, key, "'%.80s' names a profile that is not there, or has errors", pair);
}

static void check_users(const struct conf *conf, struct problems *problems)
{
	char *const *users = conf->admin.users;

	if (users == NULL)
		problem_in(problems, conf->file, "[admin] users", "missing beside conninfo: nobody would be served; name who may, or write 'any'");
	else if (users[1] != NULL && in_list(users, ADMIN_USERS_ANY, strlen(ADMIN_USERS_ANY)))
		problem_in(problems, conf->file, "[admin] users", "'any' beside other names makes these useless; write either");
}

static bool is_below(const char *path, const char *base)
{
	size_t n = strlen(base);

	return strncmp(path, base, n) == 0 && (path[n] == '/' || path[n] == '\0');
}

void admin_conf_check(const struct conf *conf, struct problems *problems)
{
	const struct admin_conf *a = &conf->admin;

	if (a->conninfo == NULL) {
		if (a->users != NULL)
			problem_in(problems, conf->file, "[admin] conninfo", "missing beside users: scep-admin.fcgi needs a database role of its own; "
			    "for example 'conninfo = dbname=scepter user=scepter_admin'");
		return;
	}
	check_users(conf, problems);
	for (char **pair = a->challenge_profiles; pair != NULL && *pair != NULL; pair++)
		check_pair(conf, *pair, problems);
	if (conf->base_path != NULL && (is_below(a->base_path, conf->base_path) || is_below(conf->base_path, a->base_path)))
		problem_in(problems, conf->file, "[admin] base_path", "'%s' and base_path '%s' of [server] are one inside the other; choose another", a->base_path,
		    conf->base_path);
}
