#include "conf/table.h"

#include <string.h>

#include "conf/conf.h"

static const struct conf_word log_words[] = {{.word = "stderr", .value = 0}, {.word = "syslog", .value = 1}, {0}};
static const struct conf_word level_words[] = {
    {.word = "error", .value = LOG_ERROR_}, {.word = "warning", .value = LOG_WARN_}, {.word = "info", .value = LOG_INFO_},
    {.word = "debug", .value = LOG_DEBUG_}, {0},
};
static const struct conf_word signer_words[] = {{.word = "must-match", .value = 1}, {.word = "any", .value = 0}, {0}};
static const struct conf_word device_words[] = {
    {.word = "cn", .value = DEVICE_ID_CN}, {.word = "serial_number", .value = DEVICE_ID_SERIAL_NUMBER},
    {.word = "subject", .value = DEVICE_ID_SUBJECT}, {.word = "transaction_id", .value = DEVICE_ID_TRANSACTION}, {0},
};
static const struct conf_word san_words[] = {
    {.word = "dns", .value = SAN_DNS}, {.word = "ip", .value = SAN_IP}, {.word = "email", .value = SAN_EMAIL},
    {.word = "uri", .value = SAN_URI}, {.word = "upn", .value = SAN_UPN}, {.word = "directory", .value = SAN_DIRNAME}, {0},
};
static const struct conf_word legacy_words[] = {
    {.word = "sha1", .value = LEGACY_SHA1}, {.word = "des3", .value = LEGACY_DES3}, {0},
};
static const struct conf_word obsolete_words[] = {
    {.word = "des", .value = OBSOLETE_DES}, {.word = "md5", .value = OBSOLETE_MD5}, {0},
};
static const struct conf_word approval_words[] = {
    {.word = "auto", .value = APPROVAL_AUTO}, {.word = "manual", .value = APPROVAL_MANUAL},
    {.word = "unless-one-time", .value = APPROVAL_UNLESS_ONE_TIME}, {0},
};
static const struct conf_word same_key_words[] = {
    {.word = "never", .value = SAME_KEY_NEVER}, {.word = "pkcsreq", .value = SAME_KEY_PKCSREQ},
    {.word = "always", .value = SAME_KEY_ALWAYS}, {0},
};
static const struct conf_word getcert_words[] = {
    {.word = "off", .value = GETCERT_OFF}, {.word = "own", .value = GETCERT_OWN}, {.word = "issued", .value = GETCERT_ISSUED},
    {.word = "any", .value = GETCERT_ANY}, {0},
};
static const struct conf_word empty_words[] = {
    {.word = "auto", .value = EMPTY_CONTENT_AUTO}, {.word = "absent", .value = EMPTY_CONTENT_ABSENT},
    {.word = "empty", .value = EMPTY_CONTENT_EMPTY}, {0},
};

