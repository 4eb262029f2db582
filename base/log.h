/*
 * One event, one line on stderr: `verb object key=value ...`. Under systemd (JOURNAL_STREAM) each
 * line carries its priority prefix ("<6>") and no time; elsewhere an RFC 3339 time and the level.
 * Control bytes are escaped and a line is cut at LOG_LINE_MAX, so that no outsider can forge one.
 * Of lines above debug that one format makes, 20 a minute are written; the others are counted and
 * told as "N more like it" (but log_always). The last lines are kept in memory. One thread logs,
 * the loop's. Only sensor/ and cli/ log above debug; lower layers return errors. Nothing secret is
 * ever passed here: secrets have a type that does not format.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdbool.h>

enum { LOG_LINE_MAX = 2048 };

enum log_level { LOG_ERROR, LOG_WARNING, LOG_INFO, LOG_DEBUG };

void log_set_level(enum log_level level);
enum log_level log_get_level(void);
bool log_level_parse(const char *text, enum log_level *ret_level); /* error warning info debug */
const char *log_level_name(enum log_level level);

/* Tells of the lines that were left out, whose minute is over (is_end: all); now and then, and at
 * the end. */
void log_tell_repeats(bool is_end);
/* Appends the last lines (64 KiB), each with its time, oldest first. */
struct buf;
void log_last_lines(struct buf *to);

void log_error(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_warning(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_info(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_debug(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* A line that is never left out as a repeat: who calls this sees to it that it is not much. */
void log_always(enum log_level level, const char *text);

#endif
