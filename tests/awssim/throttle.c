/* The buckets of throttle.h, in an open hash table that only grows. */
#include "tests/awssim/throttle.h"

#include <stdlib.h>

#include "tests/awssim/util.h"

enum { FIRST_SLOTS = 4096 };

struct bucket {
	uint64_t key; /* 0: free */
	double tokens, filled_s;
};

struct throttle {
	double scale;
	struct bucket *slot; /* owned */
	size_t slots, count;
};

struct throttle *throttle_new(double rate_scale)
{
	struct throttle *throttle = mem_alloc(sizeof(*throttle));
	throttle->scale = rate_scale;
	throttle->slots = FIRST_SLOTS;
	throttle->slot = mem_alloc(throttle->slots * sizeof(*throttle->slot));
	return throttle;
}

void throttle_free(struct throttle *throttle)
{
	if (throttle == NULL)
		return;
	free(throttle->slot);
	free(throttle);
}

void throttle_set_scale(struct throttle *throttle, double rate_scale)
{
	throttle->scale = rate_scale;
}

double throttle_scale(const struct throttle *throttle)
{
	return throttle->scale;
}

static struct bucket *place_of(const struct throttle *throttle, uint64_t key)
{
	size_t at = key & (throttle->slots - 1);
	while (throttle->slot[at].key != 0 && throttle->slot[at].key != key)
		at = (at + 1) & (throttle->slots - 1);
	return &throttle->slot[at];
}

static void grow(struct throttle *throttle)
{
	struct bucket *old = throttle->slot;
	size_t old_slots = throttle->slots;
	throttle->slots *= 2;
	throttle->slot = mem_alloc(throttle->slots * sizeof(*throttle->slot));
	for (size_t i = 0; i < old_slots; i++)
		if (old[i].key != 0)
			*place_of(throttle, old[i].key) = old[i];
	free(old);
}

bool throttle_take(
	struct throttle *throttle, uint64_t key, double rate, double burst, double mono_s)
{
	if (throttle->scale <= 0)
		return true;
	if (throttle->count * 2 >= throttle->slots)
		grow(throttle);
	rate *= throttle->scale;
	burst *= throttle->scale;
	if (burst < 1)
		burst = 1;
	struct bucket *bucket = place_of(throttle, key | 1);
	if (bucket->key == 0) {
		*bucket = (struct bucket){key | 1, burst, mono_s};
		throttle->count++;
	}
	bucket->tokens += (mono_s - bucket->filled_s) * rate;
	bucket->filled_s = mono_s;
	if (bucket->tokens > burst)
		bucket->tokens = burst;
	if (bucket->tokens < 1)
		return false;
	bucket->tokens -= 1;
	return true;
}