static const struct conf_word dialect_words[] = {
    {.word = "auto", .value = DIALECT_AUTO}, {.word = "strict", .value = DIALECT_STRICT}, {.word = "cisco", .value = DIALECT_CISCO},
    {.word = "windows", .value = DIALECT_WINDOWS}, {.word = "apple", .value = DIALECT_APPLE},
    {.word = "juniper", .value = DIALECT_JUNIPER}, {.word = "legacy", .value = DIALECT_LEGACY}, {0},
};
static const struct conf_word chain_words[] = {
    {.word = "full", .value = CA_CHAIN_FULL}, {.word = "leaf-only", .value = CA_CHAIN_LEAF_ONLY}, {0},
};
static const struct conf_word order_words[] = {{.word = "ra-first", .value = 0}, {.word = "ca-first", .value = 1}, {0}};
static const struct conf_word cap_words[] = {
    {.word = "AES", .value = HIDE_AES}, {.word = "DES3", .value = HIDE_DES3}, {.word = "SHA-1", .value = HIDE_SHA1},
    {.word = "SHA-256", .value = HIDE_SHA256}, {.word = "SHA-384", .value = HIDE_SHA384}, {.word = "SHA-512", .value = HIDE_SHA512},
    {.word = "POSTPKIOperation", .value = HIDE_POST}, {.word = "Renewal", .value = HIDE_RENEWAL},
    {.word = "SCEPStandard", .value = HIDE_STANDARD}, {.word = "GetNextCACert", .value = HIDE_NEXT_CA}, {0},
};
static const struct conf_word tolerate_words[] = {
    {.word = "case", .value = TOLERATE_CASE}, {.word = "no-operation", .value = TOLERATE_NO_OPERATION},
    {.word = "content-type", .value = TOLERATE_CONTENT_TYPE}, {.word = "base64", .value = TOLERATE_BASE64},
    {.word = "base64-post", .value = TOLERATE_BASE64_POST}, {.word = "nonce", .value = TOLERATE_NONCE},
    {.word = "strings", .value = TOLERATE_STRINGS}, {.word = "unsorted", .value = TOLERATE_UNSORTED}, {0},
};

/* P-120: an end entity's certificate signs no certificates, CRLs or OCSP answers. */
#define CA_ONLY "it makes a device a certification authority"

/* The bits are those of RFC 5280, 4.2.1.3 as GNUTLS_KEY_* counts them. */
static const struct conf_word key_usage_words[] = {
    {.word = "digitalSignature", .value = 128}, {.word = "nonRepudiation", .value = 64}, {.word = "keyEncipherment", .value = 32},
    {.word = "dataEncipherment", .value = 16}, {.word = "keyAgreement", .value = 8},
    {.word = "keyCertSign", .refused = CA_ONLY}, {.word = "cRLSign", .refused = CA_ONLY}, {0},
};

static const struct conf_word purpose_words[] = {
    {.word = "clientAuth", .oid = "1.3.6.1.5.5.7.3.2"},
    {.word = "serverAuth", .oid = "1.3.6.1.5.5.7.3.1"},
    {.word = "emailProtection", .oid = "1.3.6.1.5.5.7.3.4"},
    {.word = "codeSigning", .oid = "1.3.6.1.5.5.7.3.3"},
    {.word = "timeStamping", .oid = "1.3.6.1.5.5.7.3.8"},
    {.word = "ipsecIKE", .oid = "1.3.6.1.5.5.7.3.17"},
    {.word = "ipsecEndSystem", .oid = "1.3.6.1.5.5.7.3.5"},
    {.word = "ipsecTunnel", .oid = "1.3.6.1.5.5.7.3.6"},
    {.word = "ipsecUser", .oid = "1.3.6.1.5.5.7.3.7"},
    {.word = "smartcardLogon", .oid = "1.3.6.1.4.1.311.20.2.2"},
    {.word = "OCSPSigning", .oid = "1.3.6.1.5.5.7.3.9", .refused = "it lets a device vouch for revoked certificates"},
    {0},
};

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

    {"database", "conninfo", KIND_CONNINFO, AT(conninfo), .example = "dbname=scepter user=scepter_responder",
	.flags = MUST | EXAMPLE_ON,
	.help = "How libpq reaches PostgreSQL. With several hosts add target_session_attrs=read-write: fail-over is then libpq's."},
    {"database", "pepper_file", KIND_PATH, AT(pepper_file), .example = "/etc/scepter/pepper", .flags = MUST | EXAMPLE_ON,
	.help = "At least 32 random octets, mode 0600, the same file on every node: keys the digests that the database stores."},
    {"database", "timeout", KIND_MILLIS, AT(db_timeout_ms), .standard = "5s", .min = 100, .max = 60000,
	.help = "How long the database may take for one answer, connecting included; then the device is asked to come back."},
};
#undef AT

