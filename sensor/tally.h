/*
 * Counting the coverage table, in slices: a hundred thousand account-regions must not stall the
 * loop. Resumable; each slice has a read transaction of its own, so the sum is of one moment only
 * when nothing is written meanwhile.
 */
#ifndef SENSOR_TALLY_H
#define SENSOR_TALLY_H

#include <stdbool.h>
#include <stdint.h>

#include "store/coverage.h"

enum { TALLY_SLICE_US = 3000 };

struct tally {
	int64_t state[COVERAGE_STATES];
	int64_t pairs, problems;
	int64_t certificates; /* at the last success of each */
	int64_t first_try_s;  /* the soonest next try of a problem; 0: none */
	int64_t later_try_s;  /* the soonest that is not due yet; 0: none */
	int64_t now_s;	      /* when the counting began */
	char position[COVERAGE_POSITION_MAX];
	char connector[40]; /* "": all */
};

/* connector: copied; NULL: all. */
void tally_init(struct tally *tally, const char *connector);
/* Goes on for at most TALLY_SLICE_US. Returns whether it is complete (also when txn failed). */
bool tally_slice(struct tally *tally, struct store_txn *txn);

#endif
