/*
 * A bucket holds tokens that arrive at full_rate * factor a second, up to its burst. Its
 * tokens below zero are reservations: whoever took them waits until they have arrived. Throttling
 * halves the factor; from a second after the last one it grows again in a straight line.
 */
#include "base/rate.h"

#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

enum {
	SLOTS_FIRST = 256, /* a power of two */
	QUIET_MS = 1000, /* without a throttle: then the rate grows again, or may be halved again */
};
static const double factor_min = 1.0 / 16;
static const double recovery_per_second = 0.1;
static const double rounding = 1e-9; /* of a token: what adding fractions of seconds may lose */

struct bucket {
	struct bucket *next; /* owned; in the same slot */
	double tokens;
	struct rate full; /* while nothing throttles */
	double factor;	  /* factor_min to 1 */
	int64_t refilled_mono_ms;
	int64_t asked_mono_ms;	/* last rate_take */
	int64_t slowed_mono_ms; /* last time that the factor was halved */
	int64_t grows_mono_ms;	/* from then on the factor grows; behind us while never throttled */
	bool was_slowed;
	char key[];
};

struct rate_table {
	struct bucket **slot; /* owned, as are the buckets */
	size_t slot_count;    /* a power of two */
	size_t count;
};

/* FNV-1a, 64 bits. Keys are our own, so nobody chooses them to collide. */
static size_t slot_of(const struct rate_table *table, const char *key)
{
	uint64_t hash = UINT64_C(14695981039346656037);
	for (const char *at = key; *at != '\0'; at++)
		hash = (hash ^ (unsigned char)*at) * UINT64_C(1099511628211);
	return (size_t)(hash ^ (hash >> 32)) & (table->slot_count - 1);
}

static struct bucket *find(const struct rate_table *table, const char *key)
{
	struct bucket *bucket = table->slot[slot_of(table, key)];
	while (bucket != NULL && strcmp(bucket->key, key) != 0)
		bucket = bucket->next;
	return bucket;
}

static double burst(const struct bucket *bucket)
{
	double whole = bucket->full.burst > 0 ? bucket->full.burst : bucket->full.per_second;
	double worth = whole * bucket->factor;
	return worth > 1 ? worth : 1;
}

/* Lets time pass: tokens are the area below the factor, which stays, then grows, then is 1. */
static void refill(struct bucket *bucket, int64_t now_mono_ms)
{
	int64_t from_ms = bucket->refilled_mono_ms;
	if (now_mono_ms <= from_ms)
		return;
	int64_t grows_ms = bucket->grows_mono_ms;
	if (grows_ms < from_ms)
		grows_ms = from_ms;
	if (grows_ms > now_mono_ms)
		grows_ms = now_mono_ms;
	double before = (double)(grows_ms - from_ms) / 1000;
	double after = (double)(now_mono_ms - grows_ms) / 1000;
	double growing = (1 - bucket->factor) / recovery_per_second;
	if (growing > after)
		growing = after;
	double area = bucket->factor * (before + growing);
	area += recovery_per_second * growing * growing / 2 + (after - growing);
	bucket->factor += recovery_per_second * growing;
	if (bucket->factor > 1 - rounding)
		bucket->factor = 1;
	bucket->tokens += area * bucket->full.per_second;
	if (bucket->tokens > burst(bucket))
		bucket->tokens = burst(bucket);
	bucket->refilled_mono_ms = now_mono_ms;
}

static bool is_full(struct bucket *bucket, int64_t now_mono_ms)
{
	refill(bucket, now_mono_ms);
	return bucket->factor == 1 && bucket->tokens >= burst(bucket) - rounding;
}

static void drop(struct rate_table *table, struct bucket **link)
{
	struct bucket *bucket = *link;
	assert(bucket != NULL);
	*link = bucket->next;
	free(bucket);
	table->count--;
}

/* The one that was not asked for longest; NULL: there is none at all. */
static struct bucket *find_oldest(const struct rate_table *table)
{
	struct bucket *oldest = NULL;
	for (size_t i = 0; i < table->slot_count; i++)
		for (struct bucket *at = table->slot[i]; at != NULL; at = at->next)
			if (oldest == NULL || at->asked_mono_ms < oldest->asked_mono_ms)
				oldest = at;
	return oldest;
}

/* A full bucket that comes back is made full, so nothing is lost. */
void rate_forget_full(struct rate_table *table, int64_t now_mono_ms)
{
	for (size_t i = 0; i < table->slot_count; i++) {
		struct bucket **link = &table->slot[i];
		while (*link != NULL) {
			if (is_full(*link, now_mono_ms))
				drop(table, link);
			else
				link = &(*link)->next;
		}
	}
}

