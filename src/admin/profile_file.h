/* A profile's file as the verbs change it: written, judged as `scepter check` judges, and put back when it is not in order. */
#ifndef ADMIN_PROFILE_FILE_H
#define ADMIN_PROFILE_FILE_H

#include <stdbool.h>

#include "base/buf.h"
#include "conf/conf.h"

/* Is the profile called `name` in order, with all files and keys that it names? What is wrong is said on stderr. */
bool profile_file_check(const struct conf *conf, const char *name);

/* Puts `text` into the file of the profile; what was there comes back when it does not pass the check. Errors: FILE, CONFIG. */
enum err profile_file_change(const struct conf *conf, const struct profile_conf *profile, struct bytes text, struct why *why);

/* Makes the file of a new profile, readable to who may read scepter.ini, or none when it does not pass the check. Errors: FILE, CONFLICT, CONFIG. */
enum err profile_file_make(const struct conf *conf, const char *name, struct bytes text, struct why *why);

/* Names a file in a section, as it can be read from any folder (a token's URI as it is). NULL: takes the key's line out. */
void profile_file_set(struct buf *text, const char *section, const char *key, const char *file);
void profile_file_set_pair(struct buf *text, const char *section, const char *cert, const char *key, const char *pin_file);

/* The file of a pair that says whose it is: the key, or the certificate when the key is in a token. */
const char *profile_file_owned(const struct key_conf *pair);

/* What root makes belongs to whoever the file or folder `like` belongs to: the responder has to read it. Error: FILE. */
enum err profile_file_give(const char *path, const char *like, struct why *why);

#endif
