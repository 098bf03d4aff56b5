#include "conf/conf.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "conf/settings.h"
#include "conf/value.h"

#define SUFFIX ".ini"
#define NAME_MAX_OCTETS 63

bool conf_is_profile_name(const char *name)
{
	size_t n = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789._-");

	return n >= 1 && n <= NAME_MAX_OCTETS && name[n] == '\0' && strchr("._-", name[0]) == NULL &&
	    strcmp(name, "pkiclient.exe") != 0;
}

static void profile_free(struct profile_conf *p)
{
	if (p == NULL)
		return;
	conf_values_free(&profile_settings, p);
	free(p->name);
	free(p->file);
	free(p);
}

static void check_pair(const struct profile_conf *p, const struct key_conf *k, const char *section, struct problems *problems)
{
	char place[32];

	if (k->key == NULL)
		return;
	snprintf(place, sizeof(place), "[%s] pin_file", section);
	if (k->pin_file != NULL && strncmp(k->key, "pkcs11:", 7) != 0)
		problem_in(problems, p->file, place, "only a pkcs11: key has a PIN; take it out");
	if (strncmp(k->key, "pkcs11:", 7) == 0 && strstr(k->key, "pin-value=") != NULL)
		problem_in(problems, p->file, place, "the PIN stands in the key's URI, which logs and lists show; put it into a pin_file");
}

/* Certificate and key are there, or neither. */
static void check_both(const struct profile_conf *p, const struct key_conf *k, const char *section, struct problems *problems)
{
	char place[32];

	if ((k->certificate == NULL) == (k->key == NULL))
		return;
	snprintf(place, sizeof(place), "[%s] %s", section, k->key == NULL ? "key" : "certificate");
	problem_in(problems, p->file, place, "missing beside [%s] %s; set both, or take out both", section,
	    k->key == NULL ? "certificate" : "key");
}

/* The pairs of a section, of which that for opening has to be there where one signs. */
static void check_ras(const struct profile_conf *p, const struct key_conf *ra, const struct key_conf *sign, const char *section,
    struct problems *problems)
{
	char sign_section[24], place[32];

	snprintf(sign_section, sizeof(sign_section), "%s_sign", section);
	check_pair(p, ra, section, problems);
	check_pair(p, sign, sign_section, problems);
	check_both(p, ra, section, problems);
	check_both(p, sign, sign_section, problems);
	snprintf(place, sizeof(place), "[%s]", sign_section);
	if (sign->certificate != NULL && ra->certificate == NULL)
		problem_in(problems, p->file, place, "an RA that signs needs one that decrypts beside it: set [%s]", section);
}

static void check_next(const struct profile_conf *p, struct problems *problems)
{
	const struct next_conf *next = &p->next;

	check_pair(p, &next->ca, "next_ca", problems);
	check_both(p, &next->ca, "next_ca", problems);
	check_ras(p, &next->ra, &next->ra_sign, "next_ra", problems);
	if (next->ca.certificate == NULL && (next->ra.certificate != NULL || next->announce != 0 || next->switch_at != 0))
		problem_in(problems, p->file, "[next_ca] certificate", "missing: there is no next CA that the other settings could be about");
	if (next->announce != 0 && next->switch_at != 0 && next->announce > next->switch_at)
		problem_in(problems, p->file, "[next_ca] announce", "lies after the switch; devices should know the next CA before");
}

static void check_signed(const struct profile_conf *p, struct problems *problems)
{
	const struct signed_conf *s = &p->signed_challenge;

	if (s->skew_s >= s->validity_s)
		problem_in(problems, p->file, "[signed_challenge] skew", "%lld s is not less than the validity, which is %lld s",
		    (long long)s->skew_s, (long long)s->validity_s);
}

