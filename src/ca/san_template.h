/* subjectAltNames made of values: "dns:${csr.cn}.example.com upn:${intune.upn:-}", compiled when the profile is loaded. */
#ifndef CA_SAN_TEMPLATE_H
#define CA_SAN_TEMPLATE_H

#include "ca/wording.h"

struct san_template;

/* Error: CONFIG, whatever is wrong with the text. */
enum err san_template_parse(const char *text, struct san_template **out, struct why *why);
void san_template_free(struct san_template *t);	/* NULL is allowed */

/*
 * Appends GeneralNames, one after the other, none twice. A name that has several values gives as many of them; one whose text comes out empty (an
 * empty default) gives none. Error: SUBJECT: see wording_write; what comes out is not a name of its kind.
 */
enum err san_template_write(const struct san_template *t, const struct wording_from *from, struct buf *names, struct why *why);

#endif
