/* GetCACaps (RFC 8894, section 3.5.2): only what is switched on is announced (P-32). */
#include "scep/msg.h"

static void keyword(struct buf *out, const char *word)
{
	buf_add_str(out, word);
	buf_add_byte(out, '\n');
}

void scep_caps_write(const struct alg_set *algs, bool renewal, bool next_ca, struct buf *out)
{
	for (int id = 0; id < CIPHER_COUNT; id++) {
		const struct cipher_row *row = cipher_row((enum cipher)id);

		if (row->cap != NULL && alg_set_has_cipher(algs, row))
			keyword(out, row->cap);
	}
	for (int id = 0; id < DIGEST_COUNT; id++) {
		const struct digest_row *row = digest_row((enum digest)id);

		if (row->cap != NULL && alg_set_has_digest(algs, row))
			keyword(out, row->cap);
	}
	keyword(out, "POSTPKIOperation");
	if (renewal)
		keyword(out, "Renewal");
	keyword(out, "SCEPStandard");
	if (next_ca)
		keyword(out, "GetNextCACert");
}
