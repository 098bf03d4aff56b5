/* A profile's CAs and RAs over time: what is shown, who answers whom, and which plans are refused. Time is an argument. */
#include "unit.h"

#include <gnutls/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/codec.h"
#include "base/file.h"
#include "base/mem.h"
#include "ca/rollover.h"
#include "pki/name.h"

#define DAY 86400
#define NOW ((time_t)1800000000)
#define ANNOUNCE (NOW + 10 * DAY)
#define SWITCH (NOW + 50 * DAY)
#define OVERLAP (20 * DAY)
#define END (NOW + 100 * DAY)	/* of the first CA */
#define CA_USAGE (GNUTLS_KEY_KEY_CERT_SIGN | GNUTLS_KEY_CRL_SIGN)
#define RA_USAGE (GNUTLS_KEY_DIGITAL_SIGNATURE | GNUTLS_KEY_KEY_ENCIPHERMENT)

enum who { CA, RA, NEXT_CA, NEXT_RA, OLD_RA, STRANGER, COUNT };

static const struct {
	const char *file, *subject;
	const char *key;
	enum who issuer;
	time_t from, to;
} plan[COUNT] = {
    [CA] = {"ca", "CN=CA", "ec:p256", CA, NOW - 900 * DAY, END},
    [RA] = {"ra", "CN=RA", "rsa:2048", CA, NOW - DAY, END},
    [NEXT_CA] = {"next-ca", "CN=CA 2", "ec:p384", NEXT_CA, NOW + DAY, NOW + 2000 * DAY},
    [NEXT_RA] = {"next-ra", "CN=RA 2", "rsa:2048", NEXT_CA, NOW + DAY, NOW + 1000 * DAY},
    [OLD_RA] = {"old-ra", "CN=RA 0", "rsa:2048", CA, NOW - 900 * DAY, NOW + 60 * DAY},
    [STRANGER] = {"stranger", "CN=Stranger", "rsa:2048", STRANGER, NOW - DAY, NOW + 60 * DAY},
};

/* Made once: keys are dear. */
static struct {
	char dir[64];
	struct key *keys[COUNT];
	struct cert *certs[COUNT];
} shared;

static char *path_of(enum who who, const char *ending)
{
	return mem_printf("%s/%s.%s", shared.dir, plan[who].file, ending);
}

static void write_file(enum who who, const char *ending, const char *label, struct bytes content)
{
	char *path = path_of(who, ending);
	struct buf pem = {0};

	if (label != NULL)
		pem_write(&pem, label, content);
	else
		buf_add_bytes(&pem, content);
	assert_int_equal(file_write(path, buf_bytes(&pem), 0600, true, NULL), ERR_OK);
	buf_wipe(&pem);
	free(path);
}

static void make(enum who who)
{
	bool ca = plan[who].issuer == who && who != STRANGER;
	struct buf subject = {0}, issuer = {0}, der = {0}, pem = {0};
	uint8_t serial[2] = {1, (uint8_t)(who + 1)};

	assert_int_equal(key_generate(plan[who].key, &shared.keys[who], NULL), ERR_OK);
	assert_int_equal(name_parse(plan[who].subject, &subject, NULL), ERR_OK);
	assert_int_equal(name_parse(plan[plan[who].issuer].subject, &issuer, NULL), ERR_OK);
	struct cert_spec spec = {
	    .serial = bytes_of(serial, 2), .issuer = buf_bytes(&issuer), .subject = buf_bytes(&subject),
	    .not_before = plan[who].from, .not_after = plan[who].to, .spki = key_spki(shared.keys[who]),
	    .ca = ca, .path_len = -1, .key_usage = ca ? CA_USAGE : RA_USAGE, .digest = digest_row(DIGEST_SHA256),
	};
	assert_int_equal(cert_build(&spec, shared.keys[plan[who].issuer], &der, NULL), ERR_OK);
	assert_int_equal(cert_parse(buf_bytes(&der), &shared.certs[who], NULL), ERR_OK);
	write_file(who, "pem", "CERTIFICATE", buf_bytes(&der));
	assert_int_equal(key_export_pem(shared.keys[who], &pem, NULL), ERR_OK);
	write_file(who, "key", NULL, buf_bytes(&pem));
	buf_wipe(&pem);
	buf_free(&subject);
	buf_free(&issuer);
	buf_free(&der);
}

