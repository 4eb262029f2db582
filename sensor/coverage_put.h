/*
 * Writing one coverage record with its event, inside a store write (so it may be rolled back and
 * run again: it changes nothing but txn).
 */
#ifndef SENSOR_COVERAGE_PUT_H
#define SENSOR_COVERAGE_PUT_H

#include <stdbool.h>
#include <stdint.h>

#include "store/coverage.h"

struct err;

/* All texts are borrowed for the call. */
struct coverage_place {
	const char *connector, *account_id, *account_name, *region;
};

struct coverage_attempt {
	const struct err *err;	 /* NULL: success, or the region is disabled */
	bool is_region_disabled; /* ListRegions said so, or a probe proved it (then err is set) */
	int64_t certificate_count;
	int64_t interval_s;
	int64_t now_s;
	int64_t began_s; /* a change noted since stays so: the attempt may not have seen it */
};

/* The outcome of an attempt. Returns the state that was written. */
enum coverage_state coverage_put_attempt(struct store_txn *txn, const struct coverage_place *place,
	const struct coverage_attempt *attempt);

/* A state that no attempt leads to: excluded, account_inactive, never_tried. Last success and
 * count stay as they were. */
void coverage_put_state(struct store_txn *txn, const struct coverage_place *place,
	enum coverage_state state, const char *reason, int64_t now_s);

#endif
