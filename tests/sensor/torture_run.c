#include "tests/sensor/torture_run.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "orgscope/org_walk.h"
#include "orgscope/scope.h"
#include "store/store.h"
#include "tests/lib/fake_call.h"
#include "tests/lib/fake_clock.h"
#include "tests/lib/fake_loop.h"
#include "tests/lib/fake_store_queue.h"

enum { READS_MAX = 1024 };

const enum err_kind torture_write_errors[TORTURE_WRITE_ERRORS] = {
	ERR_STORE_FULL, ERR_STORE, ERR_SYSTEM};
const char *const torture_what_name[] = {
	"nothing", "call", "calls from", "write", "writes from", "read", "cancel"};

/* --- the world and the store at a moment ------------------------------------------------------- */

void torture_set_world(struct torture *torture, enum world_day day, int64_t now_s)
{
	struct fixture *fixture = torture->fixture;
	fake_clock_set_now_s(now_s);
	torture_world_make(&torture->world, &fixture->org, day, torture->is_large);
	fake_call_reset();
	fake_org_install(&fixture->org);
}

void torture_add_trouble(struct torture *torture)
{
	const struct scenario *scenario = torture->scenario;
	struct fake_org *org = &torture->fixture->org;
	if (scenario->trouble_kind != ERR_NONE)
		fake_org_fail(org, scenario->trouble_account, scenario->trouble_region,
			scenario->trouble_kind, scenario->trouble_code);
	for (size_t i = 0; i < org->count; i++)
		if (scenario->role_lost_account != NULL &&
			strcmp(org->account[i].id, scenario->role_lost_account) == 0)
			org->account[i].role_err = fake_org_err(ERR_UNREACHABLE, "connect");
}

void torture_restore_store(struct torture *torture)
{
	struct fixture *fixture = torture->fixture;
	store_close(fixture->store);
	temp_folder_remove(fixture->folder);
	fixture->folder = temp_folder_new();
	temp_folder_copy(torture->before, fixture->folder);
	fixture->store = temp_store_open(fixture->loop, fixture->folder);
}

void torture_save_store(struct torture *torture)
{
	struct fixture *fixture = torture->fixture;
	torture->last_event = last_event(fixture);
	store_close(fixture->store);
	torture->before = temp_folder_new();
	temp_folder_copy(fixture->folder, torture->before);
	fixture->store = temp_store_open(fixture->loop, fixture->folder);
}

/* --- running ----------------------------------------------------------------------------------- */

static void on_walk(void *arg, struct scope *scope, const struct err *err)
{
	assert_null(err);
	*(struct scope *)arg = *scope;
	*scope = (struct scope){.unit = NULL};
}

/* The scope that a connector keeps from its last cycle. */
void torture_walk(struct torture *torture, struct scope *ret_scope)
{
	struct scope_filter everything = {.include_unit_count = 0};
	(void)org_walk_start(&(struct org_walk_options){.hub = torture->fixture->hub,
				     .region = "us-east-1",
				     .is_organization = true,
				     .session_name = "acmsensor-test"},
		on_walk, ret_scope);
	fake_loop_run_ready();
	scope_apply_filter(ret_scope, &everything);
}

static void begin(struct torture *torture, struct cycle_run *run, struct scope *scope)
{
	const struct scenario *scenario = torture->scenario;
	struct cycle_options options = cycle_options_of(run);
	options.kind = scenario->kind;
	options.is_by_hand = scenario->is_by_hand;
	options.account_id = scenario->account_id;
	options.region = scenario->region;
	options.pairs_max = scenario->pairs_max;
	if (scenario->is_continued)
		options.continued_s = torture->run_s;
	if (scenario->has_scope)
		options.scope = scope;
	cycle_begin(run, &options);
}

/* The next turn with no slot free for another reader of the store. */
static bool step_without_reads(struct torture *torture)
{
	static struct store_txn *txn[READS_MAX];
	struct err err = ERR_INIT;
	size_t count = 0;
	if (fake_store_waiting_count() > 0)
		return fake_loop_step(); /* it may be the write's turn: that is FAIL_WRITE */
	while (count < READS_MAX &&
		store_read_begin(torture->fixture->store, &txn[count], &err) == 0)
		count++;
	assert_in_range(count, 1, READS_MAX - 1);
	bool is_run = fake_loop_step();
	while (count > 0)
		store_read_end(txn[--count]);
	return is_run;
}

/* Runs to the end or to where the trouble cancels it; returns the turns. */
static size_t run_turns(
	struct torture *torture, struct cycle_run *run, const struct trouble *trouble)
{
	size_t turns = 0;
	while (run->cycle != NULL) {
		bool is_nth = ++turns == trouble->n;
		if (is_nth && trouble->what == CANCEL) {
			cycle_cancel(run->cycle);
			run->cycle = NULL;
			return turns;
		}
		bool is_read = is_nth && trouble->what == FAIL_READ;
		assert_true(is_read ? step_without_reads(torture) : fake_loop_step());
	}
	return turns;
}

static void expect_nothing_left(const struct cycle_run *run, bool is_cancelled)
{
	assert_int_equal(run->ends, is_cancelled ? 0 : 1);
	assert_int_equal(fake_loop_timer_count(), 0);
	assert_int_equal(fake_call_pending(), 0);
	assert_int_equal(fake_call_unexpected(), 0);
	assert_int_equal(fake_store_waiting_count(), 0);
	assert_int_equal(fake_clients_alive(), 1); /* the hub's */
	if (is_cancelled)
		return;
	assert_int_equal(run->progress.phase, PROGRESS_DONE);
	assert_int_not_equal(run->progress.result, PROGRESS_RUNNING);
	assert_int_equal(run->progress.pairs_running, 0);
}

bool torture_is_about_calls(enum what what)
{
	return what == FAIL_CALL || what == FAIL_CALLS;
}

bool torture_is_about_writes(enum what what)
{
	return what == FAIL_WRITE || what == FAIL_WRITES;
}

void torture_plan_failure(const struct trouble *trouble)
{
	const struct fake_call_error *error = &fake_call_errors[trouble->kind];
	if (trouble->what == FAIL_CALL)
		fake_call_fail_at(trouble->n, error->kind, error->code);
	else if (trouble->what == FAIL_CALLS)
		fake_call_fail_from(trouble->n, error->kind, error->code);
	else if (trouble->what == FAIL_WRITE)
		fake_store_fail_at(trouble->n, torture_write_errors[trouble->kind]);
	else if (trouble->what == FAIL_WRITES)
		fake_store_fail_from(trouble->n, torture_write_errors[trouble->kind]);
}

size_t torture_run(struct torture *torture, const struct trouble *trouble)
{
	struct cycle_run run = {.fixture = torture->fixture};
	struct scope scope = {.unit = NULL};
	if (torture->scenario->has_scope)
		torture_walk(torture, &scope);
	fake_store_reset();
	torture_plan_failure(trouble);
	begin(torture, &run, &scope);
	size_t turns = run_turns(torture, &run, trouble);
	fake_call_fail_at(0, ERR_NONE, NULL);
	fake_store_fail_at(0, ERR_NONE);
	expect_nothing_left(&run, trouble->what == CANCEL);
	cycle_run_clear(&run);
	scope_clear(&scope);
	return turns;
}
