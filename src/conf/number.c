#include "conf/number.h"

#include <inttypes.h>
#include <string.h>
#include <strings.h>

static const struct unit octets[] = {{"m", 1 << 20}, {"k", 1 << 10}, {"", 1}, {0}};
static const struct unit seconds[] = {{"d", 24 * 3600}, {"h", 3600}, {"m", 60}, {"s", 1}, {"", 1}, {0}};
static const struct unit millis[] = {
    {"d", 24 * 3600 * 1000}, {"h", 3600 * 1000}, {"m", 60 * 1000}, {"s", 1000}, {"ms", 1}, {"", 1000}, {0},
};

const struct unit *number_units(enum conf_kind kind)
{
	switch (kind) {
	case KIND_SIZE:
		return octets;
	case KIND_SECONDS:
		return seconds;
	case KIND_MILLIS:
		return millis;
	default:
		return NULL;
	}
}

bool number_parse(const char *text, const struct unit *units, int64_t *value)
{
	static const struct unit none[] = {{"", 1}, {0}};
	int64_t v = 0;
	const char *s;

	for (s = text; *s >= '0' && *s <= '9'; s++) {
		if (v > (INT64_MAX - 9) / 10)
			return false;
		v = v * 10 + (*s - '0');
	}
	if (s == text)
		return false;
	for (units = units == NULL ? none : units; units->name != NULL; units++) {
		if (strcasecmp(units->name, s) == 0) {
			if (v > INT64_MAX / units->factor)
				return false;
			*value = v * units->factor;
			return true;
		}
	}
	return false;
}

void number_print(int64_t value, const struct unit *units, struct buf *out)
{
	for (; units != NULL && units->name != NULL; units++) {
		if (value != 0 && units->name[0] != '\0' && value % units->factor == 0)
			break;
	}
	if (units == NULL || units->name == NULL)
		buf_printf(out, "%" PRId64, value);
	else
		buf_printf(out, "%" PRId64 "%s", value / units->factor, units->name);
}
