/* subjectAltName: RFC 5280, 4.2.1.6. Declared in name.h. */
#include <arpa/inet.h>
#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"
#include "conf/conf.h"
#include "pki/der.h"
#include "pki/name.h"
#include "pki/oid.h"

/* IMPLICIT tags of GeneralName */
enum {
	TAG_OTHER = DER_CTX(0),
	TAG_EMAIL = DER_CTX_PRIM(1),
	TAG_DNS = DER_CTX_PRIM(2),
	TAG_DIRNAME = DER_CTX(4),	/* EXPLICIT, since Name is a CHOICE */
	TAG_URI = DER_CTX_PRIM(6),
	TAG_IP = DER_CTX_PRIM(7),
};

static const struct {
	unsigned type;
	uint8_t tag;
	const char *label, *prefix;	/* in text for humans; on a command line */
} kinds[] = {
    {SAN_DNS, TAG_DNS, "DNS", "dns:"},     {SAN_IP, TAG_IP, "IP", "ip:"},    {SAN_EMAIL, TAG_EMAIL, "email", "email:"},
    {SAN_URI, TAG_URI, "URI", "uri:"},     {SAN_UPN, TAG_OTHER, "UPN", "upn:"}, {SAN_DIRNAME, TAG_DIRNAME, "DirName", NULL},
};

#define N_KINDS (sizeof(kinds) / sizeof(kinds[0]))

/*
 * What these three kinds may hold: no NUL (a certificate for "good.example\0.evil.example" has burnt many), no blank, no control
 * character, nothing outside ASCII.
 */
static bool graphic(struct bytes text)
{
	for (size_t i = 0; i < text.n; i++) {
		if (text.p[i] <= 0x20 || text.p[i] >= 0x7f)
			return false;
	}
	return text.n > 0;
}

static bool no_controls(struct bytes text)
{
	for (size_t i = 0; i < text.n; i++) {
		if (text.p[i] < 0x20 || text.p[i] == 0x7f)
			return false;
	}
	return text.n > 0;
}

/* OtherName ::= SEQUENCE { type-id OID, value [0] EXPLICIT ANY }. UPN is a UTF8String; other types stay unknown. */
static bool read_other(struct bytes body, struct san *s)
{
	struct tlv oid, value, text;
	struct buf check = {0};
	bool ok;

	if (!der_expect(&body, DER_OID, &oid) || !der_expect(&body, DER_CTX(0), &value) || body.n != 0)
		return false;
	if (!der_oid_is(oid.body, OID_UPN))
		return true;
	ok = der_whole(value.body, DER_UTF8, &text) && string_utf8(text.raw, &check) && no_controls(text.body);
	buf_free(&check);
	s->type = SAN_UPN;
	s->value = text.body;
	return ok;
}

bool san_next(struct bytes *rest, struct san *out)
{
	struct bytes in = *rest;
	struct san s = {0};
	struct tlv t, name;
	bool ok = true;

	if (!der_next(&in, &t))
		return false;
	s.raw = t.raw;
	s.value = t.body;
	for (size_t i = 0; i < N_KINDS; i++) {
		if (kinds[i].tag == t.tag && t.tag != TAG_OTHER)
			s.type = kinds[i].type;
	}
	if (t.tag == TAG_OTHER) {
		ok = read_other(t.body, &s);
	} else if (s.type == SAN_IP) {
		ok = t.body.n == 4 || t.body.n == 16;
	} else if (s.type == SAN_DIRNAME) {
		ok = der_whole(t.body, DER_SEQUENCE, &name);
	} else if (s.type != 0) {
		ok = graphic(t.body);
	}
	if (!ok)
		return false;
	*rest = in;
	*out = s;
	return true;
}

bool san_has(struct bytes names, struct bytes general_name)
{
	struct san san;

	while (san_next(&names, &san)) {
		if (bytes_eq(san.raw, general_name))
			return true;
	}
	return false;
}

/* Text cannot fake a second entry, nor how it looks: ',' and '\' inside are escaped, and so is what only acts. */
static void add_text(struct buf *out, struct bytes text)
{
	size_t hidden = 0;

	for (size_t i = 0; i < text.n; i++) {
		if (hidden == 0)
			hidden = text_control(bytes_cut(text, i, text.n));
		if (hidden > 0) {
			buf_printf(out, "\\%02X", text.p[i]);
			hidden--;
			continue;
		}
		if (text.p[i] == ',' || text.p[i] == '\\')
			buf_add_byte(out, '\\');
		buf_add_byte(out, text.p[i]);
	}
}

