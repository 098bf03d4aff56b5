#include "conf/date.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define FORMAT "dddd-dd-ddTdd:dd:ddZ"	/* d: a digit */
#define SHORT_FORM 10
#define LAST INT64_C(253402300799)	/* 9999-12-31T23:59:59Z */

/* strptime alone would take blanks, signs and single digits. */
static bool has_form(const char *text)
{
	size_t n = strlen(text);

	if (n != SHORT_FORM && n != sizeof(FORMAT) - 1)
		return false;
	for (size_t i = 0; i < n; i++) {
		if (FORMAT[i] == 'd' ? text[i] < '0' || text[i] > '9' : text[i] != FORMAT[i])
			return false;
	}
	return true;
}

bool date_parse(const char *text, time_t *out)
{
	struct tm tm = {0};
	char whole[2 * DATE_SIZE], again[DATE_SIZE];
	time_t t;

	if (!has_form(text))
		return false;
	snprintf(whole, sizeof(whole), "%s%s", text, text[SHORT_FORM] == '\0' ? "T00:00:00Z" : "");
	if (strptime(whole, "%Y-%m-%dT%H:%M:%SZ", &tm) == NULL)
		return false;
	t = timegm(&tm);
	date_print(t, again);	/* the 31st of February would come back as a day in March */
	if (t <= 0 || strcmp(whole, again) != 0)
		return false;
	*out = t;
	return true;
}

void date_print(time_t t, char out[DATE_SIZE])
{
	struct tm tm;

	if (t < 0 || t > LAST || gmtime_r(&t, &tm) == NULL || strftime(out, DATE_SIZE, "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
		out[0] = '\0';
}
