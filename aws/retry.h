/*
 * Which failures are asked again, how often and after how long. Pure: the caller brings the dice.
 *
 * Each class has a budget of its own: a call outlives bad luck of several kinds at once (a service
 * of which seven answers in ten are bad still answers, see the test), while one that fails in one
 * way only is given up within half a minute. Delays are full jitter: anything from 0 to a bound
 * that doubles.
 *
 * source: facts.md 9.1; the budgets are ours
 */
#ifndef AWS_RETRY_H
#define AWS_RETRY_H

#include <stdint.h>

enum retry_class {
	RETRY_NEVER,
	RETRY_SERVICE,	   /* 5xx */
	RETRY_BROKEN,	   /* the connection broke, before or within the answer */
	RETRY_GARBAGE,	   /* an answer that cannot be understood */
	RETRY_TIMEOUT,	   /* connected, but no complete answer in time: costs its time each */
	RETRY_CONNECT,	   /* no connection: few, they feed the endpoint's breaker */
	RETRY_RESET,	   /* an idle connection was closed under the request: at once, once */
	RETRY_THROTTLED,   /* asked to slow down: backs off longer */
	RETRY_CLOCK,	   /* signed with a wrong time that is corrected now: at once, once */
	RETRY_EXPIRED,	   /* the session is over: at once with a new one, once */
	RETRY_UNKNOWN_KEY, /* the same, perhaps: also what a disabled region answers */
};

enum { RETRY_CLASSES = RETRY_UNKNOWN_KEY + 1, RETRY_STOP = -1 };

struct retry {
	unsigned char used[RETRY_CLASSES]; /* zeroed at the start */
};

/*
 * After a failure: the delay in milliseconds before the next attempt, or RETRY_STOP. A second reset
 * counts as a broken connection.
 *
 * hint_ms  the service's Retry-After, -1: none; honoured up to five seconds more than our own delay
 * random   uniform over all 32 bits
 */
int64_t retry_next(struct retry *retry, enum retry_class class, int64_t hint_ms, uint32_t random);

#endif
