#include "server/report.h"

#include "base/codec.h"
#include "base/log.h"
#include "pki/alg.h"
#include "pki/cert.h"

void report_log(const struct problems *problems)
{
	for (size_t i = 0; i < problems->n; i++) {
		const struct problem *p = &problems->list[i];

		log_line(p->level == PROBLEM_ERROR ? LOG_ERROR_ : LOG_WARN_, "%s: %s", p->where, p->text);
	}
}

void report_print(FILE *f, const char *conf_file, const struct problems *problems)
{
	for (size_t i = 0; i < problems->n; i++) {
		const struct problem *p = &problems->list[i];

		fprintf(f, "%s: %s: %s\n", p->level == PROBLEM_ERROR ? "error" : "warning", p->where, p->text);
	}
	fprintf(f, "%s: %zu errors, %zu warnings\n", conf_file, problems->n_errors, problems->n - problems->n_errors);
}

void report_profiles(const struct site *site)
{
	for (struct profile *const *p = site->profiles; *p != NULL; p++) {
		const struct digest_row *sha256 = digest_row(DIGEST_SHA256);
		uint8_t digest[64];
		struct buf hex = {0};

		hex_encode(&hex, bytes_of(digest, digest_of(sha256, buf_bytes(&(*p)->ca_cert->der), digest)));
		log_info("profile '%s': CA certificate SHA-256 %s", (*p)->conf->name, (const char *)hex.p);
		buf_free(&hex);
	}
}
