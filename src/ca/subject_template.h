/* A subject made of values: "CN=${csr.cn},OU=Devices,O=Example", compiled when the profile is loaded. RFC 4514, the most specific part first. */
#ifndef CA_SUBJECT_TEMPLATE_H
#define CA_SUBJECT_TEMPLATE_H

#include "ca/wording.h"

struct subject_template;

/* Error: CONFIG, whatever is wrong with the text. */
enum err subject_template_parse(const char *text, struct subject_template **out, struct why *why);
void subject_template_free(struct subject_template *t);	/* NULL is allowed */

/*
 * Appends the Name. An attribute whose text comes out empty (an empty default) is left out. Error: SUBJECT, with the attribute: see wording_write;
 * longer than RFC 5280, appendix A.1 allows, or of other characters than its type has.
 */
enum err subject_template_write(const struct subject_template *t, const struct wording_from *from, struct buf *name, struct why *why);

#endif