static struct key_conf pair_of(enum who who)
{
	return (struct key_conf){.certificate = path_of(who, "pem"), .key = path_of(who, "key")};
}

static void pair_free(struct key_conf *k)
{
	free(k->certificate);
	free(k->key);
}

/* The whole plan; a test takes out or changes what it is about. */
static struct profile_conf whole(void)
{
	return (struct profile_conf){
	    .name = (char *)"default",
	    .file = (char *)"default.ini",
	    .ca = pair_of(CA),
	    .ra = pair_of(RA),
	    .next = {.ca = pair_of(NEXT_CA), .ra = pair_of(NEXT_RA), .announce = ANNOUNCE, .switch_at = SWITCH, .overlap_s = OVERLAP},
	    .old_ra = {{pair_of(OLD_RA), 0}},
	    .one_time_challenge = true,
	    .renewal = true,
	    .min_rsa_bits = 2048,
	    .max_rsa_bits = 8192,
	    .validity_s = 30 * DAY,
	};
}

static void conf_done(struct profile_conf *c)
{
	pair_free(&c->ca);
	pair_free(&c->ra);
	pair_free(&c->next.ca);
	pair_free(&c->next.ra);
	pair_free(&c->old_ra[0].pair);
	free(c->old_ca);
}

static struct profile *load(const struct profile_conf *conf, time_t now, char **text)
{
	struct problems problems = {0};
	struct profile *p = profile_load(conf, now, NULL, &problems);
	struct buf all = {0};

	for (size_t i = 0; i < problems.n; i++)
		buf_printf(&all, "%s: %s\n", problems.list[i].where, problems.list[i].text);
	*text = buf_take_str(&all);
	problems_free(&problems);
	if (p != NULL)
		assert_int_equal(profile_open_keys(p, NULL), ERR_OK);
	return p;
}

static struct profile *load_whole(struct profile_conf *conf)
{
	char *text;
	struct profile *p;

	*conf = whole();
	p = load(conf, NOW, &text);
	if (p == NULL || text[0] != '\0')
		fail_msg("%s", text);
	free(text);
	return p;
}

/* --- what is shown ------------------------------------------------------------------------------------------------ */

static bool has_keyword(struct bytes caps)
{
	return memmem(caps.p, caps.n, "GetNextCACert\n", 14) != NULL;
}

static void shown_by_the_clock(void **state)
{
	static const struct {
		time_t at;
		bool announced;
		enum who ca;
	} rows[] = {{NOW, false, CA}, {ANNOUNCE - 1, false, CA}, {ANNOUNCE, true, CA}, {SWITCH - 1, true, CA}, {SWITCH, false, NEXT_CA},
	    {SWITCH + OVERLAP, false, NEXT_CA}, {END + DAY, false, NEXT_CA}};
	struct profile_conf conf;
	struct profile *p = load_whole(&conf);

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct profile *at = rollover_at(p, rows[i].at);

		print_message("# %+ld days\n", (long)(rows[i].at - NOW) / DAY);
		assert_int_equal(has_keyword(rollover_caps(p, rows[i].at)), rows[i].announced);
		assert_int_equal(rollover_next_ca(p, rows[i].at).n > 0, rows[i].announced);
		assert_true(bytes_eq(buf_bytes(&at->ca_cert->der), buf_bytes(&shared.certs[rows[i].ca]->der)));
		assert_non_null(memmem(at->ca_body.p, at->ca_body.n, shared.certs[rows[i].ca]->der.p, shared.certs[rows[i].ca]->der.n));
	}
	profile_free(p);
	conf_done(&conf);
}

/* A date that is not set never comes; a switch that nothing announced is one all the same. */
static void dates_that_are_not_set(void **state)
{
	struct profile_conf conf = whole();
	struct profile *p;
	char *text;

	(void)state;
	conf.next.switch_at = 0;
	p = load(&conf, NOW, &text);
	assert_non_null(p);
	assert_ptr_equal(rollover_at(p, END * 2), p);
	assert_true(rollover_next_ca(p, END * 2).n > 0);
	profile_free(p);
	free(text);
	conf.next.announce = 0;
	conf.next.switch_at = SWITCH;
	p = load(&conf, NOW, &text);
	assert_int_equal(rollover_next_ca(p, SWITCH - 1).n, 0);
	assert_ptr_not_equal(rollover_at(p, SWITCH), p);
	profile_free(p);
	free(text);
	conf_done(&conf);
}

