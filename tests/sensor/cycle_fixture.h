/* Running cycles in flow tests, on top of fixture.h. */
#ifndef TESTS_SENSOR_CYCLE_FIXTURE_H
#define TESTS_SENSOR_CYCLE_FIXTURE_H

#include "orgscope/scope.h"
#include "sensor/cycle.h"
#include "tests/sensor/fixture.h"

struct cycle_run {
	struct fixture *fixture; /* borrowed */
	struct cycle *cycle;	 /* owned; NULL: ended */
	int ends, trees;
	struct progress progress; /* of the one that ended */
	struct tally tally;
	bool is_tallied;
	int64_t next_s;
	struct scope scope; /* owned; of the one that ended */
};

/* Everything by schedule; change it before the start. */
struct cycle_options cycle_options_of(struct cycle_run *run);
void cycle_begin(struct cycle_run *run, const struct cycle_options *options);
/* Begins and runs to the end, which must come once. */
void cycle_run(struct cycle_run *run, const struct cycle_options *options);
/* A cycle over everything, by schedule, that must end with this result. */
void cycle_run_all(struct fixture *fixture, enum progress_result result);
/* A fresh moment: a day later. */
void pass_days(struct fixture *fixture, int days);
void cycle_run_clear(struct cycle_run *run);

#endif
