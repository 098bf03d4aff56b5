#include "auth/webhook.h"

#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <stdlib.h>
#include <string.h>

#include "auth/curl_library.h"
#include "auth/hook_json.h"
#include "base/codec.h"
#include "base/file.h"
#include "base/mem.h"
#include "pki/cert.h"

#define SECRET_MIN 16		/* octets */
#define PAUSE_MS 200		/* between two attempts */
#define SHARE(ms) ((ms) / 4)	/* but no more of the time that is left */

struct webhook {
	const struct webhook_conf *conf;
	const struct curl_library *lib;
	struct buf secret;	/* empty: not signed */
	char *server;		/* "https://mdm.example.com": what a sentence may name */
};

struct web {
	const struct curl_library *lib;	/* NULL: not used yet */
	CURL *curl;
	char error[CURL_ERROR_SIZE];
};

/* --- a profile's part --------------------------------------------------------------------------------------------- */

/* The file's content without the line end that editors put there. */
static enum err read_secret(const char *path, struct buf *secret, struct why *why)
{
	enum err err = file_read_secret(path, secret, why);

	if (err != ERR_OK)
		return err;
	while (secret->n > 0 && (secret->p[secret->n - 1] == '\n' || secret->p[secret->n - 1] == '\r'))
		buf_cut(secret, secret->n - 1);
	if (secret->n < SECRET_MIN)
		return fail(why, ERR_CONFIG, "'%s' holds %zu octets, a secret needs at least %d: openssl rand -hex 32 > %s", path, secret->n,
		    SECRET_MIN, path);
	return ERR_OK;
}

/* Any number of certificates, as in the system's bundle: of which the first is looked at. */
static enum err read_ca_file(const char *path, struct why *why)
{
	static const char *const labels[] = {"CERTIFICATE", NULL};
	struct buf file = {0}, der = {0};
	struct cert *cert = NULL;
	enum err err = file_read(path, &file, why);
	struct bytes text = buf_bytes(&file);

	if (err == ERR_OK && !pem_next(&text, labels, &der, NULL))
		err = fail(why, ERR_CERT, "'%s' holds no certificate in PEM", path);
	if (err == ERR_OK && (err = cert_parse(buf_bytes(&der), &cert, why)) != ERR_OK)
		fail_in(why, "'%s'", path);
	cert_free(cert);
	buf_free(&file);
	buf_free(&der);
	return err;
}

static enum err read_certificate(const char *path, struct why *why)
{
	struct cert *cert = NULL;
	enum err err = cert_read(path, &cert, why);

	cert_free(cert);
	return err;
}

static enum err read_key(const char *path, struct why *why)
{
	struct buf key = {0};
	enum err err = file_read_secret(path, &key, why);

	buf_wipe(&key);
	return err;
}

/* What libcurl reads itself, and would only complain of with the first request. */
static enum err check_files(const struct webhook_conf *conf, const char **key, struct why *why)
{
	const struct {
		const char *key, *path;
		enum err (*read)(const char *path, struct why *why);
	} files[] = {
	    {"ca_file", conf->ca_file, read_ca_file},
	    {"client_certificate", conf->client_certificate, read_certificate},
	    {"client_key", conf->client_key, read_key},
	};

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		*key = files[i].key;
		if (files[i].path != NULL && files[i].read(files[i].path, why) != ERR_OK)
			return why->err;
	}
	return ERR_OK;
}

enum err webhook_load(const struct webhook_conf *conf, struct webhook **out, const char **key, struct why *why)
{
	struct webhook *hook = mem_alloc(sizeof(*hook));
	enum err err = curl_library_load(&hook->lib, why);

	hook->conf = conf;
	hook->server = mem_strndup(conf->url, (size_t)hook_url_server(conf->url));
	*key = "url";
	if (err == ERR_OK && conf->secret_file != NULL) {
		*key = "secret_file";
		err = read_secret(conf->secret_file, &hook->secret, why);
	}
	if (err == ERR_OK)
		err = check_files(conf, key, why);
	if (err == ERR_OK)
		*out = hook;
	else
		webhook_free(hook);
	return err;
}

void webhook_free(struct webhook *hook)
{
	if (hook == NULL)
		return;
	buf_wipe(&hook->secret);
	free(hook->server);
	free(hook);
}

void webhook_sign(struct bytes secret, time_t now, struct bytes body, struct buf *out)
{
	struct buf text = {0};
	uint8_t mac[32];

	buf_printf(&text, "%lld.", (long long)now);
	buf_add_bytes(&text, body);
	if (gnutls_hmac_fast(GNUTLS_MAC_SHA256, secret.p, secret.n, text.p, text.n, mac) < 0)
		abort();	/* as in digest_of */
	buf_wipe(&text);	/* may hold a challenge */
	buf_printf(out, "t=%lld,v1=", (long long)now);
	hex_encode(out, bytes_of(mac, sizeof(mac)));
}