/* RFC 8894, 4.7.1: signed by who answers now, with the next RA and CA inside and, for other clients, outside. */
static void next_ca_is_signed(void **state)
{
	static const struct key_limits any = {.min_rsa = 2048, .max_rsa = 8192};
	const enum who order[] = {NEXT_RA, NEXT_CA};
	struct cms_signed *outer = NULL, *inner = NULL;
	struct pubkey *ra = NULL;
	struct profile_conf conf;
	struct profile *p = load_whole(&conf);
	struct why why = {0};

	(void)state;
	assert_int_equal(cms_signed_parse(rollover_next_ca(p, ANNOUNCE), &outer, &why), ERR_OK);
	assert_int_equal(pubkey_import(shared.certs[RA]->spki, &any, &ra, NULL), ERR_OK);
	assert_int_equal(cms_signed_verify(outer, ra, NULL, &why), ERR_OK);
	assert_int_equal(cms_signed_parse(outer->content, &inner, &why), ERR_OK);
	assert_false(inner->has_signer);
	assert_int_equal(outer->n_certs, 3);
	assert_int_equal(inner->n_certs, 2);
	assert_true(bytes_eq(outer->certs[0], buf_bytes(&shared.certs[RA]->der)));
	for (size_t i = 0; i < 2; i++) {
		assert_true(bytes_eq(inner->certs[i], buf_bytes(&shared.certs[order[i]]->der)));
		assert_true(bytes_eq(outer->certs[1 + i], buf_bytes(&shared.certs[order[i]]->der)));
	}
	cms_signed_free(inner);
	cms_signed_free(outer);
	pubkey_free(ra);
	profile_free(p);
	conf_done(&conf);
}

/* --- who answers whom --------------------------------------------------------------------------------------------- */

static struct scep_msg *message_to(enum who who)
{
	static const uint8_t nonce[SCEP_NONCE_SIZE] = {1};
	struct scep_request req = {
	    .type = SCEP_PKCSREQ, .txid = BYTES_LIT("1"), .nonce = nonce, .plain = BYTES_LIT("plain"), .to = shared.certs[who],
	    .by = {shared.certs[STRANGER], shared.keys[STRANGER]}, .digest = digest_row(DIGEST_SHA256), .cipher = cipher_row(CIPHER_AES128)};
	struct scep_msg *msg = NULL;
	struct buf der = {0};
	struct why why = {0};

	if (scep_request_write(&req, &der, &why) != ERR_OK || scep_open(buf_bytes(&der), &msg, &why) != ERR_OK)
		fail_msg("%s", why.text);
	buf_free(&der);
	return msg;
}

/* The answering pair opens what is for it; what is for nobody is opened by none. */
static void check_answer(const struct profile *p, struct scep_msg *msg, time_t now, enum who ca, enum who ra, bool opens)
{
	struct profile view;
	const struct profile *by = rollover_for(p, msg, now, &view);
	struct scep_recipient to = {by->ra_cert, by->ra_key};
	struct buf plain = {0};

	assert_true(bytes_eq(buf_bytes(&by->ca_cert->der), buf_bytes(&shared.certs[ca]->der)));
	assert_true(bytes_eq(buf_bytes(&by->ra_cert->der), buf_bytes(&shared.certs[ra]->der)));
	assert_true(bytes_eq(key_spki(by->ca_key), shared.certs[ca]->spki));
	assert_int_equal(scep_unseal(msg, &to, 1, &by->algs, &plain, NULL), opens ? ERR_OK : ERR_RECIPIENT);
	buf_wipe(&plain);
}

