#include "api/site.h"

#include <stdlib.h>

#include "base/file.h"
#include "base/mem.h"
#include "store/schema.h"

struct admin_site *admin_site_load(const char *conf_file, struct problems *problems)
{
	struct conf *conf = conf_read(conf_file, problems);
	struct admin_site *site;

	if (conf == NULL)
		return NULL;
	if (conf->admin.conninfo == NULL) {
		problem_add(problems, PROBLEM_ERROR, conf->file, "[admin] conninfo is missing: scep-admin.fcgi needs a database role of its own; "
		    "for example 'conninfo = dbname=scepter user=scepter_admin'");
		conf_free(conf);
		return NULL;
	}
	site = mem_alloc(sizeof(*site));
	site->conf = conf;
	return site;
}

void admin_site_free(struct admin_site *site)
{
	if (site == NULL)
		return;
	store_close(site->store);
	conf_free(site->conf);
	free(site);
}

enum err admin_site_open(struct admin_site *site, struct why *why)
{
	const struct conf *conf = site->conf;
	struct store_conf sc = {.conninfo = conf->admin.conninfo, .timeout_ms = (long)conf->db_timeout_ms, .application = "scep-admin.fcgi"};
	struct buf pepper = {0};
	enum err err = file_read_secret(conf->admin.pepper_file != NULL ? conf->admin.pepper_file : conf->pepper_file, &pepper, why);

	if (err == ERR_OK) {
		sc.pepper = buf_bytes(&pepper);
		site->store = store_open(&sc);
	}
	buf_wipe(&pepper);
	return err;
}

bool admin_site_check(const char *conf_file, struct problems *problems)
{
	struct admin_site *site = admin_site_load(conf_file, problems);
	struct why why = {0};

	if (site == NULL)
		return false;
	if (admin_site_open(site, &why) != ERR_OK || store_check_admin(site->store, &why) != ERR_OK)
		problem_why(problems, "[admin]", &why);
	admin_site_free(site);
	return problems->n_errors == 0;
}
