/*
 * Token buckets, pure: no clock, no I/O. A table of buckets keyed by text (account, region and
 * operation), each with a rate and a burst, that slows down when the service
 * throttles and recovers while it does not. Callers ask when they may go and wait by themselves.
 */
#ifndef BASE_RATE_H
#define BASE_RATE_H

#include <stddef.h>
#include <stdint.h>

struct rate_table;

enum {
	RATE_KEY_MAX = 128,
	/* Full ones are dropped first when there are more: that loses nothing. */
	RATE_BUCKETS_MAX = 65536,
};

struct rate {
	double per_second; /* > 0 */
	double burst;	   /* what may go at once after a quiet time; 0: one second's worth */
};

struct rate_table *rate_table_new(void);
void rate_table_free(struct rate_table *table);

/*
 * Takes a token, reserved in order of asking: returns the milliseconds from now_mono_ms after which
 * the caller may send (0: at once). A burst is at least 1.
 */
int64_t rate_take(struct rate_table *table, const char *key, struct rate rate, int64_t now_mono_ms);

/* Gives back the last reservation of a caller that was cancelled while it waited. */
void rate_untake(struct rate_table *table, const char *key);

/* The service throttled: the rate is halved (at least 1/16 of the full one), at most once a second,
 * and the tokens are gone. It recovers by 10 % of the full rate each second, from one second after
 * the last throttle. */
void rate_throttled(struct rate_table *table, const char *key, int64_t now_mono_ms);

/* Drops the buckets that are full, which loses nothing but the memory that they take. */
void rate_forget_full(struct rate_table *table, int64_t now_mono_ms);

size_t rate_table_count(const struct rate_table *table);

#endif
