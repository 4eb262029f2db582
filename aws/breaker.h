/*
 * The endpoint breaker: a host that cannot be reached is asked once a minute, and everyone else
 * who wants it is told at once, so that it costs no slots and no time. Pure: the caller brings the
 * monotonic clock.
 *
 *   closed --(three connect failures in a row)--> open --(any answer)--> closed
 *
 * A host that accepts connections and then says nothing weighs a quarter of one that refuses them:
 * silence happens to healthy hosts too, a dozen times in a row it does not.
 */
#ifndef AWS_BREAKER_H
#define AWS_BREAKER_H

#include <stdbool.h>
#include <stdint.h>

struct err;

enum {
	BREAKER_CONNECT_POINTS = 4,
	BREAKER_SILENCE_POINTS = 1,
	BREAKER_OPEN_POINTS = 12,
	BREAKER_PROBE_MS = 60000,
	BREAKER_REASON_MAX = 256,
};

struct breaker {    /* zeroed: closed */
	int points; /* of failures in a row */
	bool is_open;
	int64_t probe_at_mono_ms;	 /* open: when the next request may go */
	char reason[BREAKER_REASON_MAX]; /* of the last failure */
};

/* May a request go now? Open: one a minute may, the others not. */
bool breaker_admits(struct breaker *breaker, int64_t now_mono_ms);

/* A request failed without any answer; reason is its error's text (cut). Returns whether the
 * breaker opened now. */
bool breaker_failed(struct breaker *breaker, int points, const char *reason, int64_t now_mono_ms);

/* The host answered, whatever it said. */
void breaker_answered(struct breaker *breaker);

/* Sets the error of a request that is not admitted: ERR_UNREACHABLE, code "breaker". Returns -1. */
int breaker_refuse(
	const struct breaker *breaker, const char *host, int64_t now_mono_ms, struct err *err);

#endif
