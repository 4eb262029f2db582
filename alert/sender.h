/*
 * One channel at work: gathers what it has not told yet into one message, sends it, and notes its
 * place in the store once it was taken. What fails is tried again, later each time; meanwhile more
 * may join. A flow without an end: it lives until it is freed.
 *
 *   IDLE -> GATHER (slices) -> SEND -> WRITE -> IDLE
 *             ^                  | failed: WRITE (the error) -> WAIT_RETRY
 *             +------------------------------------------------------+
 */
#ifndef ALERT_SENDER_H
#define ALERT_SENDER_H

#include <stdbool.h>
#include <stdint.h>

#include "alert/channel_send.h"

struct alert_sender;
struct store;

enum {
	SENDER_RETRY_MIN_S = 10, /* doubles */
	SENDER_RETRY_MAX_S = 3600,
};

struct alert_sender *alert_sender_new(const struct channel_ways *ways, struct store *store,
	const struct alert_channel *channel); /* ways, store: borrowed; channel: copied */
/* What is under way may have arrived and is sent again, with the same id. NULL is fine. */
void alert_sender_free(struct alert_sender *sender);

/* There may be something new. */
void alert_sender_pump(struct alert_sender *sender);

/* Somebody has perhaps mended the channel: what waits to be tried again is tried now. */
void alert_sender_hurry(struct alert_sender *sender);

struct alert_sender_state {
	const char *name; /* borrowed */
	enum channel_type type;
	int64_t sent_s;	    /* last success; 0: none */
	int64_t told_up_to; /* what is later in the queue is to stay; -1: it needs nothing of it */
	int64_t failing_since_s; /* 0: does not */
	const char *error;	 /* borrowed until the loop runs; "" */
};
struct alert_sender_state alert_sender_get_state(const struct alert_sender *sender);
const struct alert_channel *alert_sender_channel(const struct alert_sender *sender);

/* Seconds to wait after so many failures in a row (at least 1), the same for all: no jitter is
 * needed between a sensor and its own channels. Pure. */
int64_t alert_sender_retry_s(int64_t attempts);

#endif
