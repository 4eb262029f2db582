/* The queue of writes on the fake loop: when groups form, what each done hears, cancelling. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/loop.h"
#include "store/certs.h"
#include "store/store.h"
#include "tests/lib/fake_clock.h"
#include "tests/lib/fake_loop.h"
#include "tests/lib/store_fixture.h"
#include "tests/lib/temp_store.h"

enum { MANY = 600 };

static struct loop *loop;

struct job {
	uint32_t number;
	bool is_failing;
	int64_t takes_ms;
	struct store_write *write;
	int ends; /* how often done was called */
	int order;
	enum err_kind kind;
	struct job *cancels, *starts; /* in done */
};

static int next_order;
static struct job jobs[MANY];

static int setup(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	loop = loop_new(&err);
	store_fixture_open_with(loop);
	memset(jobs, 0, sizeof(jobs));
	for (uint32_t i = 0; i < MANY; i++)
		jobs[i].number = i;
	next_order = 1;
	return 0;
}

static int teardown(void **state)
{
	int rc = store_fixture_close(state);
	assert_int_equal(fake_loop_timer_count(), 0);
	loop_free(loop);
	return rc;
}

static void write_job(struct store_txn *txn, void *arg)
{
	struct job *job = arg;
	sample_cert_put(txn, job->number);
	if (job->takes_ms > 0)
		fake_clock_advance_ms(job->takes_ms);
	if (job->is_failing) {
		struct err err = ERR_INIT;
		err_set(&err, ERR_LIMIT, "no");
		store_txn_fail(txn, &err);
	}
}

static void start(struct job *job);

static void job_done(void *arg, const struct err *err)
{
	struct job *job = arg;
	job->write = NULL;
	job->ends++;
	job->order = next_order++;
	job->kind = err != NULL ? err->kind : ERR_NONE;
	if (job->cancels != NULL) {
		store_write_cancel(job->cancels->write);
		job->cancels->write = NULL;
	}
	if (job->starts != NULL)
		start(job->starts);
}

static void start(struct job *job)
{
	job->write = store_write_start(store, write_job, job, job_done, job);
}

static int64_t commits(void)
{
	struct err err = ERR_INIT;
	struct store_stats stats;
	assert_int_equal(store_get_stats(store, &stats, &err), 0);
	return stats.commits;
}

/* Then groups form. */
static void use_up_early_groups(void)
{
	for (int i = 0; i < STORE_EARLY_GROUPS; i++) {
		struct job *job = &jobs[MANY - 1 - i];
		job->ends = 0;
		start(job);
		fake_loop_run_ready(); /* no time passes */
		assert_int_equal(job->ends, 1);
	}
	next_order = 1;
}

static void after_a_quiet_time_a_few_groups_wait_for_nobody(void **state)
{
	(void)state;
	use_up_early_groups();
	start(&jobs[0]);
	fake_loop_advance_ms(STORE_GROUP_MS - 1);
	assert_int_equal(jobs[0].ends, 0);
	fake_loop_advance_ms(1);
	assert_int_equal(jobs[0].ends, 1);
	start(&jobs[1]); /* one came back meanwhile */
	start(&jobs[2]);
	fake_loop_run_ready();
	assert_int_equal(jobs[1].ends + jobs[2].ends, 2);
	start(&jobs[3]);
	fake_loop_run_ready();
	assert_int_equal(jobs[3].ends, 0);
	fake_loop_advance_ms(3600000); /* and not more than all of them */
	use_up_early_groups();
	start(&jobs[4]);
	fake_loop_run_ready();
	assert_int_equal(jobs[4].ends, 0);
}

static void what_comes_while_a_group_runs_forms_the_next(void **state)
{
	(void)state;
	use_up_early_groups();
	jobs[0].starts = &jobs[1];
	start(&jobs[0]);
	fake_loop_advance_ms(STORE_GROUP_MS);
	assert_int_equal(jobs[0].ends, 1);
	fake_loop_run_ready();
	assert_int_equal(jobs[1].ends, 1); /* with the group that came back */
}

static void writes_of_50_ms_are_committed_together(void **state)
{
	(void)state;
	use_up_early_groups();
	int64_t before = commits();
	start(&jobs[0]);
	fake_loop_advance_ms(30);
	start(&jobs[1]);
	start(&jobs[2]);
	fake_loop_advance_ms(19);
	assert_int_equal(jobs[0].ends, 0);
	assert_false(store_fixture_has(0));
	fake_loop_advance_ms(1);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(jobs[i].ends, 1);
		assert_int_equal(jobs[i].order, i + 1);
		assert_int_equal(jobs[i].kind, ERR_NONE);
		assert_true(store_fixture_has((uint32_t)i));
	}
	assert_int_equal(commits(), before + 1);
	start(&jobs[3]);
	fake_loop_advance_ms(STORE_GROUP_MS);
	assert_int_equal(jobs[3].ends, 1);
	assert_int_equal(commits(), before + 2);
}

static void a_full_group_does_not_wait_and_neither_does_its_rest(void **state)
{
	(void)state;
	int64_t before = commits();
	for (int i = 0; i < MANY; i++)
		start(&jobs[i]);
	fake_loop_run_ready(); /* no time passes */
	for (int i = 0; i < MANY; i++)
		assert_int_equal(jobs[i].order, i + 1);
	assert_int_equal(commits(), before + 3);
}

