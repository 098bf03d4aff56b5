/*
 * CPU of client and server for one enrolment's two calls, and their time. It makes a private cluster:
 *   bench_store [ENROLMENTS [CONNECTIONS [LIMITS]]]
 * LIMITS: 0 none, 1 the one on wrong challenges, which is the default of a profile, 5 all of [limits]; far from being reached, and source and
 * profile the same for everybody.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <dirent.h>
#include <time.h>
#include <unistd.h>

#include "../db/cluster.h"
#include "../db/crew.h"
#include "store/challenge.h"
#include "store/schema.h"

struct figures {
	double wall_us[2], cpu_us;	/* sums: admit, issue; both */
};

static struct figures *figures;
static int enrolments = 3000, n_limits;

static double now_us(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return (double)ts.tv_sec * 1e6 + (double)ts.tv_nsec / 1e3;
}

/* The number that a line "NAME NUMBER ..." of a file begins with; -1 when it is not there. name "": the first line. */
static double number_in(const char *folder, const char *file, const char *name)
{
	char path[300], line[200];
	double v = -1;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%s/%s", folder, file);
	f = fopen(path, "r");
	while (f != NULL && v < 0 && fgets(line, sizeof(line), f) != NULL) {
		if (strncmp(line, name, strlen(name)) == 0)
			v = strtod(line + strlen(name), NULL);
	}
	if (f != NULL)
		fclose(f);
	return v;
}

/* CPU of the postmaster's children, in microseconds. */
static double server_cpu_us(int postmaster)
{
	DIR *proc = opendir("/proc");
	const struct dirent *e;
	double sum = 0;

	while (proc != NULL && (e = readdir(proc)) != NULL) {
		if (number_in(e->d_name, "status", "PPid:") == postmaster)
			sum += number_in(e->d_name, "schedstat", "") / 1e3;
	}
	closedir(proc);
	return sum;
}

static void check(enum err err, const struct why *why)
{
	if (err == ERR_OK)
		return;
	fprintf(stderr, "%s\n", why->text);
	_exit(1);
}

static void limit(struct store_request *r, struct store_rate rates[5])
{
	rates[0] = (struct store_rate){RATE_REFUSED, "source of wrong challenges", "192.0.2.1", 20, 600};
	rates[1] = (struct store_rate){RATE_ALWAYS, "source", "192.0.2.1", 1000000, 60};
	rates[2] = (struct store_rate){RATE_ALWAYS, "profile", "default", 1000000, 60};
	rates[3] = (struct store_rate){RATE_ACCEPTED, "device", r->device, 10, 3600};
	rates[4] = (struct store_rate){RATE_ACCEPTED, "key", r->device, 10, 3600};
	r->rates = rates;
	r->n_rates = (size_t)n_limits;
}

static void enrol(struct store *s, int number, int i, struct figures *f)
{
	char txid[40], device[40];
	struct store_rate rates[5];
	struct store_request r;
	struct store_answer a;
	struct store_cert c;
	struct why why = {0};
	double start, between;

	snprintf(txid, sizeof(txid), "%d-%d", number, i);
	snprintf(device, sizeof(device), "device-%d-%d", number, i);
	r = sample_request(txid, "SubjectPublicKeyInfo of the device, 294 octets with RSA-2048", txid);
	r.challenge = bytes_str(txid);
	r.device = device;
	limit(&r, rates);
	c = sample_cert("SubjectPublicKeyInfo");
	start = now_us(CLOCK_MONOTONIC);
	check(store_admit(s, &r, &a, &why), &why);
	between = now_us(CLOCK_MONOTONIC);
	if (a.verdict == STORE_GO_ON)
		check(store_issue(s, &r, &c, &a, &why), &why);
	if (a.verdict != STORE_GO_ON) {
		fprintf(stderr, "verdict %d: %s\n", (int)a.verdict, why.text);
		_exit(1);
	}
	f->wall_us[0] += between - start;
	f->wall_us[1] += now_us(CLOCK_MONOTONIC) - between;
}

static void work(int number)
{
	struct store *s = cluster_store("postgres");
	struct store_status status;
	struct why why = {0};
	double cpu;
	int i;

	check(store_status(s, &status, &why), &why);	/* connects */
	crew_together();
	cpu = now_us(CLOCK_PROCESS_CPUTIME_ID);
	for (i = 0; i < enrolments; i++)
		enrol(s, number, i, &figures[number]);
	figures[number].cpu_us = now_us(CLOCK_PROCESS_CPUTIME_ID) - cpu;
	crew_together();	/* a backend's CPU can be read while it lives */
	crew_together();
	store_close(s);
}

static void add_challenges(struct store *s, int connections)
{
	struct store_challenge c;
	struct why why = {0};
	char secret[40];
	int k, i;

	for (k = 0; k < connections; k++) {
		for (i = 0; i < enrolments; i++) {
			c = (struct store_challenge){.expires = time(NULL) + 3600, .uses_left = 1, .created_by = (char *)"bench"};
			snprintf(secret, sizeof(secret), "%d-%d", k, i);
			check(store_challenge_add(s, bytes_str(secret), &c, &why), &why);
			free(c.id);
		}
	}
}

int main(int argc, char **argv)
{
	int connections = argc > 2 ? (int)strtol(argv[2], NULL, 10) : 1, postmaster, k;
	struct figures sum = {0};
	double server, wall, n;
	struct why why = {0};
	struct store *s;

	if (argc > 1)
		enrolments = (int)strtol(argv[1], NULL, 10);
	if (argc > 3)
		n_limits = (int)strtol(argv[3], NULL, 10);
	if (n_limits < 0 || n_limits > 5 || enrolments < 1 || connections < 1 || connections >= CREW || !cluster_start())
		return 2;
	postmaster = cluster_pid();
	s = cluster_store("postgres");
	check(store_init(s, &why), &why);
	add_challenges(s, connections);
	figures = crew_memory(CREW * sizeof(*figures));
	crew_start_with_us(connections, work);
	server = server_cpu_us(postmaster);
	wall = now_us(CLOCK_MONOTONIC);
	crew_together();
	crew_together();
	wall = now_us(CLOCK_MONOTONIC) - wall;
	server = server_cpu_us(postmaster) - server;
	crew_together();
	if (crew_wait() != 0)
		return 1;
	store_close(s);
	for (k = 0; k < connections; k++) {
		sum.wall_us[0] += figures[k].wall_us[0];
		sum.wall_us[1] += figures[k].wall_us[1];
		sum.cpu_us += figures[k].cpu_us;
	}
	n = (double)enrolments * connections;
	printf("%d connections: %.0f enrolments/s; mean admit %.0f us, issue %.0f us; CPU per enrolment: client %.0f us, server %.0f us\n",
	    connections, n / wall * 1e6, sum.wall_us[0] / n, sum.wall_us[1] / n, sum.cpu_us / n, server / n);
	return 0;
}
