#include "conf/cidr.h"

#include <arpa/inet.h>
#include <stdint.h>
#include <string.h>

#include "conf/number.h"

#define MAPPED 96	/* bits before an IPv4 address in ::ffff:0:0/96 */
#define ALL 128

struct range {
	uint8_t octets[16];	/* IPv4 mapped */
	unsigned bits;		/* of the prefix */
};

static bool address_read(const char *text, uint8_t octets[16], bool *is_v4)
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};

	*is_v4 = inet_pton(AF_INET, text, octets + 12) == 1;
	if (*is_v4)
		memcpy(octets, mapped, sizeof(mapped));
	return *is_v4 || inet_pton(AF_INET6, text, octets) == 1;
}

static bool bit(const uint8_t octets[16], unsigned i)
{
	return (octets[i / 8] >> (7 - i % 8) & 1) != 0;
}

static bool range_read(const char *text, struct range *out)
{
	char address[INET6_ADDRSTRLEN];
	const char *slash = strchr(text, '/');
	size_t n = slash == NULL ? strlen(text) : (size_t)(slash - text);
	int64_t length = 0;
	unsigned before;
	bool is_v4;

	if (n >= sizeof(address))
		return false;
	memcpy(address, text, n);
	address[n] = '\0';
	if (!address_read(address, out->octets, &is_v4))
		return false;
	before = is_v4 ? MAPPED : 0;
	if (slash == NULL)
		length = ALL - before;
	else if (!number_parse(slash + 1, NULL, &length))
		return false;
	if (length < 1 || length > ALL - before)
		return false;
	out->bits = before + (unsigned)length;
	for (unsigned i = out->bits; i < ALL; i++) {
		if (bit(out->octets, i))
			return false;
	}
	return true;
}

bool is_cidr(const char *text)
{
	struct range range;

	return range_read(text, &range);
}

bool cidrs_have(char *const *list, const char *address)
{
	uint8_t octets[16];
	struct range range;
	unsigned same;
	bool is_v4;

	if (!address_read(address, octets, &is_v4))
		return false;
	for (; list != NULL && *list != NULL; list++) {
		if (!range_read(*list, &range))
			continue;
		for (same = 0; same < range.bits && bit(range.octets, same) == bit(octets, same); same++)
			;
		if (same == range.bits)
			return true;
	}
	return false;
}
