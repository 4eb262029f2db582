/*
 * Running a scenario of torture_world.h with something going wrong at one place.
 *
 *   torture_restore_store(&torture);              the store as the run finds it
 *   torture_set_world(&torture, day, now_s);      what AWS says at that moment
 *   torture_run(&torture, &(struct trouble){.what = FAIL_CALL, .n = 3});
 */
#ifndef TESTS_SENSOR_TORTURE_RUN_H
#define TESTS_SENSOR_TORTURE_RUN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "tests/lib/temp_store.h"
#include "tests/sensor/cycle_fixture.h"
#include "tests/sensor/torture_world.h"

enum { TORTURE_PLACES = 18, TORTURE_WRITE_ERRORS = 3 };

enum what { NOTHING, FAIL_CALL, FAIL_CALLS, FAIL_WRITE, FAIL_WRITES, FAIL_READ, CANCEL };
extern const char *const torture_what_name[];
extern const enum err_kind torture_write_errors[TORTURE_WRITE_ERRORS];

struct trouble {
	enum what what;
	size_t n;    /* from 1: of the call, the write, the turn */
	size_t kind; /* index of fake_call_errors or torture_write_errors */
};

struct torture {
	struct fixture *fixture;
	const struct scenario *scenario;
	bool is_large;
	struct torture_world world;
	char *before; /* owned: a folder with the store as the run finds it */
	int64_t run_s;
	uint64_t last_event;
	/* Of the undisturbed run: */
	size_t calls, writes, turns;
	char *place_before[TORTURE_PLACES], *place_after[TORTURE_PLACES]; /* owned */
	char *truth, *comings;			     /* owned; after the next day's cycle */
	unsigned char walk_digest[STORE_DIGEST_LEN]; /* before: all that a walk may not touch */
	unsigned char pem_digest[STORE_DIGEST_LEN];  /* after the next day's cycle */
	size_t runs;
};

/* What AWS says from now on; forgets the calls so far. */
void torture_set_world(struct torture *torture, enum world_day day, int64_t now_s);
/* The scenario's own trouble. */
void torture_add_trouble(struct torture *torture);
/* The store as the run finds it: made once, restored before each run. */
void torture_save_store(struct torture *torture);
void torture_restore_store(struct torture *torture);

/* The scope that a connector keeps from its last cycle. Owned: scope_clear. */
void torture_walk(struct torture *torture, struct scope *ret_scope);

bool torture_is_about_calls(enum what what);
bool torture_is_about_writes(enum what what);
/* Calls and writes from now on. */
void torture_plan_failure(const struct trouble *trouble);

/* To the end, or to where the trouble cancels it; checks that it ends once and leaves nothing
 * behind. Returns the turns. */
size_t torture_run(struct torture *torture, const struct trouble *trouble);

#endif
