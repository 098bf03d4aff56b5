#include "ca/rollover.h"

#include <gnutls/x509.h>
#include <stdlib.h>

#include "base/mem.h"
#include "ca/ca_urls.h"
#include "ca/dialect.h"
#include "ca/issue.h"
#include "ca/profile_check.h"
#include "conf/date.h"

struct old_ra {
	const struct old_ra_conf *conf;
	const char *section;
	struct cert *cert;
	struct key *key;
};

/* Shared by the profile and its successor, owned by the first. */
struct rollover {
	const struct profile *first;
	struct profile_conf next_conf;	/* the profile's, where [next_ca] and [next_ra] stand for [ca] and [ra] */
	struct profile *next;		/* NULL: none */
	struct old_ra old[OLD_RAS];
	size_t n_old;
	struct cert *old_ca;		/* NULL: none */
	struct buf next_body;		/* the answer to GetNextCACert */
};

/* --- what the clock says ------------------------------------------------------------------------------------------ */

static bool reached(int64_t date, time_t now)
{
	return date != 0 && now >= (time_t)date;
}

static bool is_announced(const struct next_conf *next, time_t now)
{
	return reached(next->announce, now) || reached(next->switch_at, now);
}

/* Does the CA in [ca] still answer those who encrypt to it? */
static bool first_answers(const struct profile *p, time_t now)
{
	const struct next_conf *next = &p->conf->next;

	if (p->rollover->next == NULL || !reached(next->switch_at, now))
		return true;
	return now < (time_t)(next->switch_at + next->overlap_s) && now <= p->ca_cert->not_after && now <= p->ra_cert->not_after &&
	    now <= p->sign_cert->not_after;
}

static bool old_answers(const struct old_ra *ra, time_t now)
{
	return !reached(ra->conf->until, now) && now <= ra->cert->not_after;
}

const struct profile *rollover_at(const struct profile *p, time_t now)
{
	const struct rollover *r = p->rollover;

	return r != NULL && r->next != NULL && reached(r->first->conf->next.switch_at, now) ? r->next : p;
}

const struct profile *rollover_next(const struct profile *p)
{
	return p->rollover != NULL && p->rollover->first == p ? p->rollover->next : NULL;
}

const struct profile *rollover_other(const struct profile *p)
{
	const struct rollover *r = p->rollover;

	if (r == NULL || r->next == NULL)
		return NULL;
	return p->ca_cert == r->next->ca_cert ? r->first : r->next;
}

static bool has_ca(const struct profile *p, struct bytes key_id)
{
	char *id = ca_key_id(p->ca_cert);
	bool same = bytes_eq_str(key_id, id);

	free(id);
	return same;
}

const struct profile *rollover_of_ca(const struct profile *p, struct bytes key_id)
{
	const struct profile *next = rollover_next(p);

	if (has_ca(p, key_id))
		return p;
	return next != NULL && has_ca(next, key_id) ? next : NULL;
}

static bool shows_next(const struct profile *p, time_t now)
{
	return p->rollover != NULL && p->rollover->next != NULL && rollover_at(p, now) == p && is_announced(&p->conf->next, now);
}

struct bytes rollover_caps(const struct profile *p, time_t now)
{
	return buf_bytes(shows_next(p, now) ? &p->caps_next : &rollover_at(p, now)->caps);
}

struct bytes rollover_next_ca(const struct profile *p, time_t now)
{
	return shows_next(p, now) ? buf_bytes(&p->rollover->next_body) : (struct bytes){0};
}

/* --- who is meant ------------------------------------------------------------------------------------------------- */

/* Those that may open a message at `now`; who[i] answers what to[i] opens. */
static size_t list_recipients(const struct profile *p, time_t now, struct profile *view, struct scep_recipient *to,
    const struct profile **who)
{
	const struct rollover *r = p->rollover;
	size_t n = 0;

	if (r == NULL || first_answers(p, now)) {
		who[n] = p;
		to[n++] = (struct scep_recipient){.cert = p->ra_cert, .key = p->ra_key};
	}
	if (r != NULL && r->next != NULL && is_announced(&p->conf->next, now)) {
		who[n] = r->next;
		to[n++] = (struct scep_recipient){.cert = r->next->ra_cert, .key = r->next->ra_key};
	}
	for (size_t i = 0; r != NULL && i < r->n_old; i++) {
		if (!old_answers(&r->old[i], now))
			continue;
		who[n] = view;
		to[n++] = (struct scep_recipient){.cert = r->old[i].cert, .key = r->old[i].key};
	}
	return n;
}

size_t rollover_recipients(const struct profile *p, time_t now, struct scep_recipient to[ROLLOVER_RECIPIENTS])
{
	const struct profile *who[ROLLOVER_RECIPIENTS];

	return list_recipients(p, now, NULL, to, who);
}

static bool signs(const struct cert *ra)
{
	return (cert_key_usage(ra) & GNUTLS_KEY_DIGITAL_SIGNATURE) != 0;
}

