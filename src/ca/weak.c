#include "ca/weak.h"

#include <string.h>

static void note(struct outcome *out, const char *name, enum alg_class class)
{
	if (class == ALG_STANDARD)
		return;
	out->obsolete |= class == ALG_OBSOLETE;
	if (strstr(buf_str(&out->weak), name) == NULL)
		buf_printf(&out->weak, "%s%s", out->weak.n > 0 ? ", " : "", name);
}

/* Only algorithms that the profile permits come this far. */
void weak_note_message(struct work *w)
{
	const struct digest_row *digest = w->msg->cms->digest;
	const struct cipher_row *cipher = w->msg->envelope->cipher;

	note(w->out, digest->name, digest->class);
	note(w->out, cipher->name, cipher->class);
}

void weak_note_csr(struct work *w)
{
	const struct digest_row *digest = NULL;
	enum sig_scheme scheme;

	if (sig_alg_read(w->csr->sig_alg, &scheme, &digest, NULL) == ERR_OK && digest != NULL)
		note(w->out, digest->name, digest->class);
}
