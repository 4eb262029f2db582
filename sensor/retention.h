/*
 * What the store does not keep for ever: events and certificates that are gone, each for as long as
 * configured. Looked after every few hours in steps of some milliseconds, so that nobody waits.
 *
 *   WAIT -> EVENTS -(none is left)-> GONE -(the last chunk)-> WAIT
 *           ^    |                   ^  |
 *           +----+ a chunk           +--+ a chunk
 *
 * By AWS's time only: a host whose clock has jumped ahead forgets nothing.
 */
#ifndef SENSOR_RETENTION_H
#define SENSOR_RETENTION_H

#include <stdbool.h>
#include <stdint.h>

struct loop;
struct retention;
struct store;

struct retention_limits {
	int64_t now_s;
	int64_t keep_events_s, keep_gone_s;
};
/* false: what time it is is not known, so nothing is forgotten this time. */
typedef bool retention_limits_fn(void *arg, struct retention_limits *ret_limits);

/* Runs until it is stopped. loop and store are borrowed. limits is asked at each look. */
struct retention *retention_start(
	struct loop *loop, struct store *store, retention_limits_fn *limits, void *arg);
void retention_stop(struct retention *retention); /* NULL is fine */

#endif