const struct profile *rollover_for(const struct profile *p, const struct scep_msg *msg, time_t now, struct profile *view)
{
	struct scep_recipient to[ROLLOVER_RECIPIENTS];
	const struct profile *who[ROLLOVER_RECIPIENTS];
	size_t n, at;

	if (p->rollover == NULL)
		return p;
	n = list_recipients(p, now, view, to, who);
	if (!scep_addressee(msg, to, n, &at))
		return rollover_at(p, now);
	if (who[at] != view)
		return who[at];
	*view = first_answers(p, now) ? *p : *rollover_at(p, now);
	view->ra_cert = (struct cert *)to[at].cert;
	view->ra_key = (struct key *)to[at].key;
	if (!signs(view->ra_cert))	/* then [ra_sign] does */
		return view;
	view->sign_cert = view->ra_cert;
	view->sign_key = view->ra_key;
	return view;
}

static size_t add_own(const struct profile *p, const struct cert **own)
{
	size_t n = 0;

	if (p->ra_cert != p->ca_cert)
		own[n++] = p->ra_cert;
	if (p->sign_cert != p->ra_cert)
		own[n++] = p->sign_cert;
	own[n++] = p->ca_cert;
	for (size_t i = 0; i < p->n_chain && i < CMS_MAX_CERTS; i++)
		own[n++] = p->chain[i];
	return n;
}

size_t rollover_own_certs(const struct profile *p, const struct cert *own[ROLLOVER_OWN_MAX])
{
	const struct rollover *r = p->rollover;
	size_t n = add_own(r == NULL ? p : r->first, own);

	if (r == NULL)
		return n;
	if (r->next != NULL)
		n += add_own(r->next, own + n);
	for (size_t i = 0; i < r->n_old; i++)
		own[n++] = r->old[i].cert;
	if (r->old_ca != NULL)
		own[n++] = r->old_ca;
	return n;
}

/* --- loading ------------------------------------------------------------------------------------------------------ */

static void warn(const struct profile *p, const char *section, enum problem_level level, struct problems *problems, const char *text)
{
	char *where = mem_printf("%s [%s]", p->conf->file, section);

	problem_add(problems, level, where, "%s", text);
	free(where);
}

/* Whether the dates make a plan. after: NULL when it cannot be used. */
static void check_plan(const struct profile *p, const struct profile *after, time_t now, struct problems *problems)
{
	const struct next_conf *next = &p->conf->next;

	if (next->announce == 0 && next->switch_at == 0)
		warn(p, "next_ca", PROBLEM_WARNING, problems, "has neither 'announce' nor 'switch': it is ready, and nothing will happen");
	if (p->ca_cert != NULL && after != NULL && bytes_eq(p->ca_cert->spki, after->ca_cert->spki))
		warn(p, "next_ca", PROBLEM_ERROR, problems, "is the key of the CA in [ca] itself; a roll-over needs a new one: "
		    "see `scepter ca rollover`");
	if (p->ca_cert != NULL && (time_t)next->switch_at > p->ca_cert->not_after)
		warn(p, "next_ca", PROBLEM_ERROR, problems, "'switch' comes after the end of the CA in [ca]: in between nobody could issue");
	if (next->switch_at != 0 && now >= (time_t)(next->switch_at + next->overlap_s))
		warn(p, "next_ca", PROBLEM_WARNING, problems, "the roll-over is complete: put what stands in [next_ca] and [next_ra] into "
		    "[ca] and [ra], and take out [next_ca] and [next_ra]");
}

/* Checked for the day on which it is first needed. */
static void load_next(struct rollover *r, struct profile *p, time_t now, struct problems *problems)
{
	const struct next_conf *next = &p->conf->next;
	int64_t first = next->announce != 0 ? next->announce : next->switch_at;

	r->next_conf = *p->conf;
	r->next_conf.ca = next->ca;
	r->next_conf.ra = next->ra;
	r->next_conf.ra_sign = next->ra_sign;
	r->next_conf.chain = next->chain;
	r->next = profile_load_next(&r->next_conf, (time_t)first > now ? (time_t)first : now, problems);
	check_plan(p, r->next, now, problems);
	if (r->next == NULL)
		return;
	r->next->rollover = r;
	r->next->secrets = p->secrets;
	r->next->anchors = p->anchors;
	r->next->webhook = p->webhook;
	r->next->former = p->former;
}

static void load_old_ra(struct old_ra *ra, const struct profile *p, time_t now, struct problems *problems)
{
	const struct key_conf *conf = &ra->conf->pair;
	char *where = mem_printf("%s [%s]", p->conf->file, ra->section);
	struct key_pair pair = {.where = where, .what = "old RA"};

	read_pair(conf, where, &ra->cert, &ra->key, problems);
	pair.cert = ra->cert;
	pair.key = ra->key;
	check_pair(&pair, DATES_UNCHECKED, problems);
	check_recipient(&pair, p->conf->ra_sign.certificate == NULL || (ra->cert != NULL && signs(ra->cert)), problems);
	if (ra->cert != NULL && !old_answers(ra, now))
		problem_add(problems, PROBLEM_WARNING, where, "opens nothing any more: its certificate has ended; take it out");
	if (conf->key != NULL && key_is_token(conf->key)) {	/* opened again after fork */
		key_free(ra->key);
		ra->key = NULL;
	}
	free(where);
}

