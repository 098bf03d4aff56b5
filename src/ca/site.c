#include "ca/site.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "ca/crl.h"
#include "ca/overload.h"
#include "ca/profile_check.h"
#include "store/schema.h"

#define PEPPER_MIN 32

static void profiles_free(struct profile **list)
{
	for (size_t i = 0; list != NULL && list[i] != NULL; i++)
		profile_free(list[i]);
	free(list);
}

/* Profiles of the same CA keep one copy of its CRL. `list` ends with NULL. */
static void share_crl(struct profile *const *list, struct profile *p)
{
	for (; *list != NULL; list++) {
		if (bytes_eq(ca_crl_authority((*list)->crl), ca_crl_authority(p->crl))) {
			ca_crl_free(p->crl);
			p->crl = ca_crl_share((*list)->crl);
			return;
		}
	}
}

/*
 * With the pepper read now, and not after the fork: a worker that could not read it could do nothing, and one that replaces another has the
 * same as the others, whatever became of the file. Nothing is connected yet.
 */
static void prepare_store(struct site *site, struct problems *problems)
{
	const struct conf *conf = site->conf;
	struct why why = {0};
	char *where;

	if (conf->pepper_file == NULL || conf->conninfo == NULL || site_open_store(conf, "scep.fcgi", &site->store, &why) == ERR_OK)
		return;
	where = mem_printf("%s [database]", conf->file);
	check_file(where, "pepper_file", &why, problems);
	free(where);
}

/* The profile of that name; NULL: there is none, or no site. */
static const struct profile *profile_of(const struct site *site, const char *name)
{
	for (size_t i = 0; site != NULL && site->profiles[i] != NULL; i++) {
		if (strcmp(site->profiles[i]->conf->name, name) == 0)
			return site->profiles[i];
	}
	return NULL;
}

/* All that could be loaded, whatever is wrong with the rest; conf is NULL when scepter.ini could not be read. */
static struct site *load_all(const char *conf_file, time_t now, const struct site *before, struct problems *problems)
{
	struct site *site = mem_alloc(sizeof(*site));
	size_t n = 0;

	site->overload = overload_new();
	site->conf = conf_read_anyway(conf_file, problems);
	if (site->conf == NULL)
		return site;
	prepare_store(site, problems);
	site->profiles = mem_alloc((site->conf->n_profiles + 1) * sizeof(*site->profiles));
	for (size_t i = 0; i < site->conf->n_profiles; i++) {
		struct profile *p = profile_load(site->conf->profiles[i], now, profile_of(before, site->conf->profiles[i]->name), problems);

		if (p == NULL)
			continue;
		share_crl(site->profiles, p);
		site->profiles[n++] = p;
	}
	return site;
}

struct site *site_load(const char *conf_file, time_t now, const struct site *before, struct problems *problems)
{
	size_t errors = problems->n_errors;
	struct site *site = load_all(conf_file, now, before, problems);

	if (problems->n_errors == errors && site->conf != NULL)
		return site;
	site_free(site);
	return NULL;
}

void site_free(struct site *site)
{
	if (site == NULL)
		return;
	store_close(site->store);
	web_close(site->web);
	overload_free(site->overload);
	profiles_free(site->profiles);
	conf_free(site->conf);
	free(site);
}

enum err site_open_store(const struct conf *conf, const char *application, struct store **out, struct why *why)
{
	struct store_conf sc = {.conninfo = conf->conninfo, .timeout_ms = (long)conf->db_timeout_ms, .application = application};
	struct buf pepper = {0};
	enum err err;

	err = file_read_secret(conf->pepper_file, &pepper, why);
	if (err != ERR_OK)
		goto out;
	if (pepper.n < PEPPER_MIN) {
		err = fail(why, ERR_CONFIG, "%s holds %zu octets, the pepper needs at least %d: head -c 32 /dev/urandom > %s",
		    conf->pepper_file, pepper.n, PEPPER_MIN, conf->pepper_file);
		goto out;
	}
	sc.pepper = buf_bytes(&pepper);
	*out = store_open(&sc);
out:
	buf_wipe(&pepper);
	return err;
}

enum err site_open(struct site *site, struct why *why)
{
	enum err err = ERR_OK;

	site->web = web_open();
	for (size_t i = 0; err == ERR_OK && site->profiles[i] != NULL; i++) {
		err = profile_open_keys(site->profiles[i], why);
		if (err != ERR_OK)
			fail_in(why, "profile '%s'", site->profiles[i]->conf->name);
	}
	return err;
}

static void check_database(const struct site *site, struct problems *problems)
{
	const struct conf *conf = site->conf;
	struct store_conf without = {.conninfo = conf->conninfo, .timeout_ms = (long)conf->db_timeout_ms, .application = "scep.fcgi"};
	struct store *store = site->store == NULL ? store_open(&without) : NULL;
	char *where = mem_printf("%s [database]", conf->file);
	struct why why = {0};
	enum err err = store_check(store == NULL ? site->store : store, &why);

	/* a pepper that cannot be used was told when all was loaded; what else is wrong is asked without one */
	if (err != ERR_OK && (store == NULL || err != ERR_CONFIG))
		check_file(where, "conninfo", &why, problems);
	store_close(store);
	free(where);
}

bool site_check(const char *conf_file, time_t now, struct problems *problems)
{
	size_t errors = problems->n_errors;
	struct site *site = load_all(conf_file, now, NULL, problems);

	for (size_t i = 0; site->conf != NULL && site->profiles[i] != NULL; i++) {
		struct why why = {0};

		if (profile_open_keys(site->profiles[i], &why) != ERR_OK)
			problem_why(problems, site->profiles[i]->conf->file, &why);
	}
	if (site->conf != NULL && site->conf->conninfo != NULL)
		check_database(site, problems);
	site_free(site);
	return problems->n_errors == errors;
}
