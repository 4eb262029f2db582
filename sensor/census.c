#include "sensor/census.h"

#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/text.h"
#include "store/store.h"

static bool is_fresh(const struct census *census, int64_t commits)
{
	int64_t age_ms = clock_mono_ms() - census->counted_mono_ms;
	int64_t kept_ms = commits == census->commits ? CENSUS_UNCHANGED_MS : CENSUS_KEPT_MS;
	return census->is_there && !census->is_outdated && age_ms < kept_ms;
}

static void begin(
	struct census *census, const char *const *connector, size_t count, int64_t commits)
{
	census->is_counting = true;
	census->is_outdated = false;
	census->commits_then = commits;
	census->next = 0;
	census->tally_count = count;
	for (size_t i = 0; i < count; i++)
		tally_init(&census->tally[i], connector[i]);
	census->count = (struct cert_count){.now_s = clock_now_s()};
}

static void end(struct census *census)
{
	census->coverage_count = census->tally_count;
	for (size_t i = 0; i < census->tally_count; i++) {
		(void)text_copy(census->coverage[i].connector,
			sizeof(census->coverage[i].connector), census->tally[i].connector);
		memcpy(census->coverage[i].state, census->tally[i].state,
			sizeof(census->coverage[i].state));
	}
	census->certificates = census->count.counts;
	census->commits = census->commits_then;
	census->counted_mono_ms = clock_mono_ms();
	census->is_there = true;
}

/* Returns whether everything is counted. */
static bool slice(struct census *census, struct store_txn *txn)
{
	int64_t until_us = clock_mono_us() + CENSUS_SLICE_US;
	while (census->next < census->tally_count) {
		if (!tally_slice(&census->tally[census->next], txn))
			return false;
		census->next++;
		if (clock_mono_us() >= until_us)
			return false;
	}
	return store_cert_count_slice(txn, &census->count, until_us);
}

bool census_go_on(struct census *census, struct store_txn *txn, const char *const *connector,
	size_t count, int64_t commits, int64_t turn_us)
{
	if (is_fresh(census, commits))
		return true;
	if (census->last_turn_us == turn_us)
		return false;
	census->last_turn_us = turn_us;
	if (!census->is_counting)
		begin(census, connector, count, commits);
	if (!slice(census, txn))
		return false;
	census->is_counting = false;
	if (!store_txn_failed(txn))
		end(census);
	return true;
}

void census_outdate(struct census *census)
{
	census->is_outdated = true;
}

void census_forget(struct census *census)
{
	*census = (struct census){.is_there = false};
}

const int64_t *census_coverage(const struct census *census, const char *connector)
{
	for (size_t i = 0; i < census->coverage_count; i++)
		if (strcmp(census->coverage[i].connector, connector) == 0)
			return census->coverage[i].state;
	return NULL;
}
