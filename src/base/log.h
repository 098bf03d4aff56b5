/* The log sink. Only server/ and admin/ write logs (and the mains); lower layers return what happened. */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include "base/buf.h"
#include "base/err.h"

enum log_level { LOG_ERROR_, LOG_WARN_, LOG_INFO_, LOG_DEBUG_ };
enum log_target { LOG_TO_STDERR, LOG_TO_SYSLOG };

/* Before the first call: stderr, level info. `ident` must outlive the process. */
void log_open(enum log_target target, enum log_level level, const char *ident);

/* One line; no newline in fmt. On stderr: "2026-01-31T12:00:00Z ident[pid] level: text", written with one write(2). */
void log_line(enum log_level level, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#define log_error(...) log_line(LOG_ERROR_, __VA_ARGS__)
#define log_warn(...) log_line(LOG_WARN_, __VA_ARGS__)
#define log_info(...) log_line(LOG_INFO_, __VA_ARGS__)
#define log_debug(...) log_line(LOG_DEBUG_, __VA_ARGS__)

/* The level at which an error is logged: OPERATOR error, POLICY warn, CLIENT info. */
enum log_level log_level_of(enum err err);

#define LOG_FIELD_MAX 256
/* Adds ` key="value"` to a line, escaped and cut to LOG_FIELD_MAX octets; nothing when the value is empty. */
void log_field(struct buf *line, const char *key, struct bytes value);

#endif
