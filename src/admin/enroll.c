/* scepter enroll: a complete small SCEP client. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "admin/client_msg.h"
#include "admin/client_server.h"
#include "admin/client_verbs.h"
#include "admin/enroll_files.h"
#include "admin/opts.h"
#include "admin/print.h"
#include "admin/progress.h"
#include "admin/verb.h"
#include "base/file.h"
#include "pki/csr.h"
#include "pki/der.h"
#include "pki/name.h"

struct args {
	struct client_opts server;
	const char *subject, *challenge, *challenge_file, *out, *cert, *key, *key_type, *poll;
	struct opt_list san;
	long poll_interval, poll_max;
	bool get, json;
};

static const struct opt table[] = {
    CLIENT_OPTS(struct args, server),
    {"subject", 's', OPT_TEXT, offsetof(struct args, subject), "NAME", "the subject asked for, e.g. 'CN=device 7,O=Example'"},
    {"san", 0, OPT_LIST, offsetof(struct args, san), "KIND:VALUE",
	"a subjectAltName: dns:, ip:, email:, uri: or upn:; may be given several times"},
    {"challenge-file", 0, OPT_TEXT, offsetof(struct args, challenge_file), "FILE", "the challenge is FILE's first line ('-': standard input)"},
    {"challenge", 0, OPT_TEXT, offsetof(struct args, challenge), "TEXT",
	"the challenge itself: others can read it in the list of processes, prefer --challenge-file"},
    {"out", 'o', OPT_TEXT, offsetof(struct args, out), "DIR", "write key.pem and cert.pem into DIR"},
    {"key", 'k', OPT_TEXT, offsetof(struct args, key), "FILE", "use this key; when there is no such file, a new key is written there (0600)"},
    {"cert", 0, OPT_TEXT, offsetof(struct args, cert), "FILE", "write the certificate there"},
    {"key-type", 't', OPT_TEXT, offsetof(struct args, key_type), "TYPE", "a new key's type: rsa:2048 (default), rsa:3072, rsa:4096, ec:p256, ec:p384, ec:p521 or ed25519; all but RSA need a challenge"},
    {"get", 0, OPT_FLAG, offsetof(struct args, get), NULL, "send requests by GET even if the server takes POST"},
    {"poll-interval", 0, OPT_DURATION, offsetof(struct args, poll_interval), "TIME", "between two questions while the request waits (30s)"},
    {"poll-max", 0, OPT_NUMBER, offsetof(struct args, poll_max), "N", "so many questions before giving up with exit status 4 (20)"},
    {"poll", 0, OPT_TEXT, offsetof(struct args, poll), "ID", "only ask for the earlier request with this transaction id; needs its --key and --subject"},
    OPT_JSON(struct args),
    {NULL, 0, 0, 0, NULL, NULL},
};

static const struct opts opts = {
    "Gets a certificate from the SCEP server at URL.\v"
    "Exit status: 0 certificate written, 1 refused or failed, 2 wrong options, 3 key or file not usable, 4 the request still waits.",
    table,
};

struct enrolment {
	const struct args *args;
	struct client_server server;
	struct enroll_files files;
	struct client_id me;
	struct key *key;		/* me.key, owned */
	struct buf subject;		/* Name TLV */
	struct buf challenge;		/* empty: none */
	struct client_request req;
	struct client_answer answer;
	long polls;
	bool may_be_issued;		/* asked for, and not known to have been refused */
};

static int check_args(const struct args *a)
{
	if (a->subject == NULL)
		return verb_misused("--subject is missing: the name that the certificate is for");
	if (a->out == NULL && (a->key == NULL || a->cert == NULL))
		return verb_misused("give --out DIR, or both --key FILE and --cert FILE");
	if (a->challenge != NULL && a->challenge_file != NULL)
		return verb_misused("--challenge and --challenge-file exclude each other");
	if (a->poll != NULL && strlen(a->poll) > SCEP_TXID_MAX)
		return verb_misused("--poll: a transaction id has at most %d characters", SCEP_TXID_MAX);
	return client_opts_check(&a->server);
}