#define AT(member) .offset = offsetof(struct profile_conf, member)
static const struct setting profile_rows[] = {
    {"profile", "description", KIND_TEXT, AT(description), .example = "Laptops of the main office",
	.help = "What the profile is for, shown in lists."},
    {"profile", "paths", KIND_URL_PATHS, AT(paths), .example = "/certsrv/mscep/mscep.dll /cgi-bin/pkiclient.exe",
	.help = "More paths under which the profile answers, exactly as written, so that it can take over from another server without touching "
		"the devices. The web server has to pass them on as well."},

    {"ca", "certificate", KIND_PATH, AT(ca.certificate), .example = "/etc/scepter/ca/ca.pem", .flags = MUST | EXAMPLE_ON,
	.help = "The certificate of the CA that issues, PEM or DER."},
    {"ca", "key", KIND_KEY, AT(ca.key), .example = "/etc/scepter/ca/ca.key", .flags = MUST | EXAMPLE_ON,
	.help = "Its private key: a PEM file of mode 0600, or a pkcs11: URI in quotes."},
    {"ca", "pin_file", KIND_PATH, AT(ca.pin_file), .example = "/etc/scepter/ca/ca.pin",
	.help = "File of mode 0600 with the PIN of the token that holds the key."},
    {"ca", "chain", KIND_PATH, AT(chain), .example = "/etc/scepter/ca/chain.pem",
	.help = "PEM file with the parents of the CA's certificate, for devices that want them."},

    {"ra", "certificate", KIND_PATH, AT(ra.certificate), .example = "/etc/scepter/ca/ra.pem", .flags = EXAMPLE_ON,
	.help = "The certificate that devices encrypt to, RSA, issued by the CA, for digitalSignature and keyEncipherment. "
		"Without it the CA itself answers."},
    {"ra", "key", KIND_KEY, AT(ra.key), .example = "/etc/scepter/ca/ra.key", .flags = EXAMPLE_ON,
	.help = "Its private key: a PEM file of mode 0600, or a pkcs11: URI in quotes."},
    {"ra", "pin_file", KIND_PATH, AT(ra.pin_file), .example = "/etc/scepter/ca/ra.pin",
	.help = "File of mode 0600 with the PIN of the token that holds the key."},

    {"ra_sign", "certificate", KIND_PATH, AT(ra_sign.certificate), .example = "/etc/scepter/ca/ra-sign.pem",
	.help = "A second RA certificate, as NDES has it: it signs the answers, and may be EC, while [ra] only decrypts. Issued by the CA, for "
		"digitalSignature without keyEncipherment. Some clients cannot do with two, and strongSwan takes no answers signed by EC keys."},
    {"ra_sign", "key", KIND_KEY, AT(ra_sign.key), .example = "/etc/scepter/ca/ra-sign.key",
	.help = "Its private key: a PEM file of mode 0600, or a pkcs11: URI in quotes."},
    {"ra_sign", "pin_file", KIND_PATH, AT(ra_sign.pin_file), .example = "/etc/scepter/ca/ra-sign.pin",
	.help = "File of mode 0600 with the PIN of the token that holds the key."},

    {"next_ca", "certificate", KIND_PATH, AT(next.ca.certificate), .example = "/etc/scepter/ca/next-ca.pem",
	.help = "The certificate of the CA that takes over at 'switch'; 'scepter ca rollover' makes it. Every date counts as soon as it is "
		"reached, without a restart."},
    {"next_ca", "key", KIND_KEY, AT(next.ca.key), .example = "/etc/scepter/ca/next-ca.key",
	.help = "Its private key: a PEM file of mode 0600, or a pkcs11: URI in quotes."},
    {"next_ca", "pin_file", KIND_PATH, AT(next.ca.pin_file), .example = "/etc/scepter/ca/next-ca.pin",
	.help = "File of mode 0600 with the PIN of the token that holds the key."},
    {"next_ca", "chain", KIND_PATH, AT(next.chain), .example = "/etc/scepter/ca/next-chain.pem",
	.help = "PEM file with the parents of its certificate."},
    {"next_ca", "announce", KIND_DATE, AT(next.announce), .example = "2027-01-01T00:00:00Z",
	.help = "From then on GetNextCACert shows it, and a device may already ask it for a certificate by encrypting to it or its RA."},
    {"next_ca", "switch", KIND_DATE, AT(next.switch_at), .example = "2027-03-01T00:00:00Z",
	.help = "From then on it is what GetCACert shows, and it issues."},
    {"next_ca", "overlap", KIND_SECONDS, AT(next.overlap_s), .standard = "30d", .max = 3650 * SECONDS_A_DAY,
	.help = "How long after the switch a device that still encrypts to the CA before it, or to its RA, gets its certificate from that CA."},

    {"next_ra", "certificate", KIND_PATH, AT(next.ra.certificate), .example = "/etc/scepter/ca/next-ra.pem",
	.help = "The RA of the next CA, issued by it. Without it the next CA itself answers."},
    {"next_ra", "key", KIND_KEY, AT(next.ra.key), .example = "/etc/scepter/ca/next-ra.key",
	.help = "Its private key: a PEM file of mode 0600, or a pkcs11: URI in quotes."},
    {"next_ra", "pin_file", KIND_PATH, AT(next.ra.pin_file), .example = "/etc/scepter/ca/next-ra.pin",
	.help = "File of mode 0600 with the PIN of the token that holds the key."},

    {"next_ra_sign", "certificate", KIND_PATH, AT(next.ra_sign.certificate), .example = "/etc/scepter/ca/next-ra-sign.pem",
	.help = "The next CA's RA for signing, as [ra_sign] is the present one's."},
    {"next_ra_sign", "key", KIND_KEY, AT(next.ra_sign.key), .example = "/etc/scepter/ca/next-ra-sign.key",
	.help = "Its private key: a PEM file of mode 0600, or a pkcs11: URI in quotes."},
    {"next_ra_sign", "pin_file", KIND_PATH, AT(next.ra_sign.pin_file), .example = "/etc/scepter/ca/next-ra-sign.pin",
	.help = "File of mode 0600 with the PIN of the token that holds the key."},

    {"old_ca", "certificate", KIND_PATH, AT(old_ca), .example = "/etc/scepter/ca/old-ca.pem",
	.help = "The certificate of the CA that issued in this profile before the one in [ca]: what it issued may be renewed. Needed after a "
		"roll-over to a CA of another name."},

    {"old_ra", "certificate", KIND_PATH, AT(old_ra[0].pair.certificate), .example = "/etc/scepter/ca/old-ra.pem",
	.help = "An RA that devices may still know: messages encrypted to it are opened and answered with it, and the CA of [ca] issues."},
    {"old_ra", "key", KIND_KEY, AT(old_ra[0].pair.key), .example = "/etc/scepter/ca/old-ra.key",
	.help = "Its private key: a PEM file of mode 0600, or a pkcs11: URI in quotes."},
    {"old_ra", "pin_file", KIND_PATH, AT(old_ra[0].pair.pin_file), .example = "/etc/scepter/ca/old-ra.pin",
	.help = "File of mode 0600 with the PIN of the token that holds the key."},
    {"old_ra", "until", KIND_DATE, AT(old_ra[0].until), .example = "2027-06-30T00:00:00Z",
	.help = "From then on it opens nothing. Not set: when its certificate ends."},

    {"older_ra", "certificate", KIND_PATH, AT(old_ra[1].pair.certificate), .example = "/etc/scepter/ca/older-ra.pem",
	.help = "The same for another RA."},
    {"older_ra", "key", KIND_KEY, AT(old_ra[1].pair.key), .example = "/etc/scepter/ca/older-ra.key",
	.help = "Its private key: a PEM file of mode 0600, or a pkcs11: URI in quotes."},
    {"older_ra", "pin_file", KIND_PATH, AT(old_ra[1].pair.pin_file), .example = "/etc/scepter/ca/older-ra.pin",
	.help = "File of mode 0600 with the PIN of the token that holds the key."},
    {"older_ra", "until", KIND_DATE, AT(old_ra[1].until), .example = "2027-06-30T00:00:00Z",
	.help = "From then on it opens nothing. Not set: when its certificate ends."},

    {"enrol", "static_challenge_file", KIND_PATH, AT(static_challenge_file), .example = "/etc/scepter/default.secrets",
	.help = "File of mode 0600 with challenge passwords that anybody may use any number of times, one a line."},
    {"enrol", "one_time_challenge", KIND_BOOL, AT(one_time_challenge), .standard = "yes",
	.help = "Whether challenges made with 'scepter challenge new' are accepted."},
    {"enrol", "signer_key", KIND_BOOL, AT(signer_key_must_match), .standard = "must-match", .words = signer_words,
	.help = "Whether the key that signs the message must be the one to be certified. 'any' is for Windows, which signs with another."},
    {"enrol", "min_rsa_bits", KIND_INT, AT(min_rsa_bits), .standard = "2048", .min = 1024, .max = 16384,
	.help = "Smallest RSA key that is certified."},
    {"enrol", "max_rsa_bits", KIND_INT, AT(max_rsa_bits), .standard = "8192", .min = 1024, .max = 16384,
	.help = "Largest RSA key that is certified."},
    {"enrol", "device_id", KIND_ENUM, AT(device_id), .standard = "cn", .words = device_words,
	.help = "What of a request names the device, for challenges bound to a device and for the records."},

    {"certificate", "validity", KIND_SECONDS, AT(validity_s), .standard = "365d", .min = 60, .max = 36525 * SECONDS_A_DAY,
	.help = "How long a certificate is valid; never longer than the CA's own."},
    {"certificate", "backdate", KIND_SECONDS, AT(backdate_s), .standard = "5m", .max = 30 * SECONDS_A_DAY,
	.help = "How far its beginning lies in the past, for devices whose clock is behind."},
    {"certificate", "key_usage", KIND_WORDS, AT(key_usage), .standard = "digitalSignature keyEncipherment",
	.words = key_usage_words, .help = "The key usage it gets."},
    {"certificate", "extended_key_usage", KIND_OIDS, AT(extended_key_usage), .standard = "clientAuth", .words = purpose_words,
	.flags = NONE_OK, .help = "The purposes it gets; dotted OIDs may stand beside the names."},
    {"certificate", "san", KIND_WORDS, AT(san_types), .standard = "dns ip email uri", .words = san_words, .flags = NONE_OK,
	.help = "Kinds of subjectAltName that a request may bring. A upn lets its holder log on to Windows under that name."},
    {"certificate", "crl_url", KIND_URLS, AT(crl_urls), .example = "http://pki.example.com/scep/default/crl",
	.help = "Where the CRL is, as certificates tell it (CRL distribution point): normally base_path/NAME/crl by http, or base_path/NAME/crl/{ca}, "
		"where {ca} stands for the key identifier of the CA that issues: it stays right while CAs roll over."},
    {"certificate", "ca_issuers_url", KIND_URLS, AT(ca_issuers_urls), .example = "http://pki.example.com/ca.crt",
	.help = "Where the CA's certificate is, as certificates tell it (authority information access). {ca} as in crl_url."},
    {"certificate", "ocsp_url", KIND_URLS, AT(ocsp_urls), .example = "http://ocsp.example.com/",
	.help = "Where an OCSP responder is, as certificates tell it."},

    {"renewal", "enabled", KIND_BOOL, AT(renewal), .standard = "yes",
	.help = "Whether a device may renew its certificate by signing the request with it, within the same names."},
    {"renewal", "challenge", KIND_BOOL, AT(renewal_challenge), .standard = "no",
	.help = "Whether a renewal needs a challenge as well."},
    {"renewal", "window", KIND_SECONDS, AT(renewal_window_s), .standard = "0", .max = 36525 * SECONDS_A_DAY,
	.help = "How long before its end a certificate may be renewed. 0: at any time."},
    {"renewal", "grace", KIND_SECONDS, AT(renewal_grace_s), .standard = "0", .max = 36525 * SECONDS_A_DAY,
	.help = "How long after its end it may still be renewed."},
    {"renewal", "same_key", KIND_ENUM, AT(renewal_same_key), .standard = "pkcsreq", .words = same_key_words,
	.help = "Whether the new certificate may be for the same key: 'pkcsreq' when an older client asks by PKCSReq, 'always' also by "
		"RenewalReq."},
    {"renewal", "renew_from", KIND_PATH, AT(renew_from), .example = "/etc/scepter/old-ca.pem",
	.help = "PEM file with former CAs, of another product: what they issued may renew into this profile, by the same rules."},
    {"renewal", "renew_from_crl", KIND_PATH, AT(renew_from_crl), .example = "/etc/scepter/old-ca.crl",
	.help = "Their CRLs, PEM or DER; read at start and at a reload. Without it revoked certificates renew as well."},
    {"renewal", "renew_from_until", KIND_DATE, AT(renew_from_until), .example = "2027-06-30T00:00:00Z",
	.help = "The date on which this ends; has to be given with renew_from."},
    {"renewal", "revoke_old", KIND_BOOL, AT(revoke_old), .standard = "no",
	.help = "Whether the renewed certificate is revoked (superseded)."},
    {"renewal", "revoke_old_after", KIND_SECONDS, AT(revoke_old_after_s), .standard = "7d", .max = 3650 * SECONDS_A_DAY,
	.help = "How long after the renewal, so that a device that never saw its new certificate can still ask again."},

    {"approval", "mode", KIND_ENUM, AT(approval), .standard = "auto", .words = approval_words,
	.help = "'manual': a request waits (PENDING) until operators approve it with 'scepter request approve'; it then needs no challenge, but a "
		"wrong one is refused. 'unless-one-time': only requests without a one-time challenge wait."},
    {"approval", "renewals", KIND_BOOL, AT(approve_renewals), .standard = "no",
	.help = "Whether renewals wait for approval as well."},
    {"approval", "approvals", KIND_INT, AT(approvals), .standard = "1", .min = 1, .max = 9,
	.help = "How many different people have to approve."},
    {"approval", "keep", KIND_SECONDS, AT(approval_keep_s), .standard = "7d", .min = 60, .max = 365 * SECONDS_A_DAY,
	.help = "How long a request waits before it expires."},
    {"approval", "max_pending", KIND_INT, AT(max_pending), .standard = "1000", .min = 1, .max = 1000000,
	.help = "How many may wait at a time; more are asked to come back later."},

    {"crl", "enabled", KIND_BOOL, AT(crl), .standard = "yes",
	.help = "Whether the responder signs the CA's CRL and gives it out, by http under base_path/NAME/crl and by GetCRL. Profiles of the "
		"same CA share one CRL and should have the same settings here."},
    {"crl", "validity", KIND_SECONDS, AT(crl_validity_s), .standard = "7d", .min = 10, .max = 3650 * SECONDS_A_DAY,
	.help = "How long a CRL is valid: as long as devices go on when no responder runs."},
    {"crl", "refresh", KIND_SECONDS, AT(crl_refresh_s), .standard = "1d", .min = 1, .max = 3650 * SECONDS_A_DAY,
	.help = "How old it gets before a new one is signed; shorter than its validity."},
    {"crl", "interval", KIND_SECONDS, AT(crl_interval_s), .standard = "10s", .max = 3650 * SECONDS_A_DAY,
	.help = "Shortest time between two CRLs when certificates are revoked; a revocation shows at the next one."},

    {"lookup", "getcert", KIND_ENUM, AT(getcert), .standard = "issued", .words = getcert_words,
	.help = "Who gets a certificate by GetCert: 'own' the holder of its key, 'issued' also who signs with a certificate of this CA that "
		"is valid, 'any' everybody, 'off' nobody."},
    {"lookup", "getcrl", KIND_BOOL, AT(getcrl), .standard = "yes",
	.help = "Whether GetCRL is answered; the CRL by http is not touched by this."},

    {"scep", "legacy", KIND_WORDS, AT(legacy), .standard = "none", .words = legacy_words, .flags = NONE_OK,
	.help = "Old algorithms that are accepted besides AES and SHA-2."},
    {"scep", "obsolete", KIND_WORDS, AT(obsolete), .standard = "none", .words = obsolete_words, .flags = NONE_OK,
	.help = "Broken algorithms for devices that know nothing else. Each use is a warning in the log."},
    {"scep", "empty_content", KIND_ENUM, AT(empty_content), .standard = "auto", .words = empty_words,
	.help = "Form of an answer without content (PENDING, FAILURE): some clients want it present and empty, others absent."},
    {"scep", "include_chain", KIND_BOOL, AT(include_chain), .standard = "no",
	.help = "Whether the CA's certificates follow the issued one in the answer. Old Cisco wants them, Juniper refuses them."},
    {"scep", "dialect", KIND_ENUM, AT(dialect), .standard = "auto", .words = dialect_words,
	.help = "A family of devices: sets what suits them, and each setting can still be given by itself. 'auto' suits all that can be suited at "
		"once; 'strict' refuses what RFC 8894 does not have. See CLIENTS.md."},
    {"scep", "ca_chain", KIND_ENUM, AT(ca_chain), .standard = "full", .words = chain_words,
	.help = "Whether GetCACert also gives the parents of the CA. A single certificate goes out by itself, several as PKCS#7."},
    {"scep", "ca_order", KIND_BOOL, AT(ca_first), .standard = "ra-first", .words = order_words,
	.help = "Whose certificate stands first in that PKCS#7, for clients that take the first one."},
    {"scep", "hide_caps", KIND_WORDS, AT(hide_caps), .standard = "none", .words = cap_words, .flags = NONE_OK,
	.help = "Keywords that GetCACaps leaves out, for clients that draw wrong conclusions from them. What they stand for is served all the same."},
    {"scep", "post", KIND_BOOL, AT(post), .standard = "yes",
	.help = "Whether POST is announced. 'no' is for clients that shall use GET, and hides SCEPStandard as well, which implies it."},
    {"scep", "get", KIND_BOOL, AT(get), .standard = "yes",
	.help = "Whether a PKIOperation may come by GET."},
    {"scep", "raw_csr", KIND_BOOL, AT(raw_csr), .standard = "no",
	.help = "Whether a PKCS#10 may be POSTed without a SCEP message around it, bare or in SignedData, in DER, base64 or PEM, with its challenge. "
		"The answer is a certs-only PKCS#7 (application/pkcs7-mime), 202 while it waits, 400 or 403. Nothing but TLS hides the challenge."},
    {"scep", "ca_identifier", KIND_NAMES, AT(ca_identifiers), .example = "OFFICE OFFICE-CA",
	.help = "The CA identifiers that a client may name as 'message' of GetCACaps and GetCACert; another one is answered with 404. Not set: "
		"whatever it names is ignored. A blank in an identifier is written %20."},
    {"scep", "tolerate", KIND_WORDS, AT(tolerate), .standard = "case no-operation content-type base64 nonce strings unsorted",
	.words = tolerate_words, .flags = NONE_OK,
	.help = "What clients do against RFC 8894 and is accepted: operation names in another case, POST without an operation, another content "
		"type, base64 by GET that was mangled on its way, base64 instead of octets by POST, nonces that have not 16 octets, attributes "
		"of other string types, and signed attributes that are not in order."},
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
