/* Words of the settings about certificates: [certificate], [san] and [extensions]. For conf/table.c alone, as words.h is. */
#ifndef CONF_CERT_WORDS_H
#define CONF_CERT_WORDS_H

#include "conf/conf.h"
#include "conf/table.h"

static const struct conf_word san_words[] = {
    {.word = "dns", .value = SAN_DNS}, {.word = "ip", .value = SAN_IP}, {.word = "email", .value = SAN_EMAIL},
    {.word = "uri", .value = SAN_URI}, {.word = "upn", .value = SAN_UPN}, {.word = "directory", .value = SAN_DIRNAME}, {0},
};
static const struct conf_word keys_words[] = {
    {.word = "rsa", .value = KEYS_RSA}, {.word = "ec", .value = KEYS_EC}, {.word = "ed25519", .value = KEYS_ED25519}, {0},
};
static const struct conf_word curves_words[] = {
    {.word = "p256", .value = CURVES_P256}, {.word = "p384", .value = CURVES_P384}, {.word = "p521", .value = CURVES_P521}, {0},
};
static const struct conf_word signature_words[] = {
    {.word = "auto", .value = SIGNATURE_AUTO}, {.word = "rsa-pkcs1", .value = SIGNATURE_RSA_PKCS1},
    {.word = "rsa-pss", .value = SIGNATURE_RSA_PSS}, {.word = "ecdsa", .value = SIGNATURE_ECDSA},
    {.word = "ed25519", .value = SIGNATURE_ED25519}, {0},
};
static const struct conf_word digest_words[] = {
    {.word = "auto", .value = SIGN_DIGEST_AUTO}, {.word = "sha256", .value = SIGN_DIGEST_SHA256},
    {.word = "sha384", .value = SIGN_DIGEST_SHA384}, {.word = "sha512", .value = SIGN_DIGEST_SHA512}, {0},
};
static const struct conf_word excess_words[] = {{.word = "drop", .value = EXCESS_DROP}, {.word = "refuse", .value = EXCESS_REFUSE}, {0}};
static const struct conf_word max_active_words[] = {{.word = "refuse", .value = 0}, {.word = "revoke-oldest", .value = 1}, {0}};
static const struct conf_word must_staple_words[] = {
    {.word = "no", .value = MUST_STAPLE_NO}, {.word = "requested", .value = MUST_STAPLE_REQUESTED},
    {.word = "always", .value = MUST_STAPLE_ALWAYS}, {0},
};
static const struct conf_word sid_words[] = {{.word = "extension", .value = SID_EXTENSION}, {.word = "uri", .value = SID_URI}, {0}};
static const struct conf_word policy_words[] = {{.word = "anyPolicy", .oid = "2.5.29.32.0"}, {0}};

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
    {.word = "anyExtendedKeyUsage", .oid = "2.5.29.37.0", .refused = "it is good for every purpose; name those that are meant"},
    {0},
};

#endif