/* --- a process's part --------------------------------------------------------------------------------------------- */

struct web *web_open(void)
{
	return mem_alloc(sizeof(struct web));
}

void web_close(struct web *web)
{
	if (web == NULL)
		return;
	if (web->curl != NULL)
		web->lib->cleanup(web->curl);
	if (web->lib != NULL)
		web->lib->global_cleanup();
	free(web);
}

static enum err start(struct web *web, const struct curl_library *lib, struct why *why)
{
	if (web->lib == NULL) {
		if (lib->global_init(CURL_GLOBAL_ALL) != CURLE_OK)
			return fail(why, ERR_HOOK, "libcurl could not be started");
		web->lib = lib;
	}
	if (web->curl == NULL && (web->curl = lib->init()) == NULL)
		return fail(why, ERR_HOOK, "libcurl could not be started");
	return ERR_OK;
}

/* --- one question ------------------------------------------------------------------------------------------------- */

struct post {
	struct web *web;
	const struct webhook *hook;
	struct curl_slist *headers;
	struct buf answer;
	bool too_large;
	long status;
	CURLcode code;
};

static long now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static size_t collect(char *data, size_t size, size_t n, void *ctx)
{
	struct post *post = ctx;

	if (size * n > HOOK_ANSWER_MAX - post->answer.n) {
		post->too_large = true;
		return 0;
	}
	buf_add(&post->answer, data, size * n);
	return size * n;
}

static void add_header(struct post *post, const char *name, const char *value)
{
	char *line = mem_printf("%s: %s", name, value);

	post->headers = post->web->lib->slist_append(post->headers, line);
	free(line);
}

static void set_headers(struct post *post, const char *id, struct bytes body)
{
	struct buf signature = {0};

	add_header(post, "Content-Type", "application/json");
	add_header(post, "Accept", "application/json");
	add_header(post, "Idempotency-Key", id);
	if (post->hook->secret.n > 0) {
		webhook_sign(buf_bytes(&post->hook->secret), time(NULL), body, &signature);
		add_header(post, "X-Scepter-Signature", buf_str(&signature));
		buf_free(&signature);
	}
	post->headers = post->web->lib->slist_append(post->headers, "Expect:");	/* else libcurl waits for a 100 that not everybody sends */
}

/* Trust is in what the profile names: no proxy and no certificate comes from anywhere else, and nothing leads elsewhere. */
static void set_trust(struct post *post)
{
	const struct webhook_conf *conf = post->hook->conf;
	const struct curl_library *lib = post->web->lib;
	CURL *curl = post->web->curl;

	lib->setopt(curl, CURLOPT_PROTOCOLS_STR, strncmp(conf->url, "https:", 6) == 0 ? "https" : "http");
	lib->setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
	lib->setopt(curl, CURLOPT_PROXY, "");
	lib->setopt(curl, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	lib->setopt(curl, CURLOPT_SSL_VERIFYPEER, 1L);
	lib->setopt(curl, CURLOPT_SSL_VERIFYHOST, 2L);
	if (conf->ca_file != NULL) {
		lib->setopt(curl, CURLOPT_CAINFO, conf->ca_file);
		lib->setopt(curl, CURLOPT_CAPATH, NULL);	/* the system's folder, which counts beside the file else */
	}
	if (conf->client_certificate != NULL) {
		lib->setopt(curl, CURLOPT_SSLCERT, conf->client_certificate);
		lib->setopt(curl, CURLOPT_SSLKEY, conf->client_key);
	}
}

static void set_post(struct post *post, struct bytes body)
{
	const struct curl_library *lib = post->web->lib;
	CURL *curl = post->web->curl;

	lib->reset(curl);	/* options only: connections stay */
	lib->setopt(curl, CURLOPT_NOSIGNAL, 1L);
	lib->setopt(curl, CURLOPT_QUICK_EXIT, 1L);	/* a name server that hangs holds nobody past the deadline */
	lib->setopt(curl, CURLOPT_ERRORBUFFER, post->web->error);
	lib->setopt(curl, CURLOPT_USERAGENT, "scepter/" PACKAGE_VERSION);
	lib->setopt(curl, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	lib->setopt(curl, CURLOPT_TCP_KEEPALIVE, 1L);
	lib->setopt(curl, CURLOPT_URL, post->hook->conf->url);
	lib->setopt(curl, CURLOPT_HTTPHEADER, post->headers);
	lib->setopt(curl, CURLOPT_POST, 1L);
	lib->setopt(curl, CURLOPT_POSTFIELDS, body.p);
	lib->setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body.n);
	lib->setopt(curl, CURLOPT_WRITEFUNCTION, collect);
	lib->setopt(curl, CURLOPT_WRITEDATA, post);
	set_trust(post);
}

/* Part of the time for connecting only, so that a host that does not answer leaves some for another attempt. */
static void attempt(struct post *post, long left_ms, long attempts_left)
{
	const struct curl_library *lib = post->web->lib;
	CURL *curl = post->web->curl;

	buf_cut(&post->answer, 0);
	post->status = 0;
	post->web->error[0] = '\0';
	lib->setopt(curl, CURLOPT_TIMEOUT_MS, left_ms);
	lib->setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, left_ms / attempts_left > 0 ? left_ms / attempts_left : 1);
	post->code = lib->perform(curl);
	if (post->code == CURLE_OK)
		lib->getinfo(curl, CURLINFO_RESPONSE_CODE, &post->status);
}

