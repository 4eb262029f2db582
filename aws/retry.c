/* The retry policy: one table. */
#include "aws/retry.h"

#include <stdbool.h>

enum { HINT_MORE_MS = 5000 };

/* A delay is uniform in [0, min(base << used, cap)). */
static const struct policy {
	int max; /* retries of this class in a call */
	int base_ms, cap_ms;
} policy[RETRY_CLASSES] = {
	/* With 10 % each of 500, 503, resets, cut answers, garbage, stalls and throttling these
	 * leave some five failed calls in a million; a service that fails each time is given up
	 * after about 25 seconds, one that talks garbage after 15. */
	[RETRY_SERVICE] = {16, 50, 5000},
	[RETRY_BROKEN] = {16, 50, 5000},
	[RETRY_GARBAGE] = {12, 50, 5000},
	[RETRY_TIMEOUT] = {8, 50, 5000},
	[RETRY_CONNECT] = {2, 200, 2000},
	[RETRY_RESET] = {1, 0, 0},
	[RETRY_THROTTLED] = {12, 1000, 20000},
	[RETRY_CLOCK] = {1, 0, 0},
	[RETRY_EXPIRED] = {1, 0, 0},
	[RETRY_UNKNOWN_KEY] = {1, 0, 0},
};

static int64_t bound_ms(const struct policy *of, int used)
{
	int64_t bound = of->base_ms;
	for (int i = 0; i < used && bound < of->cap_ms; i++)
		bound *= 2;
	return bound < of->cap_ms ? bound : of->cap_ms;
}

int64_t retry_next(struct retry *retry, enum retry_class class, int64_t hint_ms, uint32_t random)
{
	if (class == RETRY_RESET && retry->used[RETRY_RESET] >= policy[RETRY_RESET].max)
		class = RETRY_BROKEN;
	const struct policy *of = &policy[class];
	if (retry->used[class] >= of->max)
		return RETRY_STOP;
	int64_t delay = (bound_ms(of, retry->used[class]) * (int64_t)random) >> 32;
	retry->used[class]++;
	if (hint_ms > delay)
		delay = hint_ms < delay + HINT_MORE_MS ? hint_ms : delay + HINT_MORE_MS;
	return delay;
}
