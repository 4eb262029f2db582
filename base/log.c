/* Log lines on stderr, each in one write, so that lines of several processes never mix. */
#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/log_repeat.h"
#include "base/log_ring.h"
#include "base/text.h"

/* Global as stderr itself is; set at start and by a reload, read by the loop's thread only. */
static enum log_level max_level = LOG_INFO;
static struct log_repeats repeats; /* by the loop's thread too */
static struct log_ring ring;

static const char *const level_name[] = {"error", "warning", "info", "debug"};

void log_set_level(enum log_level level)
{
	max_level = level;
}

enum log_level log_get_level(void)
{
	return max_level;
}

bool log_level_parse(const char *text, enum log_level *ret_level)
{
	for (size_t i = 0; i < sizeof(level_name) / sizeof(level_name[0]); i++) {
		if (strcmp(text, level_name[i]) == 0) {
			*ret_level = (enum log_level)i;
			return true;
		}
	}
	return false;
}

const char *log_level_name(enum log_level level)
{
	return level_name[level];
}

/* JOURNAL_STREAM names the socket that systemd gave us ("device:inode"); a child's or a
 * redirected stderr is another file (systemd.exec(5)). */
static bool is_journal(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	struct stat status;
	if (stream == NULL || fstat(STDERR_FILENO, &status) != 0)
		return false;
	char own[64];
	snprintf(own, sizeof(own), "%llu:%llu", (unsigned long long)status.st_dev,
		(unsigned long long)status.st_ino);
	return strcmp(stream, own) == 0;
}

/* The priority, or time and level. */
static void add_head(struct buf *line, enum log_level level, bool is_for_journal)
{
	static const char *const journal_prefix[] = {"<3>", "<4>", "<6>", "<7>"};
	if (is_for_journal) {
		buf_add_text(line, journal_prefix[level]);
		return;
	}
	char time[TEXT_TIME_MAX];
	buf_addf(line, "%s %s ", text_format_time(clock_now_s(), time), level_name[level]);
}

/* Leaves room for the newline; between characters, because a reader may be strict about UTF-8. */
static void cut_line(struct buf *line)
{
	if (line->len < LOG_LINE_MAX)
		return;
	size_t keep = LOG_LINE_MAX - sizeof("...");
	while (((unsigned char)line->data[keep] & 0xc0) == 0x80)
		keep--;
	line->len = keep;
	buf_add_text(line, "...");
}

enum { HEAD_MAX = 64, ESCAPED_BYTE_MAX = 4 };

static void make_line(struct buf *line, enum log_level level, const char *text, bool is_for_journal)
{
	buf_init(line, HEAD_MAX + ESCAPED_BYTE_MAX * LOG_LINE_MAX);
	add_head(line, level, is_for_journal);
	text_escape_line(line, text, strlen(text), LOG_LINE_MAX);
	cut_line(line);
	buf_add_char(line, '\n');
}

static void write_text(enum log_level level, const char *text)
{
	struct buf line, kept;
	make_line(&kept, level, text, false);
	log_ring_add(&ring, kept.data, kept.len);
	make_line(&line, level, text, is_journal());
	/* Nobody is left to tell when stderr is gone. */
	ssize_t written = write(STDERR_FILENO, line.data, line.len);
	(void)written;
	buf_clear(&line);
	buf_clear(&kept);
}

void log_tell_repeats(bool is_end)
{
	struct log_repeat_shape told;
	char text[LOG_REPEAT_TEXT_MAX + 64];
	while (log_repeat_take(&repeats, is_end, clock_mono_ms(), &told)) {
		(void)snprintf(text, sizeof(text), "%lld more like it within %d s: %s",
			(long long)told.left_out, LOG_REPEAT_MS / 1000, told.text);
		write_text((enum log_level)told.level, text);
	}
}

void log_last_lines(struct buf *to)
{
	log_ring_copy(&ring, to);
}

__attribute__((format(printf, 2, 0))) static void write_line(
	enum log_level level, const char *format, va_list args)
{
	if (level > max_level)
		return;
	char text[LOG_LINE_MAX + 1]; /* one more than stays, so that a cut is seen */
	if (vsnprintf(text, sizeof(text), format, args) < 0)
		return; /* a broken format: nothing can be said */
	log_tell_repeats(false);
	/* Who asks for debug wants everything. */
	if (level == LOG_DEBUG ||
		log_repeat_admits(&repeats, format, (int)level, text, clock_mono_ms()))
		write_text(level, text);
}

void log_error(const char *format, ...)
{
	va_list args;
	va_start(args, format);
	write_line(LOG_ERROR, format, args);
	va_end(args);
}

void log_warning(const char *format, ...)
{
	va_list args;
	va_start(args, format);
	write_line(LOG_WARNING, format, args);
	va_end(args);
}

void log_info(const char *format, ...)
{
	va_list args;
	va_start(args, format);
	write_line(LOG_INFO, format, args);
	va_end(args);
}

void log_debug(const char *format, ...)
{
	va_list args;
	va_start(args, format);
	write_line(LOG_DEBUG, format, args);
	va_end(args);
}

void log_always(enum log_level level, const char *text)
{
	if (level > max_level)
		return;
	log_tell_repeats(false);
	write_text(level, text);
}
