/*
 * Counts of coverage and certificates for status and the metrics: what takes a walk through the
 * store. Made in slices, when somebody asks, and kept: for a short time in any case, so that many
 * who ask cost no more than one; for long while nothing was stored, so that an idle daemon stays
 * idle.
 */
#ifndef SENSOR_CENSUS_H
#define SENSOR_CENSUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sensor/config.h"
#include "sensor/tally.h"
#include "store/cert_query.h"

struct store_txn;

enum {
	CENSUS_SLICE_US = 3000,
	CENSUS_KEPT_MS = 5000,	      /* whatever happens meanwhile */
	CENSUS_UNCHANGED_MS = 600000, /* only time passes, and certificates end */
};

/* Zeroed to begin; holds nothing. */
struct census {
	struct {
		char connector[CONFIG_NAME_MAX + 1];
		int64_t state[COVERAGE_STATES];
	} coverage[CONFIG_CONNECTORS_MAX];
	size_t coverage_count;
	struct cert_counts certificates;
	bool is_there;	  /* the above was counted */
	bool is_outdated; /* since the counting began */
	int64_t counted_mono_ms, commits;

	/* The one that goes on. */
	bool is_counting;
	int64_t commits_then, last_turn_us;
	size_t next; /* of the connectors; all: the certificates */
	struct tally tally[CONFIG_CONNECTORS_MAX];
	size_t tally_count;
	struct cert_count count;
};

/*
 * Counts on for a slice, if need be; once in a turn of the loop, whoever asks.
 *
 * connector  names, borrowed for the call; those of the first slice are counted
 * commits    of the store so far (struct store_stats)
 * turn_us    tells turns of the loop apart (loop_turn_began_us)
 * Returns whether the counts are up to date. A txn that fails ends the counting, with what there
 * was before.
 */
bool census_go_on(struct census *census, struct store_txn *txn, const char *const *connector,
	size_t count, int64_t commits, int64_t turn_us);
/* Who asks next wants new counts: a cycle has ended. */
void census_outdate(struct census *census);
/* The configuration is another one. */
void census_forget(struct census *census);
/* By state; NULL: that connector was not counted. */
const int64_t *census_coverage(const struct census *census, const char *connector);

#endif
