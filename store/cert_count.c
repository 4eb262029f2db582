/* Counts for `status`, from the expiry index alone: its values tell what the counts need. */
#include <string.h>

#include "base/clock.h"
#include "store/cert_internal.h"
#include "store/cert_query.h"
#include "store/key_internal.h"

enum {
	DAY_S = 86400,
	ENTRIES_A_LOOK = 256, /* between two looks at the clock */
};
_Static_assert((int)CERT_COUNT_POSITION_MAX == (int)KEY_MAX, "a position is a key");

/* Today's 398 days at most and the 47 days of 2029 both have steps that tell something. */
const int cert_life_days[CERT_LIFE_BOUNDS] = {0, 1, 3, 7, 14, 30, 45, 90, 200};

static void count_ending(
	struct cert_counts *counts, unsigned char flags, int64_t not_after_s, int64_t now_s)
{
	static const int64_t within_days[] = {7, 14, 30, 45, 90};
	_Static_assert(sizeof(within_days) / sizeof(within_days[0]) ==
			       sizeof(counts->expires_in_days) / sizeof(counts->expires_in_days[0]),
		"one count for each");
	for (size_t i = 0; i < sizeof(within_days) / sizeof(within_days[0]); i++)
		if (not_after_s <= now_s + within_days[i] * DAY_S)
			counts->expires_in_days[i]++;
	if (not_after_s <= now_s + (int64_t)30 * DAY_S && (flags & CERT_FLAG_IN_USE) != 0 &&
		(flags & CERT_FLAG_RENEWING) == 0)
		counts->in_use_not_renewing_30++;
}

static void count_life(
	struct cert_counts *counts, unsigned char flags, int64_t not_after_s, int64_t now_s)
{
	struct cert_life *life =
		&counts->life[(flags & CERT_FLAG_IN_USE) != 0][(flags & CERT_FLAG_RENEWING) != 0];
	int64_t left_s = not_after_s > now_s ? not_after_s - now_s : 0;
	size_t i = 0;
	while (i < CERT_LIFE_BOUNDS && left_s > (int64_t)cert_life_days[i] * DAY_S)
		i++;
	life->bucket[i]++;
	life->sum_s += left_s;
}

static void count_one(
	struct cert_counts *counts, unsigned char flags, int64_t not_after_s, int64_t now_s)
{
	if ((flags & CERT_FLAG_GONE) != 0) {
		counts->gone++;
		return;
	}
	bool is_expired =
		(flags & CERT_FLAG_EXPIRED) != 0 || (not_after_s != 0 && not_after_s <= now_s);
	counts->total++;
	if (is_expired)
		counts->expired++;
	else if ((flags & CERT_FLAG_ISSUED) != 0)
		counts->issued++;
	else if ((flags & CERT_FLAG_PENDING) != 0)
		counts->pending++;
	else
		counts->other++;
	counts->in_use += (flags & CERT_FLAG_IN_USE) != 0;
	counts->imported += (flags & CERT_FLAG_IMPORTED) != 0;
	counts->detail_failed += (flags & CERT_FLAG_DETAIL_FAILED) != 0;
	if (not_after_s != 0)
		count_life(counts, flags, is_expired ? now_s : not_after_s, now_s);
	if (!is_expired && not_after_s != 0)
		count_ending(counts, flags, not_after_s, now_s);
}

/* False at the end, or when an entry is damaged. */
static bool count_next(
	struct store_txn *txn, struct cert_counts *counts, struct key *at, int64_t now_s)
{
	struct slice key, value;
	if (!txn_seek(txn, TABLE_CERT_EXPIRY, at, false, &key, &value))
		return false;
	if (key.len <= sizeof(uint64_t) || value.len != 1) {
		txn_fail_damaged(txn, TABLE_CERT_EXPIRY, key, "not an entry of this index");
		return false;
	}
	count_one(counts, value.bytes[0], key_expiry_read(key.bytes), now_s);
	*at = key_bytes(key.bytes, key.len);
	return true;
}

bool store_cert_count_slice(struct store_txn *txn, struct cert_count *count, int64_t until_us)
{
	struct key at = key_bytes(count->position, count->position_len);
	do {
		for (int i = 0; i < ENTRIES_A_LOOK; i++)
			if (!count_next(txn, &count->counts, &at, count->now_s))
				return true;
	} while (clock_mono_us() < until_us);
	memcpy(count->position, at.bytes, at.len);
	count->position_len = at.len;
	return false;
}

void store_cert_count(struct store_txn *txn, int64_t now_s, struct cert_counts *ret_counts)
{
	struct cert_count count = {.now_s = now_s};
	(void)store_cert_count_slice(txn, &count, INT64_MAX);
	*ret_counts = count.counts;
}
