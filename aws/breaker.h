/*
 * The endpoint breaker: a host that cannot be reached is asked once a minute, and everyone else
 * who wants it is told at once, so that it costs no slots and no time. Pure: the caller brings the
 * monotonic clock.
 *
 *   closed --(three connect failures in a row, or a long silence)--> open --(any answer)--> closed
 *
 * A silence: the host takes connections, but eight requests in a row, over three times the patience
 * of one, got no answer. One request may well meet that on a healthy host, and all that are under
 * way at once may as well; both together do not.
 */
#ifndef AWS_BREAKER_H
#define AWS_BREAKER_H

#include <stdbool.h>
#include <stdint.h>

struct err;

enum {
	BREAKER_FAILURES = 3,
	BREAKER_SILENCES = 8,
	BREAKER_PATIENCES = 3,
	BREAKER_PROBE_MS = 60000,
	BREAKER_REASON_MAX = 256,
};

struct breaker {      /* zeroed: closed */
	int failures; /* to connect, in a row */
	int silences; /* in a row */
	int64_t silent_since_mono_ms;
	bool is_open;
	int64_t probe_at_mono_ms;	 /* open: when the next request may go */
	char reason[BREAKER_REASON_MAX]; /* of the last failure */
};

/* May a request go now? Open: one a minute may, the others not. */
bool breaker_admits(struct breaker *breaker, int64_t now_mono_ms);

/* A request found no connection; reason is its error's text (cut). Returns whether the breaker
 * opened now. */
bool breaker_failed(struct breaker *breaker, const char *reason, int64_t now_mono_ms);

/* A request was sent and waited patience_ms without any answer. Returns as breaker_failed. */
bool breaker_silent(
	struct breaker *breaker, const char *reason, int64_t patience_ms, int64_t now_mono_ms);

/* The host answered, whatever it said. */
void breaker_answered(struct breaker *breaker);

/* Sets the error of a request that is not admitted: ERR_UNREACHABLE, code "breaker". Returns -1.
 * No time in its text: who asked has an own one for the next try, and says that. */
int breaker_refuse(const struct breaker *breaker, const char *host, struct err *err);

#endif
