#include "tests/sensor/cycle_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "tests/lib/fake_clock.h"
#include "tests/lib/fake_loop.h"

static void on_tree(void *arg)
{
	struct cycle_run *run = arg;
	run->trees++;
}

static void on_done(void *arg, const struct cycle_result *result)
{
	struct cycle_run *run = arg;
	run->cycle = NULL;
	run->ends++;
	run->progress = *result->progress;
	run->is_tallied = result->tally != NULL;
	if (run->is_tallied)
		run->tally = *result->tally;
	run->next_s = result->next_s;
	scope_clear(&run->scope);
	run->scope = *result->scope;
	*result->scope = (struct scope){.unit = NULL};
}

struct cycle_options cycle_options_of(struct cycle_run *run)
{
	struct fixture *fixture = run->fixture;
	return (struct cycle_options){.loop = fixture->loop,
		.store = fixture->store,
		.aws = fixture->aws,
		.hub = fixture->hub,
		.config = fixture->connector,
		.overlap = &fixture->overlap,
		.session_name = "acmsensor-test",
		.cycle_id = "prod-1",
		.kind = PROGRESS_CYCLE,
		.account_id = "",
		.region = "",
		.next_s = clock_now_s() + DAY_S,
		.pairs_max = 8};
}

void cycle_begin(struct cycle_run *run, const struct cycle_options *options)
{
	run->ends = run->trees = 0;
	run->cycle = cycle_start(options, on_tree, on_done, run);
	assert_int_equal(run->ends, 0); /* never from start */
}

void cycle_run(struct cycle_run *run, const struct cycle_options *options)
{
	cycle_begin(run, options);
	fake_loop_run_ready();
	assert_int_equal(run->ends, 1);
	assert_int_equal(run->progress.phase, PROGRESS_DONE);
	assert_int_equal(run->progress.pairs_running, 0);
}

void cycle_run_all(struct fixture *fixture, enum progress_result result)
{
	struct cycle_run run = {.fixture = fixture};
	struct cycle_options options = cycle_options_of(&run);
	cycle_run(&run, &options);
	if (run.progress.result != result)
		fail_msg(
			"%s: %s", progress_result_name(run.progress.result), run.progress.err.text);
	cycle_run_clear(&run);
}

void pass_days(struct fixture *fixture, int days)
{
	(void)fixture;
	fake_loop_advance_ms((int64_t)days * DAY_S * 1000);
}

void cycle_run_clear(struct cycle_run *run)
{
	cycle_cancel(run->cycle);
	run->cycle = NULL;
	scope_clear(&run->scope);
}