/* What no row of the table can say alone. */
static void check_profile(const struct profile_conf *p, struct problems *problems)
{
	check_pair(p, &p->ca, "ca", problems);
	check_ras(p, &p->ra, &p->ra_sign, "ra", problems);
	check_next(p, problems);
	check_signed(p, problems);
	hook_conf_check(p, problems);
	for (size_t i = 0; i < OLD_RAS; i++) {
		check_pair(p, &p->old_ra[i].pair, i == 0 ? "old_ra" : "older_ra", problems);
		check_both(p, &p->old_ra[i].pair, i == 0 ? "old_ra" : "older_ra", problems);
	}
	if (p->renew_from != NULL && p->renew_from_until == 0)
		problem_in(problems, p->file, "[renewal] renew_from_until", "missing beside renew_from: until when former certificates may renew");
	if (p->renew_from == NULL && (p->renew_from_crl != NULL || p->renew_from_until != 0))
		problem_in(problems, p->file, "[renewal] renew_from", "missing beside renew_from_crl or renew_from_until; take them out");
	if (p->approve_renewals && p->approval == APPROVAL_AUTO)
		problem_in(problems, p->file, "[approval] renewals", "'yes' has no effect with 'mode = auto': no renewal would wait; choose another mode, or take "
		    "it out");
	if (!p->post && !p->get)
		problem_in(problems, p->file, "[scep] get", "'no' beside 'post = no': devices are told to use GET, and refused; one of them has to be yes");
	if (p->min_rsa_bits > p->max_rsa_bits)
		problem_in(problems, p->file, "[enrol] min_rsa_bits", "%lld is more than max_rsa_bits, which is %lld",
		    (long long)p->min_rsa_bits, (long long)p->max_rsa_bits);
	if (p->cert.max_active > 0 && p->device_id == DEVICE_ID_TRANSACTION)
		problem_in(problems, p->file, "[certificate] max_active", "limits devices, and with 'device_id = transaction_id' in [enrol] every request is "
		    "another one: set device_id to what names a device");
	if (p->crl_refresh_s >= p->crl_validity_s)
		problem_in(problems, p->file, "[crl] refresh", "%lld s leaves nothing of the validity, which is %lld s",
		    (long long)p->crl_refresh_s, (long long)p->crl_validity_s);
}

static void add_profile(struct conf *conf, struct profile_conf *p)
{
	conf->profiles = mem_resize(conf->profiles, (conf->n_profiles + 2) * sizeof(struct profile_conf *));
	conf->profiles[conf->n_profiles++] = p;
	conf->profiles[conf->n_profiles] = NULL;
}

static void read_profile(struct conf *conf, const char *file_name, struct problems *problems)
{
	struct profile_conf *p = mem_alloc(sizeof(*p));
	size_t n_errors = problems->n_errors;
	bool read = false;

	p->file = mem_printf("%s/%s", conf->profiles_dir, file_name);
	p->name = mem_strndup(file_name, strlen(file_name) - strlen(SUFFIX));
	if (!conf_is_profile_name(p->name)) {
		problem_add(problems, PROBLEM_ERROR, p->file, "'%.80s' is not a profile's name: 1 to %d of a-z, 0-9, '.', '_', '-', "
		    "beginning with a letter or digit%s", p->name, NAME_MAX_OCTETS,
		    strcmp(p->name, "pkiclient.exe") == 0 ? "; 'pkiclient.exe' itself is taken" : "");
	} else if (settings_read(&profile_settings, p->file, p, problems)) {
		check_profile(p, problems);
		read = true;
	}
	p->unsound = problems->n_errors > n_errors;
	if (read)
		add_profile(conf, p);
	else
		profile_free(p);
}

static int by_name(const void *a, const void *b)
{
	return strcmp((*(struct profile_conf *const *)a)->name, (*(struct profile_conf *const *)b)->name);
}

/* True for the base itself, too. */
static bool is_below(const char *path, const char *base)
{
	size_t n = strlen(base);

	return strncmp(path, base, n) == 0 && (path[n] == '/' || path[n] == '\0');
}

/* The profile before the nth that has the path, or the nth itself when it has it twice; NULL: nobody else. */
static const struct profile_conf *owner_before(const struct conf *conf, size_t nth, size_t n_path)
{
	for (size_t i = 0; i <= nth; i++) {
		char **paths = conf->profiles[i]->paths;

		for (size_t k = 0; paths != NULL && paths[k] != NULL && (i < nth || k < n_path); k++) {
			if (strcmp(paths[k], conf->profiles[nth]->paths[n_path]) == 0)
				return conf->profiles[i];
		}
	}
	return NULL;
}

static void check_server(const struct conf *conf, struct problems *problems)
{
	if (is_below(conf->mtls_path, conf->base_path) || is_below(conf->base_path, conf->mtls_path))
		problem_in(problems, conf->file, "[server] mtls_path", "'%s' is not apart from base_path '%s': a request would be both; name another "
		    "path", conf->mtls_path, conf->base_path);
	if (conf->client_cert_header != NULL && conf->trusted_proxies == NULL)
		problem_in(problems, conf->file, "[server] trusted_proxies", "missing beside client_cert_header: from anybody the header would be worth "
		    "nothing; name the proxies that set it, or take client_cert_header out");
	if (conf->client_cert_header == NULL && conf->trusted_proxies != NULL)
		problem_in(problems, conf->file, "[server] client_cert_header", "missing beside trusted_proxies: name the header in which they pass client "
		    "certificates on, or take trusted_proxies out");
}