/* Makes room. Where no bucket is full (65,536 keys used within seconds), the one that was not asked
 * for longest goes. */
static void drop_some(struct rate_table *table, int64_t now_mono_ms)
{
	size_t before = table->count;
	rate_forget_full(table, now_mono_ms);
	if (table->count < before)
		return;
	struct bucket *oldest = find_oldest(table);
	assert(oldest != NULL); /* the table is full of buckets that are not */
	struct bucket **link = &table->slot[slot_of(table, oldest->key)];
	while (*link != oldest)
		link = &(*link)->next;
	drop(table, link);
}

static void double_slots(struct rate_table *table)
{
	struct bucket **old = table->slot;
	size_t old_count = table->slot_count;
	table->slot_count = old_count * 2;
	table->slot = xcalloc(table->slot_count, sizeof(*table->slot));
	for (size_t i = 0; i < old_count; i++) {
		while (old[i] != NULL) {
			struct bucket *bucket = old[i];
			old[i] = bucket->next;
			size_t to = slot_of(table, bucket->key);
			bucket->next = table->slot[to];
			table->slot[to] = bucket;
		}
	}
	free(old);
}

static struct bucket *add(
	struct rate_table *table, const char *key, struct rate rate, int64_t now_mono_ms)
{
	size_t len = strlen(key);
	assert(len < RATE_KEY_MAX);
	if (table->count == RATE_BUCKETS_MAX)
		drop_some(table, now_mono_ms);
	if (table->count >= table->slot_count)
		double_slots(table);
	struct bucket *bucket = xcalloc(1, sizeof(*bucket) + len + 1);
	memcpy(bucket->key, key, len);
	bucket->full = rate;
	bucket->factor = 1;
	bucket->tokens = burst(bucket);
	bucket->refilled_mono_ms = now_mono_ms;
	bucket->grows_mono_ms = now_mono_ms;
	size_t slot = slot_of(table, key);
	bucket->next = table->slot[slot];
	table->slot[slot] = bucket;
	table->count++;
	return bucket;
}

struct rate_table *rate_table_new(void)
{
	struct rate_table *table = xcalloc(1, sizeof(*table));
	table->slot_count = SLOTS_FIRST;
	table->slot = xcalloc(table->slot_count, sizeof(*table->slot));
	return table;
}

void rate_table_free(struct rate_table *table)
{
	if (table == NULL)
		return;
	for (size_t i = 0; i < table->slot_count; i++) {
		while (table->slot[i] != NULL)
			drop(table, &table->slot[i]);
	}
	free(table->slot);
	free(table);
}

int64_t rate_take(struct rate_table *table, const char *key, struct rate rate, int64_t now_mono_ms)
{
	assert(rate.per_second > 0);
	struct bucket *bucket = find(table, key);
	if (bucket == NULL)
		bucket = add(table, key, rate, now_mono_ms);
	refill(bucket, now_mono_ms);
	bucket->full = rate;
	bucket->asked_mono_ms = now_mono_ms;
	bucket->tokens -= 1;
	if (bucket->tokens >= -rounding)
		return 0;
	double wait_ms = -bucket->tokens / (rate.per_second * bucket->factor) * 1000;
	int64_t whole_ms = (int64_t)wait_ms;
	return whole_ms + (wait_ms - (double)whole_ms > rounding ? 1 : 0);
}

void rate_untake(struct rate_table *table, const char *key)
{
	struct bucket *bucket = find(table, key);
	if (bucket == NULL)
		return; /* it was full, and went */
	bucket->tokens += 1;
	if (bucket->tokens > burst(bucket))
		bucket->tokens = burst(bucket);
}

void rate_throttled(struct rate_table *table, const char *key, int64_t now_mono_ms)
{
	struct bucket *bucket = find(table, key);
	if (bucket == NULL)
		return; /* it was full, and went */
	refill(bucket, now_mono_ms);
	if (bucket->tokens > 0)
		bucket->tokens = 0;
	bucket->grows_mono_ms = now_mono_ms + QUIET_MS;
	if (bucket->was_slowed && now_mono_ms - bucket->slowed_mono_ms < QUIET_MS)
		return;
	bucket->factor = bucket->factor / 2 > factor_min ? bucket->factor / 2 : factor_min;
	bucket->slowed_mono_ms = now_mono_ms;
	bucket->was_slowed = true;
}

size_t rate_table_count(const struct rate_table *table)
{
	return table->count;
}
