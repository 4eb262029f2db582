/*
 * From how an attempt ended to a coverage state, and when to try again. Pure: no clock, no I/O.
 *
 * Denial learning: what policy denies is tried again rarely: after 1 interval, then 2, 4 ... up to
 * OUTCOME_DENIED_MAX_S, so that CloudTrail is not filled with denials; anybody may ask at once by
 * hand. Passing trouble (throttled, unreachable, failed) is tried again soon: OUTCOME_RETRY_MIN_S
 * doubling up to the interval. failures_in_row counts those of one of these two natures.
 */
#ifndef ORGSCOPE_OUTCOME_H
#define ORGSCOPE_OUTCOME_H

#include <stdbool.h>
#include <stdint.h>

#include "store/coverage.h"

struct err;

enum {
	OUTCOME_RETRY_MIN_S = 300,
	OUTCOME_DENIED_MAX_S = 7 * 86400,
	OUTCOME_REASON_MAX = 512,
};

struct outcome_input {
	const struct err *err;	 /* NULL: success */
	bool is_region_disabled; /* proved by a probe, or ListRegions said so */
	int64_t now_s;
	int64_t interval_s;			/* of the connector */
	const struct coverage_record *previous; /* NULL: never tried */
	int64_t certificate_count;		/* on success */
};

struct outcome {
	enum coverage_state state;
	char code[64];
	char reason[OUTCOME_REASON_MAX]; /* one sentence with what happens next left out */
	int64_t next_try_s;
	int64_t last_success_s, state_since_s, certificate_count;
	uint32_t failures_in_row;
	bool is_changed; /* state differs from previous (never_tried included) */
};

/* input->err is never ERR_STOPPED: what was given up is no attempt (it aborts). */
void outcome_decide(const struct outcome_input *input, struct outcome *ret_outcome);

/* As a record for the store; texts point into outcome and the arguments. */
void outcome_record(const struct outcome *outcome, const char *connector, const char *account_id,
	const char *region, int64_t now_s, struct coverage_record *ret_record);

#endif
