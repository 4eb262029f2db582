#include "sensor/heartbeat.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/loop.h"
#include "base/mem.h"
#include "sensor/notify.h"

struct heartbeat {
	struct loop *loop; /* borrowed */
	heartbeat_line_fn *line;
	void *arg;
	struct loop_timer *timer; /* owned until it fires */
	int64_t watchdog_ms;	  /* 0: none */
	struct buf told;	  /* the line that systemd has */
};

static void on_timer(void *arg)
{
	struct heartbeat *heartbeat = arg;
	heartbeat->timer = NULL;
	heartbeat_beat(heartbeat);
}

/* Half of what the watchdog allows, as sd_watchdog_enabled(3) advises. */
static int64_t wait_ms(const struct heartbeat *heartbeat, bool is_busy)
{
	int64_t wait_ms = is_busy ? HEARTBEAT_BUSY_MS : HEARTBEAT_IDLE_MS;
	if (heartbeat->watchdog_ms > 0 && heartbeat->watchdog_ms / 2 < wait_ms)
		wait_ms = heartbeat->watchdog_ms / 2;
	return wait_ms;
}

/* Returns whether it is going to change soon. */
static bool tell_status(struct heartbeat *heartbeat)
{
	struct buf line;
	buf_init(&line, HEARTBEAT_LINE_MAX);
	bool is_busy = heartbeat->line(heartbeat->arg, &line);
	if (strcmp(buf_text(&line), buf_text(&heartbeat->told)) != 0) {
		notify_status("%s", buf_text(&line));
		buf_reset(&heartbeat->told);
		buf_add_text(&heartbeat->told, buf_text(&line));
	}
	buf_clear(&line);
	return is_busy;
}

void heartbeat_beat(struct heartbeat *heartbeat)
{
	if (heartbeat == NULL || !notify_is_wanted())
		return;
	bool is_busy = tell_status(heartbeat);
	if (heartbeat->watchdog_ms > 0)
		notify_send("WATCHDOG=1");
	loop_timer_cancel(heartbeat->timer);
	heartbeat->timer =
		loop_timer_start(heartbeat->loop, wait_ms(heartbeat, is_busy), on_timer, heartbeat);
}

struct heartbeat *heartbeat_new(struct loop *loop, heartbeat_line_fn *line, void *arg)
{
	struct heartbeat *heartbeat = xcalloc(1, sizeof(*heartbeat));
	heartbeat->loop = loop;
	heartbeat->line = line;
	heartbeat->arg = arg;
	heartbeat->watchdog_ms = notify_watchdog_ms();
	buf_init(&heartbeat->told, HEARTBEAT_LINE_MAX);
	return heartbeat;
}

void heartbeat_free(struct heartbeat *heartbeat)
{
	if (heartbeat == NULL)
		return;
	loop_timer_cancel(heartbeat->timer);
	buf_clear(&heartbeat->told);
	free(heartbeat);
}
