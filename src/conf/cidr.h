/* Ranges of addresses (RFC 4632, RFC 4291, 2.3): "192.0.2.0/24", "2001:db8::/32"; one address alone is a range, too. */
#ifndef CONF_CIDR_H
#define CONF_CIDR_H

#include <stdbool.h>

/* Is it a range, with no bit set behind its prefix? Prefix length 0, which is everybody, is none. */
bool is_cidr(const char *text);

/*
 * Does one of the ranges, a NULL-terminated list, have the address? list NULL, and text that is no address: no. An IPv4 address is the same
 * written as such and mapped into IPv6.
 */
bool cidrs_have(char *const *list, const char *address);

#endif
