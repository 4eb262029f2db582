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
/*
 * The time by which others judge what is valid. told_s: as they tell it, in whole seconds and late
 * by the way of their answer; 0: they have not. Where this host agrees within CLOCK_AGREE_S it
 * knows better.
 */
enum { CLOCK_AGREE_S = 30 };
static inline int64_t clock_agreed_s(int64_t told_s)
{
	int64_t now_s = clock_now_s(), apart_s = now_s > told_s ? now_s - told_s : told_s - now_s;
	return told_s == 0 || apart_s < CLOCK_AGREE_S ? now_s : told_s;
}
int64_t clock_mono_ms(void);
int64_t clock_mono_us(void);

/* A uniformly distributed number in [0, bound), from the system's random source; bound >= 1. */
uint32_t clock_random(uint32_t bound);

#endif
