/*
 * Time that stands still until a test moves it; linked in place of base/clock.c. Starts at
 * 2026-11-21T00:00:00Z with a monotonic time of its own. Random numbers follow a fixed sequence.
 */
#ifndef TESTS_LIB_FAKE_CLOCK_H
#define TESTS_LIB_FAKE_CLOCK_H

#include <stdint.h>

/* Wall time jumps, as when a person or NTP sets it; monotonic time does not notice. */
void fake_clock_set_now_s(int64_t unix_s);

/* Time passes: both clocks move on. ms >= 0. */
void fake_clock_advance_ms(int64_t ms);

/* From now on clock_random answers number, or bound - 1 where that is smaller: 0 is the smallest
 * jitter, UINT32_MAX the largest. */
void fake_clock_set_random(uint32_t number);

/* Back to a sequence that follows from seed; tests start with seed 1. */
void fake_clock_seed_random(uint32_t seed);

#endif
