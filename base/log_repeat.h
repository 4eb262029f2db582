/*
 * Which log lines are too much: of one shape (the format that they are made by) a few go through in
 * a minute, the others are counted and told in one line. Pure.
 */
#ifndef BASE_LOG_REPEAT_H
#define BASE_LOG_REPEAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	LOG_REPEAT_MAX = 20,	 /* lines of a shape in one window */
	LOG_REPEAT_MS = 60000,	 /* the window, from its first line */
	LOG_REPEAT_SHAPES = 128, /* at a time; more than the program has formats */
	LOG_REPEAT_TEXT_MAX = 120,
};

struct log_repeat_shape {
	const char *format; /* shared static; NULL: free */
	int level;
	int64_t begun_mono_ms;
	int64_t written, left_out;
	char text[LOG_REPEAT_TEXT_MAX]; /* the first that was left out, cut */
};

struct log_repeats {
	struct log_repeat_shape shape[LOG_REPEAT_SHAPES]; /* zeroed to begin */
};

/* Whether a line may be written now; else it is counted. text: the line. */
bool log_repeat_admits(struct log_repeats *repeats, const char *format, int level, const char *text,
	int64_t now_mono_ms);

/*
 * Takes out a window that is over (is_end: any) and has left out lines, so that they can be told;
 * false: none. Call it before each line too, so that the count stands before what comes after it.
 */
bool log_repeat_take(struct log_repeats *repeats, bool is_end, int64_t now_mono_ms,
	struct log_repeat_shape *ret_shape);

#endif
