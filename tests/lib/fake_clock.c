#include "tests/lib/fake_clock.h"

#include <assert.h>
#include <stdbool.h>

#include "base/clock.h"

static int64_t wall_us = INT64_C(1795219200000000); /* 2026-11-21T00:00:00Z */
static int64_t mono_us = INT64_C(3600000000);
static uint64_t random_state = 1;
static uint32_t fixed_random;
static bool is_random_fixed;

int64_t clock_now_s(void)
{
	return wall_us / 1000000;
}

int64_t clock_now_ms(void)
{
	return wall_us / 1000;
}

int64_t clock_mono_ms(void)
{
	return mono_us / 1000;
}

int64_t clock_mono_us(void)
{
	return mono_us;
}

uint32_t clock_random(uint32_t bound)
{
	assert(bound >= 1);
	if (is_random_fixed)
		return fixed_random < bound ? fixed_random : bound - 1;
	/* Knuth's linear congruence; its upper half is random enough for jitter. */
	random_state = random_state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (uint32_t)((random_state >> 32) * bound >> 32);
}

void fake_clock_set_now_s(int64_t unix_s)
{
	wall_us = unix_s * 1000000;
}

void fake_clock_advance_ms(int64_t ms)
{
	assert(ms >= 0);
	wall_us += ms * 1000;
	mono_us += ms * 1000;
}

void fake_clock_set_random(uint32_t number)
{
	fixed_random = number;
	is_random_fixed = true;
}

void fake_clock_seed_random(uint32_t seed)
{
	random_state = seed;
	is_random_fixed = false;
}
