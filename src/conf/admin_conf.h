/* [admin] of scepter.ini: what scep-admin.fcgi answers to whom. */
#ifndef CONF_ADMIN_CONF_H
#define CONF_ADMIN_CONF_H

#include <stdint.h>

struct conf;
struct problems;

struct admin_conf {
	char *base_path;	/* "/scep-admin" */
	char **users;		/* REMOTE_USER of those who may; "any" alone: everybody whom the web server lets in; NULL: nobody */
	char **challenge_profiles;	/* "USER:PROFILE": USER makes challenges for these profiles only; NULL: nobody is bound so */
	char *conninfo;		/* as a member of scep_admin; NULL: scep-admin.fcgi is not used */
	char *pepper_file;	/* a copy that its user can read; NULL: that of [database] */
	char *listen;
	unsigned listen_mode;
	int64_t workers;
};

#define ADMIN_USERS_ANY "any"

/* What no row of the table can say alone. */
void admin_conf_check(const struct conf *conf, struct problems *problems);

#endif