/* GeneralNames of every --san; empty for none. */
static enum err make_san(const struct opt_list *list, struct buf *out, struct why *why)
{
	size_t at = der_open(out);

	for (size_t i = 0; i < list->n; i++) {
		enum err err = san_parse(list->values[i], out, why);

		if (err != ERR_OK)
			return err;
	}
	if (list->n > 0)
		der_close(out, at, DER_SEQUENCE);
	return ERR_OK;
}

/* The CSR, with the challenge inside. The caller wipes. */
static enum err make_csr(const struct enrolment *e, struct buf *csr, struct why *why)
{
	struct buf san = {0};
	enum err err;

	err = make_san(&e->args->san, &san, why);
	if (err == ERR_OK)
		err = csr_build(e->key, buf_bytes(&e->subject), e->challenge.n > 0 ? buf_str(&e->challenge) : NULL, buf_bytes(&san),
		    csr, why);
	buf_free(&san);
	return err;
}

/* Sends req->message and reads the answer into e->answer. */
static enum err exchange(struct enrolment *e, struct why *why)
{
	bool post = (e->server.caps & CAP_POST) != 0 && !e->args->get;
	struct client_http_answer http = {0};
	struct bytes message = buf_bytes(&e->req.message);
	enum err err;

	client_answer_free(&e->answer);
	e->may_be_issued = true;
	err = post ? client_http_post(e->server.http, message, &http, why)
		   : client_http_get(e->server.http, "PKIOperation", message, &http, why);
	if (err == ERR_OK)
		err = client_http_expect_ok("PKIOperation", &http, why);
	if (err == ERR_OK)
		err = client_answer_read(buf_bytes(&http.body), e->server.ca, &e->me, &e->req, &e->answer, why);
	if (e->answer.status == SCEP_FAILURE || http.status / 100 == 4)
		e->may_be_issued = false;
	buf_free(&http.body);
	return err;
}

static enum err send_request(struct enrolment *e, struct why *why)
{
	struct buf csr = {0};
	enum err err;

	client_txid_make(&e->req);
	err = make_csr(e, &csr, why);
	if (err == ERR_OK)
		err = client_request_write(SCEP_PKCSREQ, e->server.ca, &e->me, &e->server.algs, buf_bytes(&csr), &e->req, why);
	buf_wipe(&csr);
	return err == ERR_OK ? exchange(e, why) : err;
}

static enum err send_poll(struct enrolment *e, struct why *why)
{
	struct buf names = {0};
	enum err err;

	scep_issuer_and_subject_write(e->server.ca->issuer->subject, buf_bytes(&e->subject), &names);
	err = client_request_write(SCEP_CERTPOLL, e->server.ca, &e->me, &e->server.algs, buf_bytes(&names), &e->req, why);
	buf_free(&names);
	e->polls++;
	return err == ERR_OK ? exchange(e, why) : err;
}

static enum err poll_until_decided(struct enrolment *e, struct why *why)
{
	enum err err = ERR_OK;

	if (e->answer.status != SCEP_PENDING || e->polls >= e->args->poll_max)
		return ERR_OK;
	progress_start("waiting for the request to be approved");
	while (err == ERR_OK && e->answer.status == SCEP_PENDING && e->polls < e->args->poll_max) {
		struct timespec left = {.tv_sec = e->args->poll_interval};

		while (nanosleep(&left, &left) != 0)	/* the progress line's timer interrupts it */
			;
		err = send_poll(e, why);
		progress_count(e->polls, e->args->poll_max);
	}
	progress_stop();
	return err;
}

/* Key and self-signed certificate, once the server is known to be the right one. */
static enum err prepare(struct enrolment *e, struct why *why)
{
	const struct args *a = e->args;
	bool made = false;
	enum err err;

