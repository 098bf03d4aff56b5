/* From what was decided to the CertRep (RFC 8894, 3.3.2). */
#ifndef CA_RESPOND_H
#define CA_RESPOND_H

#include "ca/enroll.h"

/*
 * SUCCESS with the certificate `der`, and the CA's own after it where the profile says so. password: what seals it for a key that cannot
 * decrypt (n == 0: none). Errors: CA_KEY, ALG.
 */
enum err respond_success(const struct enroll_env *env, const struct scep_msg *msg, struct bytes der, struct bytes password,
    struct outcome *out);

/* SUCCESS with a CRL. Errors: CA_KEY, ALG. */
enum err respond_crl(const struct enroll_env *env, const struct scep_msg *msg, struct bytes crl, struct outcome *out);

/* PENDING. Error: CA_KEY. */
enum err respond_pending(const struct enroll_env *env, const struct scep_msg *msg, struct outcome *out);

/* FAILURE with the failInfo of `err`'s row, and `text` or else the row's. Error: CA_KEY. */
enum err respond_failure(const struct enroll_env *env, const struct scep_msg *msg, enum err err, const char *text, struct outcome *out);

#endif
