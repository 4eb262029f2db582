/*
 * What is due and when. Pure: no clock, no I/O.
 *
 * Times are wall-clock seconds, because they survive restarts; a clock that jumps forward makes
 * things due early, and one that jumps back is noticed (a time further away than can be) and never
 * stops the work.
 */
#ifndef SENSOR_SCHEDULE_H
#define SENSOR_SCHEDULE_H

#include <stdbool.h>
#include <stdint.h>

struct coverage_record;
struct cycle_record;

enum {
	SCHEDULE_SETTLE_S = 10,	      /* from a change by us until ACM lists it, mostly */
	SCHEDULE_PAUSE_S = 60,	      /* between the end of a cycle and the next one's start */
	SCHEDULE_FAILURE_MIN_S = 300, /* after a cycle that failed as a whole; doubles */
	SCHEDULE_LOOK_MAX_MS = 30000, /* the wall clock is looked at again: it may have jumped */
	SCHEDULE_RANDOM = 1000,	      /* jitter is drawn from [0, SCHEDULE_RANDOM] */
};

/* Of one connector. */
struct schedule {
	int64_t interval_s;
	int64_t next_s;	      /* when the next cycle is due; 0: at once */
	int64_t catch_up_s;   /* when the first account-region is tried again; 0: none is waiting */
	int64_t not_before_s; /* nothing starts before; 0: no pause */
};

enum schedule_what { SCHEDULE_NOTHING, SCHEDULE_CYCLE, SCHEDULE_CATCH_UP };

/* Brings times back into range after the wall clock was set back. Returns whether it had to. */
bool schedule_mend(struct schedule *schedule, int64_t now_s);
enum schedule_what schedule_decide(const struct schedule *schedule, int64_t now_s);
/* How long to wait before looking again; at most SCHEDULE_LOOK_MAX_MS. */
int64_t schedule_wait_ms(const struct schedule *schedule, int64_t now_s);

/* Start of the cycle after one that began at started_s: the interval, plus or minus 10 %. */
int64_t schedule_next_s(int64_t started_s, int64_t interval_s, uint32_t random);
/* The next attempt after failures_in_row (at least 1) cycles that failed as a whole. */
int64_t schedule_failure_s(int64_t now_s, int64_t interval_s, uint32_t failures_in_row);

/* Whether a cycle found in the store was interrupted and is young enough to be continued. */
bool schedule_continues(const struct cycle_record *cycle, int64_t now_s, int64_t interval_s);

enum schedule_rule {
	SCHEDULE_BY_HAND,     /* everything */
	SCHEDULE_OF_CYCLE,    /* everything but what policy denies and whose next try is not due */
	SCHEDULE_OF_CATCH_UP, /* what failed and whose next try is due, and what we have changed */
};

/*
 * Whether an account-region is to be tried now.
 *
 * record       NULL: new. A last attempt in the future (the clock was set back) counts as none
 * continued_s  start of the interrupted cycle that goes on: what it had tried is done; 0: fresh
 */
bool schedule_is_due(enum schedule_rule rule, const struct coverage_record *record,
	int64_t continued_s, int64_t now_s);

#endif