/* A path leads to one profile, and not to where profiles answer by their names. */
static void check_paths(const struct conf *conf, struct problems *problems)
{
	for (size_t i = 0; i < conf->n_profiles; i++) {
		const struct profile_conf *p = conf->profiles[i], *other;

		for (size_t k = 0; p->paths != NULL && p->paths[k] != NULL; k++) {
			if (is_below(p->paths[k], conf->base_path))
				problem_in(problems, p->file, "[profile] paths", "'%s' is at or below base_path '%s', where every profile "
				    "answers under its name; take it out", p->paths[k], conf->base_path);
			else if (is_below(p->paths[k], conf->mtls_path))
				problem_in(problems, p->file, "[profile] paths", "'%s' is at or below mtls_path '%s', where client certificates are "
				    "wanted; take it out", p->paths[k], conf->mtls_path);
			else if ((other = owner_before(conf, i, k)) != NULL)
				problem_in(problems, p->file, "[profile] paths", "'%s' is a path of profile '%s' already; a path leads to "
				    "one profile", p->paths[k], other->name);
		}
	}
}

static void read_profiles(struct conf *conf, struct problems *problems)
{
	DIR *dir = opendir(conf->profiles_dir);
	size_t n_errors = problems->n_errors;
	struct dirent *e;

	if (dir == NULL) {
		problem_in(problems, conf->file, "[server] profiles_dir", "cannot open the folder '%s': %s", conf->profiles_dir,
		    strerror(errno));
		return;
	}
	while ((e = readdir(dir)) != NULL) {
		size_t n = strlen(e->d_name);

		/* hidden files and editors' copies are nobody's profile */
		if (e->d_name[0] != '.' && n > strlen(SUFFIX) && strcmp(e->d_name + n - strlen(SUFFIX), SUFFIX) == 0)
			read_profile(conf, e->d_name, problems);
	}
	closedir(dir);
	if (conf->n_profiles == 0 && problems->n_errors == n_errors)
		problem_in(problems, conf->file, "[server] profiles_dir", "no profile (NAME.ini) in '%s'", conf->profiles_dir);
	if (conf->n_profiles > 1)
		qsort(conf->profiles, conf->n_profiles, sizeof(struct profile_conf *), by_name);
	check_paths(conf, problems);
	admin_conf_check(conf, problems);
}

/* A warning only: who may read the file is the operator's business. */
static void check_secrecy(const struct conf *conf, const char *section, const char *conninfo, struct problems *problems)
{
	struct stat st;
	char *where;

	if (conninfo == NULL || !conninfo_has_password(conninfo) || stat(conf->file, &st) != 0 || (st.st_mode & 007) == 0)
		return;
	where = mem_printf("%s [%s] conninfo", conf->file, section);
	problem_add(problems, PROBLEM_WARNING, where, "holds a password, and everybody can read the file (mode %04o): chmod 640 %s",
	    (unsigned)st.st_mode & 07777, conf->file);
	free(where);
}

/* Absolute, so that a reload finds it again wherever the process stands by then. */
static char *absolute(const char *file)
{
	char *folder = file[0] == '/' ? NULL : getcwd(NULL, 0), *path;

	path = folder == NULL ? mem_strdup(file) : mem_printf("%s/%s", folder, file);
	free(folder);
	return path;
}

struct conf *conf_read_anyway(const char *file, struct problems *problems)
{
	struct conf *conf = mem_alloc(sizeof(*conf));

	conf->file = absolute(file);
	conf->profiles = mem_alloc(sizeof(struct profile_conf *));
	if (!settings_read(&server_settings, conf->file, conf, problems)) {
		conf_free(conf);
		return NULL;
	}
	check_secrecy(conf, "database", conf->conninfo, problems);
	check_secrecy(conf, "admin", conf->admin.conninfo, problems);
	check_server(conf, problems);
	read_profiles(conf, problems);
	return conf;
}

struct conf *conf_read(const char *file, struct problems *problems)
{
	size_t n_errors = problems->n_errors;
	struct conf *conf = conf_read_anyway(file, problems);

	if (conf != NULL && problems->n_errors > n_errors) {
		conf_free(conf);
		return NULL;
	}
	return conf;
}

void conf_free(struct conf *conf)
{
	size_t i;

	if (conf == NULL)
		return;
	for (i = 0; i < conf->n_profiles; i++)
		profile_free(conf->profiles[i]);
	free(conf->profiles);
	conf_values_free(&server_settings, conf);
	free(conf->file);
	free(conf);
}

const struct profile_conf *conf_profile(const struct conf *conf, const char *name)
{
	size_t i;

	for (i = 0; i < conf->n_profiles; i++) {
		if (strcmp(conf->profiles[i]->name, name) == 0)
			return conf->profiles[i]->unsound ? NULL : conf->profiles[i];
	}
	return NULL;
}

const char *conf_file(const char *given)
{
	const char *env = getenv(CONF_ENV);

	if (given != NULL)
		return given;
	return env != NULL && env[0] != '\0' ? env : CONF_DEFAULT_FILE;
}