static void a_group_that_takes_long_is_committed_before_the_rest(void **state)
{
	(void)state;
	int64_t before = commits();
	for (int i = 0; i < 4; i++) {
		jobs[i].takes_ms = 30;
		start(&jobs[i]);
	}
	fake_loop_advance_ms(200);
	for (int i = 0; i < 4; i++)
		assert_int_equal(jobs[i].order, i + 1);
	assert_int_equal(commits(), before + 2);
}

static void a_failing_write_hears_why_and_the_others_do_not(void **state)
{
	(void)state;
	jobs[1].is_failing = true;
	for (int i = 0; i < 3; i++)
		start(&jobs[i]);
	fake_loop_advance_ms(STORE_GROUP_MS);
	assert_int_equal(jobs[0].kind, ERR_NONE);
	assert_int_equal(jobs[1].kind, ERR_LIMIT);
	assert_int_equal(jobs[2].kind, ERR_NONE);
	assert_int_equal(jobs[1].order, 2);
	assert_true(store_fixture_has(0) && !store_fixture_has(1) && store_fixture_has(2));
}

static void a_cancelled_write_is_not_run_and_hears_nothing(void **state)
{
	(void)state;
	start(&jobs[0]);
	start(&jobs[1]);
	store_write_cancel(jobs[0].write);
	fake_loop_advance_ms(STORE_GROUP_MS);
	assert_int_equal(jobs[0].ends, 0);
	assert_int_equal(jobs[1].ends, 1);
	assert_true(!store_fixture_has(0) && store_fixture_has(1));
}

static void cancelling_all_that_wait_leaves_no_timer(void **state)
{
	(void)state;
	start(&jobs[0]);
	start(&jobs[1]);
	store_write_cancel(jobs[1].write);
	store_write_cancel(jobs[0].write);
	assert_int_equal(fake_loop_timer_count(), 0);
	start(&jobs[2]);
	fake_loop_advance_ms(STORE_GROUP_MS);
	assert_int_equal(jobs[2].ends, 1);
}

static void a_done_may_cancel_a_neighbour_of_its_group(void **state)
{
	(void)state;
	for (int i = 0; i < 3; i++)
		start(&jobs[i]);
	jobs[0].cancels = &jobs[1];
	fake_loop_advance_ms(STORE_GROUP_MS);
	assert_int_equal(jobs[0].ends, 1);
	assert_int_equal(jobs[1].ends, 0); /* it is stored, but nobody is told */
	assert_int_equal(jobs[2].ends, 1);
	assert_true(store_fixture_has(1));
}

static void a_done_may_start_writes_and_cancel_those_that_wait(void **state)
{
	(void)state;
	start(&jobs[0]);
	jobs[0].starts = &jobs[1];
	jobs[1].starts = &jobs[2];
	fake_loop_advance_ms(3 * STORE_GROUP_MS);
	assert_int_equal(jobs[1].ends, 1);
	assert_int_equal(jobs[2].ends, 1);
	for (int i = 10; i <= 10 + STORE_GROUP_MAX; i++)
		start(&jobs[i]);
	jobs[10].cancels = &jobs[10 + STORE_GROUP_MAX]; /* which waits for the next group */
	fake_loop_run_ready();
	assert_int_equal(jobs[10].ends, 1);
	assert_int_equal(jobs[10 + STORE_GROUP_MAX].ends, 0);
}

static void closing_commits_what_waits_and_tells_nobody(void **state)
{
	(void)state;
	for (int i = 0; i < 300; i++)
		start(&jobs[i]);
	store_close(store);
	for (int i = 0; i < 300; i++)
		assert_int_equal(jobs[i].ends, 0);
	store = temp_store_open(loop, folder);
	assert_true(store_fixture_has(0) && store_fixture_has(299));
}

static void what_waits_is_told_with_the_time_of_the_oldest(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	struct store_stats stats;
	use_up_early_groups();
	assert_int_equal(store_get_stats(store, &stats, &err), 0);
	assert_int_equal(stats.waiting_writes, 0);
	assert_int_equal(stats.oldest_write_ms, 0);
	start(&jobs[0]);
	fake_clock_advance_ms(20);
	start(&jobs[1]);
	fake_clock_advance_ms(3);
	assert_int_equal(store_get_stats(store, &stats, &err), 0);
	assert_int_equal(stats.waiting_writes, 2);
	assert_int_equal(stats.oldest_write_ms, 23);
	fake_loop_advance_ms(STORE_GROUP_MS);
	assert_int_equal(store_get_stats(store, &stats, &err), 0);
	assert_int_equal(stats.waiting_writes, 0);
}

#define WITH_STORE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_STORE(after_a_quiet_time_a_few_groups_wait_for_nobody),
		WITH_STORE(what_waits_is_told_with_the_time_of_the_oldest),
		WITH_STORE(what_comes_while_a_group_runs_forms_the_next),
		WITH_STORE(writes_of_50_ms_are_committed_together),
		WITH_STORE(a_full_group_does_not_wait_and_neither_does_its_rest),
		WITH_STORE(a_group_that_takes_long_is_committed_before_the_rest),
		WITH_STORE(a_failing_write_hears_why_and_the_others_do_not),
		WITH_STORE(a_cancelled_write_is_not_run_and_hears_nothing),
		WITH_STORE(cancelling_all_that_wait_leaves_no_timer),
		WITH_STORE(a_done_may_cancel_a_neighbour_of_its_group),
		WITH_STORE(a_done_may_start_writes_and_cancel_those_that_wait),
		WITH_STORE(closing_commits_what_waits_and_tells_nobody),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
