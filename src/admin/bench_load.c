#include "admin/bench_load.h"

#include <stdlib.h>
#include <time.h>

#include "admin/progress.h"
#include "base/mem.h"

struct sender {
	CURLM *multi;
	CURL **idle;			/* handles not in use; all are here before and after */
	size_t n_idle;
	char *url;
	struct curl_slist *headers;
	struct bench_load *load;
	size_t sent, done;
};

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static enum err open_sender(struct sender *s, const struct client_opts *opts, size_t concurrency, struct why *why)
{
	s->multi = curl_multi_init();
	s->url = mem_printf("%s?operation=PKIOperation", opts->url);
	s->headers = client_http_post_headers();
	s->idle = mem_alloc(concurrency * sizeof(*s->idle));
	for (; s->n_idle < concurrency; s->n_idle++) {
		s->idle[s->n_idle] = client_http_handle(opts->cacert);
		if (s->idle[s->n_idle] == NULL)
			break;
		curl_easy_setopt(s->idle[s->n_idle], CURLOPT_URL, s->url);
		curl_easy_setopt(s->idle[s->n_idle], CURLOPT_POST, 1L);
		curl_easy_setopt(s->idle[s->n_idle], CURLOPT_HTTPHEADER, s->headers);
	}
	if (s->multi == NULL || s->n_idle < concurrency)
		return fail(why, ERR_REMOTE, "libcurl could not be started");
	curl_multi_setopt(s->multi, CURLMOPT_MAXCONNECTS, (long)concurrency);
	return ERR_OK;
}

static void close_sender(struct sender *s)
{
	while (s->n_idle > 0)
		curl_easy_cleanup(s->idle[--s->n_idle]);
	curl_multi_cleanup(s->multi);
	curl_slist_free_all(s->headers);
	free(s->idle);
	free(s->url);
}

static void start_next(struct sender *s)
{
	struct bench_device *d = &s->load->devices[s->sent++];
	CURL *curl = s->idle[--s->n_idle];

	curl_easy_setopt(curl, CURLOPT_POSTFIELDS, d->req.message.p);
	curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)d->req.message.n);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, &d->body);
	curl_easy_setopt(curl, CURLOPT_PRIVATE, d);
	d->seconds = now();
	curl_multi_add_handle(s->multi, curl);
}

/* A transfer without an answer keeps status 0: it is counted as failed when the answers are checked. */
static void finish(struct sender *s, const CURLMsg *m)
{
	CURL *curl = m->easy_handle;
	struct bench_device *d = NULL;

	curl_easy_getinfo(curl, CURLINFO_PRIVATE, &d);
	d->seconds = now() - d->seconds;
	if (m->data.result == CURLE_OK)
		curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &d->status);
	curl_multi_remove_handle(s->multi, curl);
	s->idle[s->n_idle++] = curl;
	s->done++;
}

static enum err send_all(struct sender *s, struct why *why)
{
	CURLMcode code = CURLM_OK;
	CURLMsg *m;
	int running, left;

	while (s->done < s->load->n) {
		while (s->n_idle > 0 && s->sent < s->load->n)
			start_next(s);
		code = curl_multi_perform(s->multi, &running);
		while ((m = curl_multi_info_read(s->multi, &left)) != NULL)
			if (m->msg == CURLMSG_DONE)
				finish(s, m);
		progress_count((long)s->done, (long)s->load->n);
		if (code == CURLM_OK && running > 0 && (s->n_idle == 0 || s->sent == s->load->n))
			code = curl_multi_poll(s->multi, NULL, 0, 1000, NULL);
		if (code != CURLM_OK)
			return fail(why, ERR_REMOTE, "libcurl: %s", curl_multi_strerror(code));
	}
	return ERR_OK;
}

enum err bench_load_send(struct bench_load *load, const struct client_opts *opts, size_t concurrency, double *seconds, struct why *why)
{
	struct sender s = {.load = load};
	double start;
	enum err err;

	err = open_sender(&s, opts, concurrency, why);
	if (err == ERR_OK) {
		progress_start("enrolling");
		start = now();
		err = send_all(&s, why);
		*seconds = now() - start;
		progress_stop();
	}
	close_sender(&s);
	return err;
}
