/* The clocks and the random source of the system. */
#include "base/clock.h"

#include <assert.h>
#include <stdlib.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

static struct timespec now(clockid_t clock)
{
	struct timespec time;
	if (clock_gettime(clock, &time) != 0)
		abort(); /* fails for a clock that does not exist only */
	return time;
}

int64_t clock_now_s(void)
{
	return now(CLOCK_REALTIME).tv_sec;
}

int64_t clock_now_ms(void)
{
	struct timespec time = now(CLOCK_REALTIME);
	return (int64_t)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

int64_t clock_mono_ms(void)
{
	return clock_mono_us() / 1000;
}

int64_t clock_mono_us(void)
{
	struct timespec time = now(CLOCK_MONOTONIC);
	return (int64_t)time.tv_sec * 1000000 + time.tv_nsec / 1000;
}

uint32_t clock_random(uint32_t bound)
{
	assert(bound >= 1);
	/* The remainder alone favours small numbers; what lies above the last whole multiple of
	 * bound is thrown again. */
	uint32_t rest = (uint32_t)((UINT64_C(1) << 32) % bound);
	uint32_t number;
	do {
		if (getentropy(&number, sizeof(number)) != 0)
			abort(); /* no kernel since 3.17 refuses 4 bytes */
	} while (number > UINT32_MAX - rest);
	return number % bound;
}
