/* Token buckets, one for each account, region and operation, as AWS limits its APIs. */
#ifndef TESTS_AWSSIM_THROTTLE_H
#define TESTS_AWSSIM_THROTTLE_H

#include <stdbool.h>
#include <stdint.h>

struct throttle;

struct throttle *throttle_new(double rate_scale);
void throttle_free(struct throttle *throttle);
void throttle_set_scale(struct throttle *throttle, double rate_scale); /* 0: no limit */
double throttle_scale(const struct throttle *throttle);

/*
 * Takes one token of the bucket named key (a hash; the caller makes it from what the limit is
 * counted by). False: none left. mono_s is monotonic seconds.
 */
bool throttle_take(
	struct throttle *throttle, uint64_t key, double rate, double burst, double mono_s);

#endif
