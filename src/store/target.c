#include "store/target.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "store/wait.h"

struct target {
	char *host, *hostaddr, *port;	/* of a list in conninfo; NULL: as conninfo says */
};

struct targets {
	char *conninfo, *application;
	char *broken;			/* why conninfo cannot be read */
	const char *session;		/* target_session_attrs, unless conninfo has its own */
	struct target *list;
	size_t n, current;
	bool down;			/* the last attempt found no server */
};

/* The i-th element of a comma-separated list; of a single element, that one. NULL and empty give NULL. */
static char *list_item(const char *list, size_t i)
{
	const char *end;

	if (list == NULL || strchr(list, ',') == NULL)
		i = 0;
	for (; list != NULL && i > 0; i--) {
		list = strchr(list, ',');
		if (list != NULL)
			list++;
	}
	if (list == NULL)
		return NULL;
	end = strchrnul(list, ',');
	return end == list ? NULL : mem_strndup(list, (size_t)(end - list));
}

static size_t list_count(const char *list)
{
	size_t n = 1;

	for (; list != NULL && *list != '\0'; list++)
		n += *list == ',';
	return n;
}

static const char *option(const PQconninfoOption *options, const char *name)
{
	while (strcmp(options->keyword, name) != 0)
		options++;
	return options->val;
}

static void read_hosts(struct targets *t, const PQconninfoOption *options)
{
	const char *host = option(options, "host"), *hostaddr = option(options, "hostaddr"), *port = option(options, "port");
	size_t i;

	t->n = list_count(hostaddr != NULL ? hostaddr : host);
	t->list = mem_alloc(t->n * sizeof(*t->list));
	for (i = 0; i < t->n && t->n > 1; i++)
		t->list[i] = (struct target){list_item(host, i), list_item(hostaddr, i), list_item(port, i)};
	if (option(options, "target_session_attrs") == NULL)
		t->session = "read-write";
}

struct targets *targets_new(const char *conninfo, const char *application)
{
	struct targets *t = mem_alloc(sizeof(*t));
	PQconninfoOption *options;
	char *message = NULL;

	t->conninfo = mem_strdup(conninfo);
	t->application = mem_strdup(application);
	options = PQconninfoParse(conninfo, &message);
	if (options != NULL)
		read_hosts(t, options);
	else
		t->broken = mem_strdup(message != NULL ? message : "out of memory");
	PQconninfoFree(options);
	PQfreemem(message);
	return t;
}

void targets_free(struct targets *t)
{
	size_t i;

	if (t == NULL)
		return;
	for (i = 0; i < t->n; i++) {
		free(t->list[i].host);
		free(t->list[i].hostaddr);
		free(t->list[i].port);
	}
	free(t->list);
	mem_wipe_free(t->conninfo);	/* may hold a password */
	free(t->application);
	free(t->broken);
	free(t);
}

/* Names that conninfo must be able to give itself stand before it, ours that win behind it; libpq skips NULL values. */
static PGconn *connect_begin(const struct targets *t)
{
	const struct target *to = &t->list[t->current];
	const char *const names[] = {"fallback_application_name", "target_session_attrs", "dbname", "host", "hostaddr", "port",
	    "client_encoding", NULL};
	const char *const values[] = {t->application, t->session, t->conninfo, to->host, to->hostaddr, to->port, "UTF8", NULL};

	return PQconnectStartParams(names, values, 1);
}

static bool connect_finish(PGconn *pg, int64_t deadline)
{
	PostgresPollingStatusType next = PGRES_POLLING_WRITING;

	if (PQstatus(pg) == CONNECTION_BAD)
		return false;
	while (next != PGRES_POLLING_OK && next != PGRES_POLLING_FAILED) {
		if (!wait_socket(PQsocket(pg), next == PGRES_POLLING_READING ? POLLIN : POLLOUT, deadline))
			return false;
		next = PQconnectPoll(pg);
	}
	return next == PGRES_POLLING_OK;
}

static const char *or_none(const char *s)
{
	return s != NULL && *s != '\0' ? s : "(default)";
}

static void describe_failure(const PGconn *pg, struct why *why)
{
	const char *text = pg == NULL ? "out of memory" : PQerrorMessage(pg);
	size_t n;

	if (PQstatus(pg) != CONNECTION_BAD)	/* still trying */
		text = "no answer in time";
	n = strcspn(text, "\n");
	fail(why, ERR_DB, "cannot connect to host %s, database %s as %s: %.*s; is PostgreSQL running, and does conninfo in scepter.ini "
	    "[database] name it?", or_none(PQhost(pg)), or_none(PQdb(pg)), or_none(PQuser(pg)), (int)n, text);
}

enum err targets_connect(struct targets *t, int64_t deadline, PGconn **out, struct why *why)
{
	PGconn *pg;
	int64_t left;
	size_t i;
	int attempt;

	if (t->broken != NULL)
		return fail(why, ERR_CONFIG, "conninfo in scepter.ini [database] cannot be read: %s", t->broken);
	for (attempt = 0; attempt == 0 || (!t->down && wait_back_off(attempt, deadline)); attempt++) {
		for (i = 0; i < t->n; i++) {
			left = deadline - clock_ms();
			pg = connect_begin(t);
			if (pg != NULL && connect_finish(pg, clock_ms() + left / (int64_t)(t->n - i))) {
				t->down = false;
				*out = pg;
				return ERR_OK;
			}
			describe_failure(pg, why);
			PQfinish(pg);
			t->current = (t->current + 1) % t->n;
		}
	}
	t->down = true;
	return ERR_DB;
}