static void recipient_selects_the_ca(void **state)
{
	static const struct {
		enum who to;
		time_t at;
		enum who ca, ra;
		bool opens;
	} rows[] = {
	    {RA, NOW, CA, RA, true}, {RA, ANNOUNCE, CA, RA, true}, {RA, SWITCH, CA, RA, true}, {RA, SWITCH + OVERLAP - 1, CA, RA, true},
	    {RA, SWITCH + OVERLAP, NEXT_CA, NEXT_RA, false},
	    {NEXT_RA, ANNOUNCE - 1, CA, RA, false}, {NEXT_RA, ANNOUNCE, NEXT_CA, NEXT_RA, true}, {NEXT_RA, SWITCH, NEXT_CA, NEXT_RA, true},
	    {NEXT_RA, END + DAY, NEXT_CA, NEXT_RA, true},
	    {OLD_RA, NOW, CA, OLD_RA, true}, {OLD_RA, SWITCH, CA, OLD_RA, true}, {OLD_RA, NOW + 60 * DAY, CA, OLD_RA, true},
	    {OLD_RA, NOW + 60 * DAY + 1, NEXT_CA, NEXT_RA, false},	/* its certificate has ended */
	    {STRANGER, NOW, CA, RA, false}, {STRANGER, SWITCH, NEXT_CA, NEXT_RA, false},
	};
	struct profile_conf conf;
	struct profile *p = load_whole(&conf);
	struct scep_recipient to[ROLLOVER_RECIPIENTS];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct scep_msg *msg = message_to(rows[i].to);

		print_message("# to %s, %+ld days\n", plan[rows[i].to].file, (long)(rows[i].at - NOW) / DAY);
		check_answer(p, msg, rows[i].at, rows[i].ca, rows[i].ra, rows[i].opens);
		scep_msg_free(msg);
	}
	assert_int_equal(rollover_recipients(p, NOW, to), 2);
	assert_int_equal(rollover_recipients(p, SWITCH, to), 3);
	assert_int_equal(rollover_recipients(p, END, to), 1);
	profile_free(p);
	conf_done(&conf);
}

/* A long overlap ends with the CA; without one there is none; an old RA outlives the CA of [ca] when its date says so. */
static void overlaps(void **state)
{
	struct profile_conf conf = whole();
	struct scep_msg *to_ra = message_to(RA), *to_old = message_to(OLD_RA);
	struct profile *p;
	char *text;

	(void)state;
	conf.next.overlap_s = 3650 * (int64_t)DAY;
	conf.old_ra[0].until = SWITCH + 5 * DAY;
	p = load(&conf, NOW, &text);
	check_answer(p, to_ra, END, CA, RA, true);
	check_answer(p, to_ra, END + 1, NEXT_CA, NEXT_RA, false);
	profile_free(p);
	free(text);
	conf.next.overlap_s = 0;
	p = load(&conf, NOW, &text);
	check_answer(p, to_ra, SWITCH - 1, CA, RA, true);
	check_answer(p, to_ra, SWITCH, NEXT_CA, NEXT_RA, false);
	check_answer(p, to_old, SWITCH + DAY, NEXT_CA, OLD_RA, true);
	check_answer(p, to_old, SWITCH + 5 * DAY, NEXT_CA, NEXT_RA, false);
	profile_free(p);
	free(text);
	scep_msg_free(to_ra);
	scep_msg_free(to_old);
	conf_done(&conf);
}

static bool is_own(const struct profile *p, enum who who)
{
	const struct cert *own[ROLLOVER_OWN_MAX];
	size_t n = rollover_own_certs(p, own);

	for (size_t i = 0; i < n; i++) {
		if (bytes_eq(buf_bytes(&own[i]->der), buf_bytes(&shared.certs[who]->der)))
			return true;
	}
	return false;
}

/* From whichever of them one looks. */
static void own_certificates(void **state)
{
	struct profile_conf conf = whole();
	struct profile *p;
	char *text;

	(void)state;
	conf.old_ca = path_of(STRANGER, "pem");
	p = load(&conf, NOW, &text);
	assert_non_null(p);
	for (int who = CA; who < COUNT; who++) {
		assert_true(is_own(p, (enum who)who));
		assert_true(is_own(rollover_at(p, SWITCH), (enum who)who));
	}
	profile_free(p);
	free(text);
	conf_done(&conf);
	conf = (struct profile_conf){.name = (char *)"x", .file = (char *)"x.ini", .ca = pair_of(CA), .ra = pair_of(RA),
	    .one_time_challenge = true};
	p = load(&conf, NOW, &text);
	assert_null(p->rollover);
	assert_true(is_own(p, CA) && is_own(p, RA) && !is_own(p, NEXT_CA));
	assert_ptr_equal(rollover_at(p, END), p);
	assert_int_equal(rollover_next_ca(p, NOW).n, 0);
	profile_free(p);
	free(text);
	conf_done(&conf);
}

/* --- plans that are refused, or warned about ---------------------------------------------------------------------- */

