/* What a client's URL goes through: path, profile name, operation and the message of a GET. Input: path, a line end, query. */
#include <stdlib.h>
#include <string.h>

#include "base/codec.h"
#include "base/mem.h"
#include "server/body.h"
#include "server/http.h"
#include "server/url.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *variable(void *ctx, const char *name, bool *twice)
{
	char *const *v = ctx;

	(void)twice;
	if (strcmp(name, "SCRIPT_NAME") == 0)
		return v[0];
	return strcmp(name, "QUERY_STRING") == 0 ? v[1] : NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct http_limits limits = {.max_body = 1 << 20, .max_query = 24576};
	const uint8_t *line_end = size == 0 ? NULL : memchr(data, '\n', size);
	size_t n = line_end == NULL ? size : (size_t)(line_end - data);
	char *v[2] = {mem_strndup((const char *)data, n), mem_strndup((const char *)data + n + (line_end != NULL), size - n - (line_end != NULL))};
	struct http_req req;
	struct buf path = {0}, message = {0};
	struct bytes name, op;
	struct why why;

	http_req_read(variable, v, &limits, &path, &req);
	if (url_profile_name("/scep", req.path, &name) && (name.n == 0 || memchr(name.p, '/', name.n) != NULL))
		abort();
	if (query_param(req.query, "operation", &op) && memchr(op.p, '&', op.n) != NULL)
		abort();
	if (url_message(req.query, true, &message, &why) != ERR_OK && message.n > 0)
		abort();
	if (message.n > req.query.n)
		abort();
	buf_cut(&message, 0);
	if (body_from_text(bytes_of(data, size), &message) ? message.n == 0 || message.n > size : message.n > 0)
		abort();
	buf_free(&path);
	buf_free(&message);
	free(v[0]);
	free(v[1]);
	return 0;
}
