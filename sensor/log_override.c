#include "sensor/log_override.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/json_write.h"
#include "base/log_ring.h"
#include "base/loop.h"
#include "base/mem.h"

struct log_override {
	struct loop *loop; /* borrowed */
	enum log_level configured;
	struct loop_timer *timer; /* owned until it fires; NULL: the configured level holds */
	int64_t end_mono_ms;	  /* while there is a timer */
};

struct log_override *log_override_new(struct loop *loop, enum log_level configured)
{
	struct log_override *log = xcalloc(1, sizeof(*log));
	log->loop = loop;
	log_override_configure(log, configured);
	return log;
}

void log_override_free(struct log_override *log)
{
	if (log == NULL)
		return;
	loop_timer_cancel(log->timer);
	free(log);
}

void log_override_configure(struct log_override *log, enum log_level configured)
{
	log->configured = configured;
	if (log->timer == NULL)
		log_set_level(configured);
}

void log_override_end(struct log_override *log)
{
	loop_timer_cancel(log->timer);
	log->timer = NULL;
	log_set_level(log->configured);
}

static void on_end(void *arg)
{
	struct log_override *log = arg;
	log->timer = NULL;
	log_info("set log_level level=%s reason=\"the time for the other is over\"",
		log_level_name(log->configured));
	log_set_level(log->configured);
}

void log_override_start(struct log_override *log, enum log_level level, int64_t for_s)
{
	loop_timer_cancel(log->timer);
	log->timer = loop_timer_start(log->loop, for_s * 1000, on_end, log);
	log->end_mono_ms = clock_mono_ms() + for_s * 1000;
	log_set_level(level);
}

static void render_lines(struct json_writer *writer)
{
	struct buf lines;
	buf_init(&lines, LOG_RING_BYTES + 1);
	log_last_lines(&lines);
	json_open_array(writer);
	char *at = lines.len > 0 ? lines.data : NULL;
	char *end = at != NULL ? at + lines.len : NULL;
	while (at != NULL && at < end) {
		char *newline = memchr(at, '\n', (size_t)(end - at));
		*newline = '\0'; /* each line has one */
		json_text(writer, at);
		at = newline + 1;
	}
	json_close_array(writer);
	buf_clear(&lines);
}

void log_override_render(const struct log_override *log, struct json_writer *writer)
{
	int64_t left_ms = log->timer != NULL ? log->end_mono_ms - clock_mono_ms() : 0;
	json_open_object(writer);
	json_member_text(writer, "level", log_level_name(log_get_level()));
	json_member_text(writer, "configured", log_level_name(log->configured));
	json_member_time(
		writer, "until", log->timer != NULL ? clock_now_s() + (left_ms + 999) / 1000 : 0);
	json_key(writer, "lines");
	render_lines(writer);
	json_close_object(writer);
}
