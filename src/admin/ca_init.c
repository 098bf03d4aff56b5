/* scepter ca init: a new CA, self-signed or under a parent. */
#include <stdlib.h>

#include <gnutls/x509.h>

#include "admin/ca_args.h"
#include "admin/ca_make.h"
#include "admin/verb.h"
#include "admin/verbs.h"
#include "base/mem.h"

struct args {
	struct ca_args make;
	const char *parent_cert, *parent_key, *parent_pin_file;
	long path_length;
	bool scep_peer;
};

static const struct opt table[] = {
    OPT_CA_ARGS(struct args),
    {"key-type", 't', OPT_TEXT, offsetof(struct args, make.key_type), "TYPE",
	"rsa:2048, rsa:3072 (default), rsa:4096, ec:p256, ec:p384, ec:p521 or ed25519"},
    {"parent-cert", 0, OPT_TEXT, offsetof(struct args, parent_cert), "FILE",
	"make an intermediate CA, signed by this one (PEM; its own parents may follow in the file)"},
    {"parent-key", 0, OPT_TEXT, offsetof(struct args, parent_key), "FILE|URI", "the parent's key"},
    {"parent-pin-file", 0, OPT_TEXT, offsetof(struct args, parent_pin_file), "FILE", "file with the PIN of its token"},
    {"path-length", 0, OPT_NUMBER, offsetof(struct args, path_length), "N",
	"how many CAs may follow below (default: any number under a root, none under an intermediate)"},
    {"scep-peer", 0, OPT_FLAG, offsetof(struct args, scep_peer), NULL,
	"the CA answers devices itself, without an RA: adds digitalSignature and keyEncipherment (RSA only)"},
    {NULL, 0, OPT_FLAG, 0, NULL, NULL},
};

static const struct opts opts = {
    .doc = "Makes a CA: a key and a certificate that may sign others. Prints what it made. The files in DIR are ca.pem, ca.key"
	   " (mode 0600) and, for an intermediate, ca-chain.pem with its parents.",
    .table = table,
};

/* A parent that allows n CAs below it allows n - 1 below this one. */
static enum err choose_path_len(const struct args *args, const struct ca_signer *parent, int *out, struct why *why)
{
	int limit = parent == NULL ? -1 : cert_path_len(parent->cert);
	int wanted = (int)args->path_length;

	if (limit == 0)
		return fail(why, ERR_CERT, "%s allows no CA below it (pathLenConstraint 0): choose another parent",
		    args->parent_cert);
	if (wanted < 0)
		wanted = parent == NULL ? -1 : 0;
	if (limit > 0 && wanted >= limit)
		return fail(why, ERR_CERT, "%s allows only %d CAs below it: --path-length can be %d at most", args->parent_cert,
		    limit, limit - 1);
	*out = wanted;
	return ERR_OK;
}

static bool is_shortened(const struct ca_job *job, const struct cert *cert)
{
	return cert->not_after < time(NULL) + job->days * 86400L - 60;
}

static enum err make(const struct args *args, const struct ca_places *places, const struct ca_signer *parent, struct why *why)
{
	char *chain = parent != NULL && args->make.out != NULL ? mem_printf("%s/ca-chain.pem", args->make.out) : NULL;
	struct ca_job job = {
	    .subject = args->make.subject,
	    .key_type = args->make.key_type,
	    .days = args->make.days,
	    .replace = args->make.force,
	    .cert_file = places->cert,
	    .key_where = places->key,
	    .pin_file = args->make.pin_file,
	    .chain_file = chain,
	    .by = parent,
	    .ca = true,
	    .key_usage = GNUTLS_KEY_KEY_CERT_SIGN | GNUTLS_KEY_CRL_SIGN,
	    .rsa_only = args->scep_peer,
	};
	struct cert *cert = NULL;
	enum err err;

	if (args->scep_peer)
		job.key_usage |= GNUTLS_KEY_DIGITAL_SIGNATURE | GNUTLS_KEY_KEY_ENCIPHERMENT;
	if ((err = choose_path_len(args, parent, &job.path_len, why)) != ERR_OK)
		goto out;
	if ((err = ca_places_make(&args->make, why)) != ERR_OK)
		goto out;
	if ((err = ca_make(&job, time(NULL), &cert, why)) != ERR_OK)
		goto out;
	if (chain != NULL && (err = ca_write_chain(&job, args->parent_cert, why)) != ERR_OK)
		goto out;
	if (is_shortened(&job, cert))
		verb_note("The certificate ends with its parent's, before the %ld days are over.", job.days);
	ca_print_made(&job, cert, args->make.json);
out:
	cert_free(cert);
	free(chain);
	return err;
}

int ca_init_run(int argc, char **argv)
{
	struct args args = {.make = {.key_type = "rsa:3072", .days = 3650}, .path_length = -1};
	struct ca_signer parent = {0};
	struct ca_places places = {0};
	struct why why = {0};
	enum err err = ERR_OK;

	opts_parse(&opts, argc, argv, &args);
	if (args.make.subject == NULL)
		return verb_misused("--subject is missing: whose CA is it? e.g. --subject 'CN=Demo CA,O=Example'");
	if ((args.parent_cert == NULL) != (args.parent_key == NULL))
		return verb_misused("--parent-cert and --parent-key go together");
	if (!ca_places_find(&args.make, "ca", &places))
		return EXIT_USAGE;
	if (args.parent_cert != NULL)
		err = ca_signer_open(args.parent_cert, args.parent_key, args.parent_pin_file, &parent, &why);
	if (err == ERR_OK)
		err = make(&args, &places, args.parent_cert != NULL ? &parent : NULL, &why);
	ca_signer_free(&parent);
	ca_places_free(&places);
	return err == ERR_OK ? EXIT_OK : verb_failed(&why);
}
