/* `scepter show`, in four files: show.c reads files, show_item.c tells certificates and requests, show_msg.c messages, show_judge.c what comes of them. */
#ifndef ADMIN_SHOW_H
#define ADMIN_SHOW_H

#include <json-c/json_object.h>

#include "ca/rollover.h"

/* What is known beside the file itself. */
struct show {
	bool secrets;			/* print challenges in clear */
	const struct profile *profile;	/* NULL: none; then algs and limits are the defaults */
	struct alg_set algs;
	struct key_limits limits;
	struct scep_recipient to[1 + ROLLOVER_RECIPIENTS];	/* who may open envelopes */
	size_t n_to;
	struct bytes password;		/* opens password envelopes; n == 0: none */
	size_t n_problems;		/* counted by show_problem */
};

/* One more thing that is wrong: "label: sentence", in the member "problems". */
void show_problem(struct show *show, struct json_object *o, const struct why *why);

/*
 * What `der` is and says, as members of `o`. Whatever cannot be read becomes a problem. Recognises certificates, requests (PKCS#10), SignedData,
 * CRLs, SCEP messages and EnvelopedData.
 */
void show_item(struct show *show, struct bytes der, struct json_object *o);

void show_cert(struct show *show, struct bytes der, struct json_object *o);
void show_crl(struct show *show, struct bytes der, struct json_object *o);
void show_csr(struct show *show, struct bytes der, struct json_object *o);
/* The same without saying what is wrong with it: for one in a message, which is judged as a whole. */
void show_csr_parts(const struct show *show, struct bytes der, struct json_object *o);
void show_signed(struct show *show, struct bytes in, struct json_object *o);
/* What the responder checks of a request (`plain`: its PKCS#10) without asking the database; says in `o` what would then be answered. */
enum err show_judge(const struct show *show, struct scep_msg *msg, struct bytes plain, struct json_object *o, struct why *why);
void show_enveloped(struct show *show, struct bytes in, struct json_object *o);

#endif
