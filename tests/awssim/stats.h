/* Counters: by operation, by error code, and by operation, account and region. */
#ifndef TESTS_AWSSIM_STATS_H
#define TESTS_AWSSIM_STATS_H

#include "tests/awssim/util.h"

struct world;

enum stats_outcome { STATS_OK, STATS_ERROR, STATS_THROTTLED, STATS_FAULT };

struct stats;

struct stats *stats_new(void);
void stats_free(struct stats *stats);
void stats_reset(struct stats *stats);

/* operation: index into operations[] or -1; account and region -1 when not known. */
void stats_count(struct stats *stats, int operation, int account, int region,
	enum stats_outcome outcome, const char *error_code);
void stats_count_signature_failure(struct stats *stats);

/* Appends the members (no braces) of the statistics; with_pairs adds every account-region. */
void stats_write(
	const struct stats *stats, const struct world *world, bool with_pairs, struct out *out);

#endif
