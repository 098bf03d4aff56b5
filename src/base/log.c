#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "base/codec.h"
#include "base/text.h"

#define LINE_MAX_OCTETS 2048	/* a longer line is cut */

static struct {
	enum log_target target;
	enum log_level level;
	const char *ident;
} sink = {LOG_TO_STDERR, LOG_INFO_, "scepter"};

static const struct {
	const char *name;
	int priority;
} levels[] = {
	[LOG_ERROR_] = {"error", LOG_ERR},
	[LOG_WARN_] = {"warning", LOG_WARNING},
	[LOG_INFO_] = {"info", LOG_INFO},
	[LOG_DEBUG_] = {"debug", LOG_DEBUG},
};

void log_open(enum log_target target, enum log_level level, const char *ident)
{
	sink.target = target;
	sink.level = level;
	sink.ident = ident;
	if (target == LOG_TO_SYSLOG)
		openlog(ident, LOG_PID, LOG_DAEMON);
}

static void write_stderr(enum log_level level, const char *text)
{
	char line[LINE_MAX_OCTETS + 128], stamp[32];
	struct tm tm;
	time_t now = time(NULL);
	int n;

	gmtime_r(&now, &tm);
	strftime(stamp, sizeof(stamp), "%Y-%m-%dT%H:%M:%SZ", &tm);
	n = snprintf(line, sizeof(line), "%s %.64s[%ld] %s: %s\n", stamp, sink.ident, (long)getpid(), levels[level].name,
	    text);
	if (write(STDERR_FILENO, line, (size_t)n) < 0)
		return;	/* there is nobody left to tell */
}

void log_line(enum log_level level, const char *fmt, ...)
{
	char text[LINE_MAX_OCTETS];
	va_list ap;

	if (level > sink.level)
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	text_make_plain(text);	/* one event is one line, whatever bytes it quotes */
	if (sink.target == LOG_TO_SYSLOG)
		syslog(levels[level].priority, "%s", text);
	else
		write_stderr(level, text);
}

enum log_level log_level_of(enum err err)
{
	switch (err_row(err)->whose) {
	case OPERATOR:
		return LOG_ERROR_;
	case POLICY:
		return LOG_WARN_;
	default:
		return LOG_INFO_;
	}
}

void log_field(struct buf *line, const char *key, struct bytes value)
{
	if (value.n == 0)
		return;
	buf_printf(line, " %s=\"", key);
	escape_text(line, value, LOG_FIELD_MAX);
	buf_add_str(line, "\"");
}
