#include "conf/table.h"

#include <string.h>

#include "conf/cert_words.h"
#include "conf/words.h"

#define SECONDS_A_DAY (INT64_C(24) * 3600)
#define KIB INT64_C(1024)
#define MIB (1024 * KIB)

#define AT(member) .offset = offsetof(struct conf, member)
static const struct setting server_rows[] = {
    {"server", "profiles_dir", KIND_PATH, AT(profiles_dir), .standard = "profiles.d",
	.help = "Folder with one file NAME.ini for each profile, which answers under base_path/NAME; 'default' also under base_path."},
    {"server", "listen", KIND_LISTEN, AT(listen), .example = "/run/scepter/fcgi.sock", .flags = RESTART,
	.help = "Where to listen when nobody hands over a socket: the path of a unix socket, or address:port. --listen overrides it."},
    {"server", "listen_mode", KIND_MODE, AT(listen_mode), .standard = "0660", .max = 0777, .flags = RESTART,
	.help = "Permissions of the unix socket."},
    {"server", "workers", KIND_INT, AT(workers), .standard = "0", .max = 1024,
	.help = "Processes that answer. 0: one per processor when listening ourselves, one when a web server starts us."},
    {"server", "base_path", KIND_URL_PATH, AT(base_path), .standard = "/scep",
	.help = "Path in the URL under which the profiles answer."},
    {"server", "mtls_path", KIND_URL_PATH, AT(mtls_path), .standard = "/scep-mtls",
	.help = "Path in the URL under which those profiles answer that want a TLS client certificate ([client_certificate] trust). The web server has "
		"to ask for certificates there, and to pass them on."},
    {"server", "trusted_proxies", KIND_CIDRS, AT(trusted_proxies), .example = "192.0.2.10 2001:db8:1::/64",
	.help = "Where TLS ends on another machine than the web server's: the addresses of those proxies, whose client_cert_header is believed, and "
		"nothing else of them. Whoever can send from these addresses can pretend to hold any certificate. The web server has to hand over "
		"the proxy's own address (REMOTE_ADDR), not one that the proxy tells; so all that comes through a proxy is one source for "
		"[limits]: raise or switch off per_source and wrong_challenges of profiles that are reached so."},
    {"server", "client_cert_header", KIND_HEADER, AT(client_cert_header), .example = "Client-Cert",
	.help = "The header in which they pass the client's certificate on, as RFC 9440 has it, as PEM, escaped or not, or as base64. They have to remove "
		"it from what clients send, also where it is written with '_' or '.' for '-'. From everybody else it is ignored."},
    {"server", "max_body", KIND_SIZE, AT(max_body), .standard = "1m", .min = 4 * KIB, .max = 16 * MIB,
	.help = "Largest message by POST; a larger one is answered with 413."},
    {"server", "max_query", KIND_SIZE, AT(max_query), .standard = "24k", .min = KIB, .max = MIB,
	.help = "Longest query string, which holds the message by GET; a longer one is answered with 414."},
    {"server", "read_timeout", KIND_MILLIS, AT(read_timeout_ms), .standard = "20s", .min = 100, .max = 3600000,
	.help = "How long a request may take to arrive."},
    {"server", "write_timeout", KIND_MILLIS, AT(write_timeout_ms), .standard = "20s", .min = 100, .max = 3600000,
	.help = "How long an answer may take to be accepted."},
    {"server", "log", KIND_BOOL, AT(syslog), .standard = "stderr", .words = log_words,
	.help = "Where the log goes."},
    {"server", "log_level", KIND_ENUM, AT(log_level), .standard = "info", .words = level_words,
	.help = "The least severe lines that are written."},

    {"database", "conninfo", KIND_CONNINFO, AT(conninfo), .example = "dbname=scepter",
	.flags = MUST | EXAMPLE_ON,
	.help = "How libpq reaches PostgreSQL. With several hosts add target_session_attrs=read-write: fail-over is then libpq's."},
    {"database", "pepper_file", KIND_PATH, AT(pepper_file), .example = "/etc/scepter/pepper", .flags = MUST | EXAMPLE_ON,
	.help = "At least 32 random octets, mode 0600, the same file on every node: keys the digests that the database stores."},
    {"database", "timeout", KIND_MILLIS, AT(db_timeout_ms), .standard = "5s", .min = 100, .max = 60000,
	.help = "How long the database may take for one answer, connecting included; then the device is asked to come back."},
#include "conf/server_admin.def"
};
#undef AT

#define AT(member) .offset = offsetof(struct profile_conf, member)
static const struct setting profile_rows[] = {
#include "conf/profile_keys.def"
#include "conf/profile_enrol.def"
#include "conf/profile_certificate.def"
#include "conf/profile_life.def"
#include "conf/profile_scep.def"
};
#undef AT

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

const struct setting_table server_settings = {server_rows, COUNT(server_rows), sizeof(struct conf)};
const struct setting_table profile_settings = {profile_rows, COUNT(profile_rows), sizeof(struct profile_conf)};

const struct setting *setting_find(const struct setting_table *table, const char *section, const char *key)
{
	size_t i;

	for (i = 0; i < table->n; i++) {
		if (strcmp(table->rows[i].section, section) == 0 && strcmp(table->rows[i].key, key) == 0)
			return &table->rows[i];
	}
	return NULL;
}