/* Did it fail in a way that may not last? Whatever the service decided, or a certificate that is wrong, does. */
static bool may_pass(const struct post *post)
{
	switch (post->code) {
	case CURLE_OK:
		return post->status >= 500;
	case CURLE_COULDNT_RESOLVE_HOST:
	case CURLE_COULDNT_CONNECT:
	case CURLE_OPERATION_TIMEDOUT:
	case CURLE_GOT_NOTHING:
	case CURLE_PARTIAL_FILE:
	case CURLE_SEND_ERROR:
	case CURLE_RECV_ERROR:
	case CURLE_SSL_CONNECT_ERROR:
		return true;
	default:
		return false;
	}
}

static void ask(struct post *post)
{
	long end = now_ms() + (long)post->hook->conf->hook.timeout_ms, left = (long)post->hook->conf->hook.timeout_ms;

	for (long n = (long)post->hook->conf->retries; n >= 0 && left > 0; n--) {
		attempt(post, left, n + 1);
		left = end - now_ms();
		if (!may_pass(post))
			return;
		if (n > 0 && left > 0) {
			long pause = SHARE(left) < PAUSE_MS ? SHARE(left) : PAUSE_MS;

			nanosleep(&(struct timespec){.tv_nsec = pause * 1000000}, NULL);
			left = end - now_ms();
		}
	}
}

static enum err judge_status(const struct post *post, struct why *why)
{
	if (post->status >= 200 && post->status < 300)
		return ERR_OK;
	if (post->status >= 300 && post->status < 400)
		return fail(why, ERR_HOOK, "%s answered HTTP %ld, and redirects are not followed: name in [webhook] url where it leads to",
		    post->hook->server, post->status);
	return fail(why, ERR_HOOK, "%s answered HTTP %ld", post->hook->server, post->status);
}

static enum err judge_post(const struct post *post, struct why *why)
{
	const char *cause = post->web->error[0] != '\0' ? post->web->error : post->web->lib->strerror(post->code);

	if (post->code == CURLE_OK)
		return judge_status(post, why);
	if (post->too_large)
		return fail(why, ERR_HOOK, "%s answered with more than %zu KiB", post->hook->server, HOOK_ANSWER_MAX >> 10);
	if (post->code == CURLE_PEER_FAILED_VERIFICATION)
		return fail(why, ERR_HOOK, "the certificate of %s is not trusted: %s; see ca_file in [webhook]", post->hook->server, cause);
	if (post->code == CURLE_OPERATION_TIMEDOUT)
		return fail(why, ERR_HOOK, "%s did not answer within 'timeout' in [webhook], which is %lld ms: %s", post->hook->server,
		    (long long)post->hook->conf->hook.timeout_ms, cause);
	return fail(why, ERR_HOOK, "%s cannot be asked: %s", post->hook->server, cause);
}

enum err webhook_post(struct web *web, const struct webhook *hook, const char *id, struct bytes body, struct buf *answer, struct why *why)
{
	struct post post = {.web = web, .hook = hook};
	enum err err = start(web, hook->lib, why);

	if (err != ERR_OK)
		return err;
	set_headers(&post, id, body);
	set_post(&post, body);
	ask(&post);
	err = judge_post(&post, why);
	if (err == ERR_OK)
		buf_add_bytes(answer, buf_bytes(&post.answer));
	web->lib->reset(web->curl);	/* what it points to ends here */
	web->lib->slist_free(post.headers);
	buf_free(&post.answer);
	return err;
}
