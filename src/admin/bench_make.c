#include <stdlib.h>
#include <time.h>

#include <gnutls/crypto.h>

#include "admin/bench_load.h"
#include "admin/progress.h"
#include "base/mem.h"
#include "pki/csr.h"
#include "pki/name.h"

static enum err make_keys(const struct bench_spec *spec, struct bench_load *load, struct why *why)
{
	enum err err = ERR_OK;

	load->keys = mem_alloc(spec->n_keys * sizeof(*load->keys));
	progress_start("making device keys");
	for (size_t i = 0; i < spec->n_keys && err == ERR_OK; i++) {
		err = key_generate(spec->key_type, &load->keys[i], why);
		load->n_keys += err == ERR_OK;
		progress_count((long)load->n_keys, (long)spec->n_keys);
	}
	progress_stop();
	return err;
}

/* Subjects differ from device to device and from run to run. */
static enum err make_subject(const char *run, size_t i, struct buf *out, struct why *why)
{
	char *text = mem_printf("CN=bench-%s-%zu", run, i);
	enum err err = name_parse(text, out, why);

	free(text);
	return err;
}

static enum err make_device(const struct client_server *server, const struct key *key, struct bytes subject,
    const char *challenge, struct bench_device *d, struct why *why)
{
	struct buf csr = {0};
	enum err err;

	d->id.key = key;
	client_txid_make(&d->req);
	err = client_cert_make(key, subject, time(NULL), &d->id.cert, why);
	if (err == ERR_OK)
		err = csr_build(key, subject, challenge, (struct bytes){0}, &csr, why);
	if (err == ERR_OK)
		err = client_request_write(SCEP_PKCSREQ, server->ca, &d->id, &server->algs, buf_bytes(&csr), &d->req, why);
	buf_wipe(&csr);
	return err;
}

static const char *challenge_of(const struct bench_spec *spec, size_t i)
{
	if (spec->n_challenges == 0)
		return NULL;
	return (const char *)spec->challenges[spec->n_challenges == 1 ? 0 : i].p;
}

static enum err make_devices(const struct bench_spec *spec, const struct client_server *server, struct bench_load *load, struct why *why)
{
	struct client_request run;
	struct buf subject = {0};
	enum err err = ERR_OK;

	client_txid_make(&run);
	run.txid[8] = '\0';
	load->devices = mem_alloc(spec->n * sizeof(*load->devices));
	progress_start("making requests");
	for (size_t i = 0; i < spec->n && err == ERR_OK; i++) {
		err = make_subject(run.txid, i, &subject, why);
		load->n++;
		if (err == ERR_OK)
			err = make_device(server, load->keys[i % load->n_keys], buf_bytes(&subject), challenge_of(spec, i),
			    &load->devices[i], why);
		buf_free(&subject);
		progress_count((long)load->n, (long)spec->n);
	}
	progress_stop();
	return err;
}

enum err bench_load_make(const struct bench_spec *spec, const struct client_server *server, struct bench_load *out, struct why *why)
{
	struct bench_load load = {0};
	enum err err;

	err = make_keys(spec, &load, why);
	if (err == ERR_OK)
		err = make_devices(spec, server, &load, why);
	if (err == ERR_OK)
		*out = load;
	else
		bench_load_free(&load);
	return err;
}

void bench_load_free(struct bench_load *load)
{
	for (size_t i = 0; i < load->n; i++) {
		cert_free(load->devices[i].id.cert);
		buf_wipe(&load->devices[i].req.message);
		buf_free(&load->devices[i].body);
	}
	for (size_t i = 0; i < load->n_keys; i++)
		key_free(load->keys[i]);
	free(load->devices);
	free(load->keys);
	*load = (struct bench_load){0};
}
