/*
 * The two clocks. Wall time (Unix seconds or milliseconds) is what people and AWS mean and may
 * jump; monotonic milliseconds are for waiting and never mixed with it. Tests link
 * tests/lib/fake_clock.c in place of clock.c.
 */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>

int64_t clock_now_s(void);
int64_t clock_now_ms(void);
int64_t clock_mono_ms(void);
int64_t clock_mono_us(void);

/* A uniformly distributed number in [0, bound), from the system's random source; bound >= 1. */
uint32_t clock_random(uint32_t bound);

#endif
