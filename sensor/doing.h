/*
 * What the daemon is doing now, in one line for `systemctl status`. Pure.
 */
#ifndef SENSOR_DOING_H
#define SENSOR_DOING_H

#include <stddef.h>
#include <stdint.h>

struct buf;
struct progress;

struct doing_connector {
	const char *name;
	const struct progress *running; /* its running cycle; NULL: none */
	int64_t next_s;			/* when the next one is due; 0 or past: at once */
};

/* Appends "prod: cycle, 1204 of 5000 account-regions (3 not read); 2 deliveries". */
void doing_line(const struct doing_connector *connector, size_t count, size_t deliveries,
	int64_t now_s, struct buf *to);

#endif
