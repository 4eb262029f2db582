/*
 * What systemd hears while the daemon runs: WATCHDOG=1, from the loop, so that one that stalls is
 * noticed and the daemon started again; and STATUS=, when what it is doing has changed.
 */
#ifndef SENSOR_HEARTBEAT_H
#define SENSOR_HEARTBEAT_H

#include <stdbool.h>

struct buf;
struct heartbeat;
struct loop;

enum {
	HEARTBEAT_BUSY_MS = 1000,  /* a cycle's progress is told as often */
	HEARTBEAT_IDLE_MS = 60000, /* wakes the host rarely */
	HEARTBEAT_LINE_MAX = 400,
};

/* Appends one line of what is done now. Returns whether it is going to change soon. */
typedef bool heartbeat_line_fn(void *arg, struct buf *to);

/* loop is borrowed. Where nobody listens nothing runs and line is not called. */
struct heartbeat *heartbeat_new(struct loop *loop, heartbeat_line_fn *line, void *arg);
void heartbeat_free(struct heartbeat *heartbeat); /* NULL is fine */

/* Something has begun or ended: tells now. NULL is fine. */
void heartbeat_beat(struct heartbeat *heartbeat);

#endif
