#include "base/log_repeat.h"

#include <string.h>

#include "base/text.h"

static bool is_over(const struct log_repeat_shape *shape, int64_t now_mono_ms)
{
	return now_mono_ms - shape->begun_mono_ms >= LOG_REPEAT_MS;
}

/* The shape's own place, or a free one; NULL: all are taken. One whose window is over and told of
 * is free. */
static struct log_repeat_shape *find(
	struct log_repeats *repeats, const char *format, int64_t now_mono_ms)
{
	struct log_repeat_shape *unused = NULL;
	for (size_t i = 0; i < LOG_REPEAT_SHAPES; i++) {
		struct log_repeat_shape *at = &repeats->shape[i];
		bool is_free =
			at->format == NULL || (at->left_out == 0 && is_over(at, now_mono_ms));
		if (is_free)
			unused = unused != NULL ? unused : at;
		else if (at->format == format)
			return at;
	}
	return unused;
}

/* Between characters. */
static void cut(const char *text, char *to)
{
	size_t len = strnlen(text, LOG_REPEAT_TEXT_MAX);
	if (len == LOG_REPEAT_TEXT_MAX) {
		len = LOG_REPEAT_TEXT_MAX - sizeof("...");
		while (len > 0 && ((unsigned char)text[len] & 0xc0) == 0x80)
			len--;
		memcpy(to + len, "...", sizeof("..."));
	} else {
		to[len] = '\0';
	}
	memcpy(to, text, len);
}

bool log_repeat_admits(struct log_repeats *repeats, const char *format, int level, const char *text,
	int64_t now_mono_ms)
{
	struct log_repeat_shape *shape = find(repeats, format, now_mono_ms);
	if (shape == NULL)
		return true;
	if (shape->format != format || is_over(shape, now_mono_ms))
		*shape = (struct log_repeat_shape){
			.format = format, .level = level, .begun_mono_ms = now_mono_ms};
	if (shape->written < LOG_REPEAT_MAX) {
		shape->written++;
		return true;
	}
	if (shape->left_out++ == 0)
		cut(text, shape->text);
	return false;
}

bool log_repeat_take(struct log_repeats *repeats, bool is_end, int64_t now_mono_ms,
	struct log_repeat_shape *ret_shape)
{
	for (size_t i = 0; i < LOG_REPEAT_SHAPES; i++) {
		struct log_repeat_shape *at = &repeats->shape[i];
		if (at->left_out == 0 || (!is_end && !is_over(at, now_mono_ms)))
			continue;
		*ret_shape = *at;
		*at = (struct log_repeat_shape){.format = NULL};
		return true;
	}
	return false;
}
