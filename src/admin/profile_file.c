#include "admin/profile_file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "admin/load.h"
#include "base/file.h"
#include "base/mem.h"
#include "ca/profile.h"
#include "conf/edit.h"

bool profile_file_check(const struct conf *conf, const char *name)
{
	struct problems problems = {0};
	struct conf *fresh = conf_read(conf->file, &problems);
	const struct profile_conf *found = fresh == NULL ? NULL : conf_profile(fresh, name);
	struct profile *p = found == NULL ? NULL : profile_load(found, time(NULL), NULL, &problems);
	struct why why = {0};

	if (p != NULL && profile_open_keys(p, &why) != ERR_OK)
		problem_why(&problems, found->file, &why);
	load_print_problems(&problems);
	bool ok = p != NULL && problems.n_errors == 0;

	profile_free(p);
	conf_free(fresh);
	problems_free(&problems);
	return ok;
}

enum err profile_file_change(const struct conf *conf, const struct profile_conf *profile, struct bytes text, struct why *why)
{
	struct buf before = {0};
	enum err err = file_read(profile->file, &before, why);

	if (err == ERR_OK)
		err = file_rewrite(profile->file, text, why);
	if (err == ERR_OK && !profile_file_check(conf, profile->name)) {
		err = file_rewrite(profile->file, buf_bytes(&before), why);
		if (err == ERR_OK)
			err = fail(why, ERR_CONFIG, "%s was left as it was: changed, it would not be in order (see above)", profile->file);
	}
	buf_free(&before);
	return err;
}

void profile_file_set(struct buf *text, const char *section, const char *key, const char *file)
{
	char *whole = file == NULL || key_is_token(file) ? NULL : realpath(file, NULL);

	edit_set(text, section, key, whole != NULL ? whole : file);
	free(whole);
}

void profile_file_set_pair(struct buf *text, const char *section, const char *cert, const char *key, const char *pin_file)
{
	profile_file_set(text, section, "certificate", cert);
	profile_file_set(text, section, "key", key);
	profile_file_set(text, section, "pin_file", pin_file);
}

const char *profile_file_owned(const struct key_conf *pair)
{
	return key_is_token(pair->key) ? pair->certificate : pair->key;
}

enum err profile_file_give(const char *path, const char *like, struct why *why)
{
	struct stat st;

	if (geteuid() != 0 || (stat(like, &st) == 0 && chown(path, st.st_uid, st.st_gid) == 0))
		return ERR_OK;
	return fail(why, ERR_FILE, "cannot give '%s' to the owner of '%s': %s", path, like, strerror(errno));
}

enum err profile_file_make(const struct conf *conf, const char *name, struct bytes text, struct why *why)
{
	char *file = mem_printf("%s/%s.ini", conf->profiles_dir, name);
	struct stat st = {.st_mode = 0640};
	enum err err;

	(void)stat(conf->file, &st);
	err = file_write(file, text, st.st_mode & 0666, false, why);
	if (err == ERR_OK && (err = profile_file_give(file, conf->file, why)) != ERR_OK)
		unlink(file);
	if (err == ERR_OK && !profile_file_check(conf, name)) {
		unlink(file);
		err = fail(why, ERR_CONFIG, "%s was not made: it would not be in order (see above)", file);
	}
	free(file);
	return err;
}