static enum err one_text(const struct san *san, struct buf *out, struct why *why)
{
	char address[INET6_ADDRSTRLEN];
	size_t i = 0;

	while (i < N_KINDS && kinds[i].type != san->type)
		i++;
	if (i == N_KINDS) {
		buf_printf(out, "type%u:(%zu octets)", san->raw.p[0] & 0x1f, san->value.n);
		return ERR_OK;
	}
	buf_printf(out, "%s:", kinds[i].label);
	if (san->type == SAN_DIRNAME)
		return name_text(san->value, out, why);
	if (san->type != SAN_IP)
		add_text(out, san->value);
	else if (inet_ntop(san->value.n == 4 ? AF_INET : AF_INET6, san->value.p, address, sizeof(address)) != NULL)
		buf_add_str(out, address);
	return ERR_OK;
}

enum err san_text(struct bytes general_names, struct buf *out, struct why *why)
{
	struct buf text = {0};
	enum err err = ERR_OK;
	struct san san;
	struct tlv list;

	if (!der_whole(general_names, DER_SEQUENCE, &list))
		return fail(why, ERR_SYNTAX, "subjectAltName is not a list of names");
	while (err == ERR_OK && san_next(&list.body, &san)) {
		if (text.n > 0)
			buf_add_str(&text, ", ");
		err = one_text(&san, &text, why);
	}
	if (err == ERR_OK && list.body.n > 0)
		err = fail(why, ERR_SYNTAX, "subjectAltName holds a malformed name");
	if (err == ERR_OK)
		buf_add_bytes(out, buf_bytes(&text));
	buf_free(&text);
	return err;
}

/* --- from text --------------------------------------------------------------------------------------------------- */

static bool host_name(struct bytes text)
{
	for (size_t i = 0; i < text.n; i++) {
		if (!isalnum(text.p[i]) && strchr("-_.*", text.p[i]) == NULL)
			return false;
	}
	return text.n > 0 && text.n <= 253;
}

static bool write_ip(const char *text, struct buf *out)
{
	uint8_t octets[16];
	size_t n = strchr(text, ':') != NULL ? 16 : 4;

	if (inet_pton(n == 4 ? AF_INET : AF_INET6, text, octets) != 1)
		return false;
	der_tlv(out, TAG_IP, bytes_of(octets, n));
	return true;
}

static void write_upn(struct bytes text, struct buf *out)
{
	size_t at = der_open(out), value;

	der_oid(out, OID_UPN);
	value = der_open(out);
	der_tlv(out, DER_UTF8, text);
	der_close(out, value, DER_CTX(0));
	der_close(out, at, TAG_OTHER);
}

unsigned san_kind(const char **text)
{
	for (size_t i = 0; i < N_KINDS; i++) {
		if (kinds[i].prefix != NULL && strncasecmp(*text, kinds[i].prefix, strlen(kinds[i].prefix)) == 0) {
			*text += strlen(kinds[i].prefix);
			return kinds[i].type;
		}
	}
	return 0;
}

enum err san_parse(const char *text, struct buf *general_name, struct why *why)
{
	const char *value = text;
	unsigned type = san_kind(&value);

	if (type == 0)
		return fail(why, ERR_SUBJECT, "'%.80s' has no kind: dns:NAME, ip:ADDRESS, email:ADDRESS, uri:URI or upn:NAME", text);
	return san_write(type, value, general_name, why);
}

enum err san_write(unsigned type, const char *text, struct buf *general_name, struct why *why)
{
	struct bytes value = bytes_str(text), rest;
	struct buf name = {0};
	struct san check;
	size_t i = 0;
	bool ok;

	while (kinds[i].type != type)
		i++;
	ok = kinds[i].type != SAN_DNS || host_name(value);
	if (kinds[i].type == SAN_IP)
		ok = write_ip(text, &name);
	else if (kinds[i].type == SAN_UPN)
		write_upn(value, &name);
	else
		der_tlv(&name, kinds[i].tag, value);
	rest = buf_bytes(&name);
	ok = ok && san_next(&rest, &check);	/* what we would refuse we do not write */
	if (ok)
		buf_add_bytes(general_name, buf_bytes(&name));
	buf_free(&name);
	return ok ? ERR_OK
		  : fail(why, ERR_SUBJECT, "'%.80s' is not a name of kind %s%s", text, kinds[i].label,
			kinds[i].type == SAN_DNS ? " (other letters than ASCII: in their xn-- form)" : "");
}