	if ((err = name_parse(a->subject, &e->subject, why)) != ERR_OK ||
	    (err = enroll_challenge(a->challenge, a->challenge_file, &e->challenge, why)) != ERR_OK ||
	    (err = client_server_meet(&a->server, &e->server, why)) != ERR_OK ||
	    (err = enroll_files_name(a->out, a->key, a->cert, &e->files, why)) != ERR_OK ||
	    (err = file_may_write(e->files.cert, why)) != ERR_OK)	/* the challenge may be good once only */
		return err;
	progress_start("making a key");
	err = enroll_key(e->files.key, a->key_type, &e->key, &made, why);
	progress_stop();
	if (err != ERR_OK)
		return err;
	if (made && a->poll != NULL)
		return fail(why, ERR_KEY, "'%s' is a new key: --poll needs the key that the request was made with", e->files.key);
	if (key_kind(e->key).type != KEY_RSA && e->challenge.n == 0)
		return fail(why, ERR_KEY, "'%s' is not an RSA key: the server encrypts the certificate under the challenge; give --challenge-file",
		    e->files.key);
	e->me.key = e->key;
	e->me.password = buf_bytes(&e->challenge);
	return client_cert_make(e->key, buf_bytes(&e->subject), time(NULL), &e->me.cert, why);
}

static enum err run(struct enrolment *e, struct why *why)
{
	enum err err = prepare(e, why);

	if (err != ERR_OK)
		return err;
	if (e->args->poll != NULL) {
		memcpy(e->req.txid, e->args->poll, strlen(e->args->poll) + 1);
		err = send_poll(e, why);
	} else {
		err = send_request(e, why);
	}
	if (err == ERR_OK)
		err = poll_until_decided(e, why);
	if (err == ERR_OK && e->answer.status == SCEP_FAILURE)
		err = client_refused(&e->answer, why);
	if (err == ERR_OK && e->answer.status == SCEP_SUCCESS)
		err = enroll_cert_write(e->files.cert, e->answer.cert, why);
	return err;
}

static void report(const struct enrolment *e)
{
	bool issued = e->answer.status == SCEP_SUCCESS;
	const struct cert *cert = e->answer.cert;
	struct json_object *o = json_object_new_object();
	struct buf text = {0};
	uint8_t fp[32];

	put_text(o, "status", issued ? "issued" : "pending");
	put_text(o, "transaction", e->req.txid);
	put_text(o, "key_file", e->files.key);
	if (issued) {
		put_text(o, "certificate_file", e->files.cert);
		if (name_text(cert->subject, &text, NULL) == ERR_OK)
			put_text(o, "subject", (const char *)text.p);
		put_hex(o, "serial", cert->serial);
		if (cert->times_ok) {
			put_time(o, "not_before", cert->not_before);
			put_time(o, "not_after", cert->not_after);
		}
		cert_fingerprint(cert, fp);
		put_fingerprint(o, "sha256_fingerprint", bytes_of(fp, sizeof(fp)));
	}
	put_text(o, "digest", e->server.algs.digest->name);
	put_text(o, "cipher", e->server.algs.cipher->name);
	print_object(o, e->args->json);
	buf_free(&text);
}

static void release(struct enrolment *e)
{
	client_answer_free(&e->answer);
	buf_wipe(&e->req.message);
	cert_free(e->me.cert);
	key_free(e->key);
	buf_free(&e->subject);
	buf_wipe(&e->challenge);
	enroll_files_free(&e->files);
	client_server_leave(&e->server);
}

int enroll_run(int argc, char **argv)
{
	struct args args = {.key_type = "rsa:2048", .poll_interval = 30, .poll_max = 20};
	struct enrolment e = {.args = &args};
	struct why why = {0};
	int code;

	opts_parse(&opts, argc, argv, &args);
	code = check_args(&args);
	if (code != EXIT_OK)
		return code;
	if (run(&e, &why) != ERR_OK) {
		code = verb_failed(&why);
		if (e.may_be_issued)
			verb_note("A certificate may have been issued all the same. Ask with the same options and --poll %s", e.req.txid);
	} else {
		report(&e);
		code = e.answer.status == SCEP_PENDING ? EXIT_PENDING : EXIT_OK;
		if (code == EXIT_PENDING)
			verb_note("The request waits for approval. Ask again with the same options and --poll %s", e.req.txid);
	}
	release(&e);
	free(args.san.values);
	return code;
}
