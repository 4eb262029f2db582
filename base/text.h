/*
 * Text helpers: checks of what outsiders send, parsing and formatting of numbers, times and
 * durations. Locale-free. Nothing here allocates unless it says so.
 */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct buf;

enum {
	TEXT_TIME_MAX = 32, /* "2026-11-21T05:46:52Z" and a NUL, with room for years above 9999 */
	TEXT_DURATION_MAX = 32, /* "89d 23h" and a NUL, with room for any int64_t */
};

bool text_is_utf8(const char *text, size_t len);   /* a NUL is a character like others */
bool text_is_digits(const char *text, size_t len); /* at least one, all 0-9 */
bool text_is_account_id(const char *text);	   /* exactly 12 digits */
bool text_is_region(const char *text); /* [a-z0-9-], 4 to 31 bytes, letter first, "-N" last */
bool text_has_prefix(const char *text, const char *prefix);
bool text_has_suffix(const char *text, const char *suffix);
bool text_equal_ci(const char *a, const char *b); /* ASCII case ignored */
void text_lower(char *text);			  /* ASCII, in place */

/* Copies at most size - 1 bytes and terminates. Returns false when it had to cut. */
bool text_copy(char *ret, size_t size, const char *text);
/* As text_copy for people's eyes: what does not fit is cut between characters and ends in "...".
 * size >= 4. */
void text_shorten(char *ret, size_t size, const char *text);

/* Whole text must be a decimal integer in [min, max]. ERR_CONFIG names the text and the range. */
int text_parse_int(const char *text, int64_t min, int64_t max, int64_t *ret_value, struct err *err);

/* "90", "90s", "15m", "24h", "7d", "2w" to seconds; at least one digit, no sign. ERR_CONFIG. */
int text_parse_duration(const char *text, int64_t *ret_seconds, struct err *err);
/* 86400 -> "1d", 90000 -> "1d 1h", 59 -> "59s": at most two units. buffer: TEXT_DURATION_MAX. */
const char *text_format_duration(int64_t seconds, char *buffer);

/* RFC 3339 ("2026-09-01T13:00:00Z"; a fraction is dropped, an offset is subtracted) and plain dates
 * (their first second, UTC). ERR_CONFIG names the text; wrap it for what came from elsewhere. */
int text_parse_time(const char *text, int64_t *ret_unix_s, struct err *err);
/* Always UTC with Z. buffer: TEXT_TIME_MAX. */
const char *text_format_time(int64_t unix_s, char *buffer);
/* RFC 9110 IMF-fixdate ("Sun, 06 Nov 1994 08:49:37 GMT"). false when it is not one. */
bool text_parse_http_date(const char *text, int64_t *ret_unix_s);

void text_hex(const void *bytes, size_t len, char *ret); /* lower case, 2 * len + 1 bytes */
int text_hex_digit(char c);				 /* -1: not one */
bool text_unhex(const char *hex, void *ret, size_t len); /* exactly 2 * len hex digits */

/* Appends text with every byte outside A-Za-z0-9-._~ (and keep) percent-encoded, upper hex. */
void text_percent_encode(struct buf *to, const char *text, size_t len, const char *keep);

/* Appends text for a log or terminal: printable UTF-8 stays, control bytes, quotes, backslash,
 * broken UTF-8 and invisible characters (direction overrides, zero width) become escapes (\n,
 * \x1b); at most max_bytes of input, cut between characters, then "...". */
void text_escape(struct buf *to, const char *text, size_t len, size_t max_bytes);

/* As text_escape, but quotes and backslash stay: for a whole line made by ourselves. */
void text_escape_line(struct buf *to, const char *text, size_t len, size_t max_bytes);

/* The first character of text (RFC 3629: no surrogates, no overlong forms): its length in bytes,
 * or 0 when it is broken or cut. len >= 1. */
size_t text_utf8_next(const char *text, size_t len, uint32_t *ret_code_point);
/* Characters; each broken byte counts as one. */
size_t text_utf8_count(const char *text, size_t len);

/* Not what a terminal or a reader would obey or not see: C0, DEL and C1 controls, zero width
 * characters, direction marks and overrides, line separators, tags, noncharacters. */
bool text_is_printable(uint32_t code_point);

/* Terminal columns that printable UTF-8 takes (wide and combining characters counted). */
size_t text_columns(const char *text);

/*
 * Walks a comma separated list ("a, b,c"): the next item without surrounding blanks, or false at
 * the end. Empty items are skipped. *at starts at the text and is moved on.
 */
bool text_next_item(const char **at, const char **ret_item, size_t *ret_len);

#endif
