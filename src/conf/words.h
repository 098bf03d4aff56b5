/* The words that settings are written with, and what they stand for. For conf/table.c alone. */
#ifndef CONF_WORDS_H
#define CONF_WORDS_H

#include "conf/conf.h"
#include "conf/table.h"

static const struct conf_word log_words[] = {{.word = "stderr", .value = 0}, {.word = "syslog", .value = 1}, {0}};
static const struct conf_word level_words[] = {
    {.word = "error", .value = LOG_ERROR_}, {.word = "warning", .value = LOG_WARN_}, {.word = "info", .value = LOG_INFO_},
    {.word = "debug", .value = LOG_DEBUG_}, {0},
};
static const struct conf_word signer_words[] = {{.word = "must-match", .value = 1}, {.word = "any", .value = 0}, {0}};
static const struct conf_word client_auth_words[] = {{.word = "clientAuth", .value = 1}, {.word = "any", .value = 0}, {0}};
static const struct conf_word client_challenge_words[] = {
    {.word = "required", .value = 0}, {.word = "not-with-client-cert", .value = 1}, {0},
};
static const struct conf_word bind_words[] = {
    {.word = "subject", .value = BIND_SUBJECT}, {.word = "cn", .value = BIND_CN}, {.word = "serial_number", .value = BIND_SERIAL_NUMBER},
    {.word = "san", .value = BIND_SAN}, {.word = "key", .value = BIND_KEY}, {0},
};
static const struct conf_word device_words[] = {
    {.word = "cn", .value = DEVICE_ID_CN}, {.word = "serial_number", .value = DEVICE_ID_SERIAL_NUMBER},
    {.word = "subject", .value = DEVICE_ID_SUBJECT}, {.word = "transaction_id", .value = DEVICE_ID_TRANSACTION}, {0},
};
static const struct conf_word claim_words[] = {
    {.word = "nonce", .value = CLAIM_NONCE}, {.word = "iat", .value = CLAIM_IAT}, {.word = "exp", .value = CLAIM_EXP},
    {.word = "aud", .value = CLAIM_AUD}, {0},
};
static const struct conf_word unbound_words[] = {{.word = "refuse", .value = 0}, {.word = "allow", .value = 1}, {0}};
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
static const struct conf_word hook_role_words[] = {
    {.word = "compliance", .value = HOOK_COMPLIANCE}, {.word = "challenge", .value = HOOK_CHALLENGE}, {0},
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

#endif