static void expect(const struct profile_conf *conf, time_t now, bool loads, const char *what)
{
	char *text;
	struct profile *p = load(conf, now, &text);

	if ((p != NULL) != loads || (what != NULL ? strstr(text, what) == NULL : text[0] != '\0'))
		fail_msg("expected '%s' in:\n%s", what, text);
	profile_free(p);
	free(text);
}

static void swap_pair(struct key_conf *k, enum who who)
{
	pair_free(k);
	*k = pair_of(who);
}

static void next_pairs_are_checked(void **state)
{
	struct profile_conf conf = whole();

	(void)state;
	swap_pair(&conf.next.ra, RA);
	expect(&conf, NOW, false, "[next_ra]: the RA certificate was not issued by the profile's CA");
	swap_pair(&conf.next.ra, NEXT_RA);
	swap_pair(&conf.next.ca, STRANGER);
	expect(&conf, NOW, false, "[next_ca]: the certificate is not a CA certificate");
	swap_pair(&conf.next.ca, CA);
	swap_pair(&conf.next.ra, RA);
	expect(&conf, NOW, false, "[next_ca]: is the key of the CA in [ca] itself");
	swap_pair(&conf.next.ca, NEXT_CA);
	swap_pair(&conf.next.ra, NEXT_RA);
	swap_pair(&conf.old_ra[0].pair, CA);
	expect(&conf, NOW, false, "[old_ra]: the old RA key must be RSA");
	conf_done(&conf);
}

static void plans_are_checked(void **state)
{
	struct profile_conf conf = whole();

	(void)state;
	conf.next.announce = NOW;
	expect(&conf, NOW, false, "[next_ca]: the CA certificate is not valid before");
	conf.next.announce = ANNOUNCE;
	conf.next.switch_at = END + 1;
	expect(&conf, NOW, false, "[next_ca]: 'switch' comes after the end of the CA in [ca]");
	conf.next.announce = conf.next.switch_at = 0;
	expect(&conf, NOW + 2 * DAY, true, "[next_ca]: has neither 'announce' nor 'switch'");
	conf.next.announce = ANNOUNCE;
	conf.next.switch_at = SWITCH;
	expect(&conf, SWITCH + 9 * DAY, true, NULL);
	conf.old_ra[0].until = SWITCH;
	expect(&conf, SWITCH, true, "[old_ra]: opens nothing any more, says 'until'");
	conf.old_ra[0].until = 0;
	expect(&conf, NOW + 61 * DAY, true, "[old_ra]: opens nothing any more: its certificate has ended");
	expect(&conf, SWITCH + OVERLAP, true, "[next_ca]: the roll-over is complete");
	expect(&conf, END + DAY, true, "the roll-over is complete");	/* the first CA's end is no error any more */
	conf_done(&conf);
}

static void the_end_is_near(void **state)
{
	struct profile_conf conf = whole(), next = conf;

	(void)state;
	conf.next = (struct next_conf){0};
	expect(&conf, END - 31 * DAY, true, "[old_ra]");
	conf.validity_s = 40 * DAY;
	expect(&conf, END - 39 * DAY, true, "[ca]: the CA ends on 2027-04-25T08:00:00Z, before a certificate of today would");
	conf.next = next.next;
	conf_done(&conf);
}

static int setup(void **state)
{
	(void)state;
	snprintf(shared.dir, sizeof(shared.dir), "/tmp/scepter-rollover-XXXXXX");
	if (mkdtemp(shared.dir) == NULL)
		return -1;
	for (int who = CA; who < COUNT; who++)
		make((enum who)who);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	for (int who = CA; who < COUNT; who++) {
		char *cert = path_of((enum who)who, "pem"), *key = path_of((enum who)who, "key");

		unlink(cert);
		unlink(key);
		free(cert);
		free(key);
		cert_free(shared.certs[who]);
		key_free(shared.keys[who]);
	}
	rmdir(shared.dir);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(shown_by_the_clock), cmocka_unit_test(dates_that_are_not_set), cmocka_unit_test(next_ca_is_signed),
	    cmocka_unit_test(recipient_selects_the_ca), cmocka_unit_test(overlaps), cmocka_unit_test(own_certificates),
	    cmocka_unit_test(next_pairs_are_checked), cmocka_unit_test(plans_are_checked), cmocka_unit_test(the_end_is_near),
	};

	return cmocka_run_group_tests_name("rollover", tests, setup, teardown);
}
