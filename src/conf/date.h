/* Dates as people write them: ISO 8601, UTC, "2027-01-31T12:00:00Z". */
#ifndef CONF_DATE_H
#define CONF_DATE_H

#include <stdbool.h>
#include <time.h>

#define DATE_SIZE 24

/* "2027-01-31T12:00:00Z", or "2027-01-31" for its first second. Only dates that exist, from 1970-01-01T00:00:01Z to the end of 9999. */
bool date_parse(const char *text, time_t *out);

/* The long form; "" when t has no such date. */
void date_print(time_t t, char out[DATE_SIZE]);

#endif
