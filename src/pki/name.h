/* Names: X.501 distinguished names as DER, their RFC 4514 text, and GeneralNames. Bytes are kept as received (P-186). */
#ifndef PKI_NAME_H
#define PKI_NAME_H

#include "base/buf.h"
#include "base/err.h"

#define NAME_MAX_RDNS 32

/* RFC 4514 text of a DER Name, most specific RDN first as RFC 4514 has it; unknown types as dotted OID=#hex. Error: SYNTAX. */
enum err name_text(struct bytes name, struct buf *out, struct why *why);

/* A DER Name from text such as "CN=x,O=y" (RFC 4514 escapes; first = most specific). Error: SUBJECT. */
enum err name_parse(const char *text, struct buf *der, struct why *why);

/* First value of attribute `oid` as UTF-8 text; false when it is not there, not a string type, or the name has over 4 KiB. */
bool name_attr(struct bytes name, const char *oid, struct buf *out);
/* The same, and false when there are several: what a decision rests on is not to be one of many. */
bool name_attr_only(struct bytes name, const char *oid, struct buf *out);

bool name_is_empty(struct bytes name);

/*
 * May it go into a certificate as it is? Each type is an object identifier, each value can be read: no empty text (RFC 5280, appendix A), none with
 * a NUL, none of another class.
 */
bool name_is_text(struct bytes name);

/* Bytes first; then, up to 4 KiB, RDN by RDN with string types unified and ASCII case folded (P-182). */
bool name_eq(struct bytes a, struct bytes b);

/* A DirectoryString TLV (Printable, UTF8, Teletex as Latin-1, BMP, Universal; IA5 too) as UTF-8. False: embedded NUL, bad
 * encoding, or another type. */
bool string_utf8(struct bytes tlv, struct buf *out);
/* Is it UTF-8 (RFC 3629: shortest forms, no surrogates), without a NUL? */
bool utf8_valid(struct bytes text);

/* One GeneralName of a subjectAltName. `value`: text for DNS, e-mail, URI, UPN; 4 or 16 octets for IP; Name for directory. */
struct san {
	unsigned type;		/* enum conf_san bit; 0: a kind we do not know */
	struct bytes value;
	struct bytes raw;
};

/* Takes the next GeneralName off the contents of a GeneralNames SEQUENCE. False: none left, or malformed (then rest->n > 0). */
bool san_next(struct bytes *rest, struct san *out);
/* Is a GeneralName among them, octet for octet? */
bool san_has(struct bytes names, struct bytes general_name);
/* "DNS:a.example, IP:192.0.2.1" of the extension value (a GeneralNames TLV), for humans and the database. Error: SYNTAX. */
enum err san_text(struct bytes general_names, struct buf *out, struct why *why);
/* Appends one GeneralName from "dns:NAME", "ip:ADDR", "email:ADDR", "uri:URI", "upn:NAME". Error: SUBJECT. */
enum err san_parse(const char *text, struct buf *general_name, struct why *why);
/* The kind that "dns:", "ip:", "email:", "uri:" or "upn:" at the beginning of *text says, and steps over it; 0: none of them. */
unsigned san_kind(const char **text);
/* Appends one GeneralName of one of these kinds. Error: SUBJECT. */
enum err san_write(unsigned type, const char *text, struct buf *general_name, struct why *why);
/* Is it written as its kind has to be (RFC 5280, 4.2.1.6)? Kinds that we do not know are not. Whether a wildcard may be is not asked here. */
bool san_is_sound(const struct san *san);
/* A DNS name with a wildcard, which is its whole first label. */
bool san_is_wildcard(const struct san *san);

/*
 * The one form in which names are compared: "dns:a.example" with its case folded, "ip:2001:db8::1"; kinds that san_parse does not have as
 * "der:" and hex.
 */
void san_key(const struct san *san, struct buf *out);
/* The same for a name that somebody wrote, as for san_parse. Error: SUBJECT. */
enum err san_canonical(const char *text, struct buf *out, struct why *why);
/* All keys of a GeneralNames TLV, NULL-terminated; what cannot be read becomes SAN_KEY_UNREADABLE, which fits nothing. Freed with san_keys_free. */
#define SAN_KEY_UNREADABLE "unreadable"
char **san_keys(struct bytes general_names);
void san_keys_free(char **list);	/* NULL is allowed */

#endif