static void load_old_ras(struct rollover *r, const struct profile *p, time_t now, struct problems *problems)
{
	static const char *const sections[OLD_RAS] = {"old_ra", "older_ra"};

	for (size_t i = 0; i < OLD_RAS; i++) {
		const struct old_ra_conf *conf = &p->conf->old_ra[i];

		if (conf->pair.certificate == NULL)
			continue;
		if (reached(conf->until, now)) {	/* its files may be gone */
			warn(p, sections[i], PROBLEM_WARNING, problems, "opens nothing any more, says 'until'; take it out");
			continue;
		}
		r->old[r->n_old] = (struct old_ra){.conf = conf, .section = sections[i]};
		load_old_ra(&r->old[r->n_old++], p, now, problems);
	}
}

static void load_old_ca(struct rollover *r, const struct profile *p, struct problems *problems)
{
	struct why why = {0};
	char *where;

	if (p->conf->old_ca == NULL || cert_read(p->conf->old_ca, &r->old_ca, &why) == ERR_OK)
		return;
	where = mem_printf("%s [old_ca]", p->conf->file);
	check_file(where, "certificate", &why, problems);
	free(where);
}

/* The CA's end comes nearer, and nothing was prepared. */
static void warn_about_end(const struct profile *p, time_t now, struct problems *problems)
{
	char end[DATE_SIZE], *where;

	if (p->ca_cert == NULL || !p->ca_cert->times_ok || now > p->ca_cert->not_after ||
	    p->ca_cert->not_after - now >= (time_t)p->conf->validity_s)
		return;
	where = mem_printf("%s [ca]", p->conf->file);
	date_print(p->ca_cert->not_after, end);
	problem_add(problems, PROBLEM_WARNING, where, "the CA ends on %s, before a certificate of today would: all are cut short there; "
	    "prepare the next CA with `scepter ca rollover --profile %s`", end, p->conf->name);
	free(where);
}

void rollover_load(struct profile *p, time_t now, struct problems *problems)
{
	const struct profile_conf *conf = p->conf;
	struct rollover *r;

	if (conf->next.ca.certificate == NULL)
		warn_about_end(p, now, problems);
	if (conf->next.ca.certificate == NULL && conf->old_ra[0].pair.certificate == NULL && conf->old_ra[1].pair.certificate == NULL &&
	    conf->old_ca == NULL)
		return;
	p->rollover = r = mem_alloc(sizeof(*r));
	r->first = p;
	if (conf->next.ca.certificate != NULL)
		load_next(r, p, now, problems);
	load_old_ras(r, p, now, problems);
	load_old_ca(r, p, problems);
}

void rollover_free(struct rollover *r)
{
	if (r == NULL)
		return;
	if (r->next != NULL) {
		r->next->rollover = NULL;
		r->next->secrets = NULL;	/* all the first one's */
		r->next->anchors = NULL;
		r->next->webhook = NULL;
		r->next->former = NULL;
		profile_free(r->next);
	}
	for (size_t i = 0; i < r->n_old; i++) {
		cert_free(r->old[i].cert);
		key_free(r->old[i].key);
	}
	cert_free(r->old_ca);
	buf_free(&r->next_body);
	free(r);
}

/* --- the answer to GetNextCACert ---------------------------------------------------------------------------------- */

/*
 * RFC 8894, 4.7.1: certs-only SignedData with the next certificates, signed with the key that signs the answers now (P-45, P-46). They stand
 * in the outer certificates, too (P-206). Without signingTime, for it is signed once and sent for months.
 */
static enum err write_next_body(const struct profile *p, const struct profile *next, struct buf *out, struct why *why)
{
	const struct cert *certs[3 + CMS_MAX_CERTS];
	struct bytes ders[3 + CMS_MAX_CERTS];
	struct buf inner = {0};
	size_t n = add_own(next, certs);
	enum err err;

	cms_certs_only_write(&inner, ders, dialect_ca_certs(next, ders));
	struct cms_sign_spec spec = {
	    .present = CMS_CONTENT_PRESENT,
	    .content = buf_bytes(&inner),
	    .key = p->sign_key,
	    .cert = p->sign_cert,
	    .extra = certs,
	    .n_extra = n,
	    .digest = issue_digest(key_kind(p->sign_key)),
	};
	err = cms_signed_write(out, &spec, why);
	buf_free(&inner);
	return err;
}

enum err rollover_open_keys(struct profile *p, struct why *why)
{
	struct rollover *r = p->rollover;
	enum err err;

	if (r == NULL || r->first != p)
		return ERR_OK;
	for (size_t i = 0; i < r->n_old; i++) {
		const struct key_conf *conf = &r->old[i].conf->pair;

		if (r->old[i].key == NULL && (err = key_open(conf->key, conf->pin_file, &r->old[i].key, why)) != ERR_OK)
			return err;
	}
	if (r->next == NULL)
		return ERR_OK;
	if ((err = profile_open_keys(r->next, why)) != ERR_OK)
		return err;
	return r->next_body.n > 0 ? ERR_OK : write_next_body(p, r->next, &r->next_body, why);
}
