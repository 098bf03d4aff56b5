/* Who may do what by scep-admin.fcgi: [admin] of scepter.ini. */
#ifndef API_ALLOW_H
#define API_ALLOW_H

#include <stdbool.h>

#include "base/err.h"
#include "conf/admin_conf.h"

/* user: REMOTE_USER, as the web server has it; "" when it has none. Errors: LOGIN, FORBIDDEN. */
enum err allow_user(const struct admin_conf *conf, const char *user, struct why *why);

/* Is the user bound to some profiles by challenge_profiles? */
bool allow_is_bound(const struct admin_conf *conf, const char *user);

/* profile NULL: any at all, which is not for those who are bound. Error: FORBIDDEN. */
enum err allow_profile(const struct admin_conf *conf, const char *user, const char *profile, struct why *why);

#endif
