/* Deletes, and cancels of any job. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "tests/delivery/job_fixture.h"
#include "tests/lib/fake_call.h"
#include "tests/lib/fake_loop.h"

static void delete_refuses_drains_and_archives(void **state)
{
	(void)state;
	struct job_outcome outcome;
	struct err err = ERR_INIT;
	world.acm.cert[0].in_use_by = "arn:aws:elasticloadbalancing:lb";
	struct job_order order = {.kind = JOB_DELETE, .arn = world.arn};
	assert_int_equal(job_fixture_order(&world, &order, &err), 0);
	job_fixture_run(&world, &outcome);
	job_fixture_expect(
		&outcome, JOB_FAILED, "in use by arn:aws:elasticloadbalancing:lb: not deleted");
	world.acm.cert[0].more_users = 40;
	assert_int_equal(job_fixture_order(&world, &order, &err), 0);
	job_fixture_run(&world, &outcome);
	job_fixture_expect(&outcome, JOB_FAILED,
		"in use by arn:aws:elasticloadbalancing:lb, arn:other, arn:other");
	job_fixture_expect(&outcome, JOB_FAILED, " more: not deleted");
	world.acm.cert[0].uses_left = 5;
	struct job_order patient = {
		.kind = JOB_DELETE, .arn = world.arn, .wait_until_unused = true};
	assert_int_equal(job_fixture_order(&world, &patient, &err), 0);
	job_fixture_run(&world, &outcome);
	job_fixture_expect(&outcome, JOB_SUCCEEDED, "deleted");
	assert_int_equal(world.acm.deleted, 1);
}

/* Right after its import. */
static void a_delete_does_not_believe_the_first_look_that_shows_nothing(void **state)
{
	(void)state;
	struct job_outcome outcome;
	struct err err = ERR_INIT;
	struct job_order order = {.kind = JOB_DELETE, .arn = world.arn};
	assert_int_equal(job_fixture_order(&world, &order, &err), 0);
	fake_call_fail_at(1, ERR_NOT_FOUND, "ResourceNotFoundException");
	job_fixture_run(&world, &outcome);
	job_fixture_expect(&outcome, JOB_SUCCEEDED, "deleted");
	assert_int_equal(world.acm.deleted, 1);
}

static void a_draining_delete_can_be_cancelled(void **state)
{
	(void)state;
	struct job_outcome outcome;
	struct err err = ERR_INIT;
	world.acm.cert[0].in_use_by = "arn:aws:elasticloadbalancing:lb";
	struct job_order order = {.kind = JOB_DELETE, .arn = world.arn, .wait_until_unused = true};
	assert_int_equal(job_fixture_order(&world, &order, &err), 0);
	job_fixture_start(&world);
	fake_loop_advance_ms(100000);
	job_fixture_outcome(&world, world.job_id, &outcome);
	assert_int_equal(outcome.state, JOB_RUNNING);
	assert_true(outcome.next_attempt_s > clock_now_s());
	assert_true(outcome.attempts > 3);
	assert_int_equal(job_fixture_cancel_job(&world, &err), 0);
	job_fixture_restart(&world);
	fake_loop_run_ready();
	assert_null(world.run);
	job_fixture_outcome(&world, world.job_id, &outcome);
	job_fixture_expect(&outcome, JOB_CANCELLED, "nothing was changed in AWS");
}

/* However a cancel and the import meet: either nothing was sent, or the job goes on to its end. */
static void a_cancel_at_any_moment_is_heard_or_too_late(void **state)
{
	(void)state;
	size_t cancelled = 0, late = 0;
	bool is_over = false;
	for (int steps = 0; !is_over; steps++) {
		struct job_fixture fixture;
		struct job_outcome outcome;
		struct err err = ERR_INIT;
		job_fixture_open(&fixture, NULL);
		job_fixture_apply(&fixture);
		job_fixture_start(&fixture);
		for (int i = 0; i < steps && fixture.run != NULL; i++)
			(void)fake_loop_step();
		is_over = fixture.run == NULL;
		bool is_cancelled = job_fixture_cancel_job(&fixture, &err) == 0;
		job_fixture_see_end(&fixture, &outcome);
		assert_int_equal(outcome.state, is_cancelled ? JOB_CANCELLED : JOB_SUCCEEDED);
		assert_int_equal(fixture.acm.imported, is_cancelled ? 0 : 1);
		assert_int_equal(fake_call_count_of("ImportCertificate"), is_cancelled ? 0 : 1);
		assert_int_equal(outcome.may_have_imported, !is_cancelled);
		cancelled += is_cancelled;
		late += !is_cancelled;
		job_fixture_close(&fixture);
	}
	assert_true(cancelled > 5 && late > 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		JOB_TEST(delete_refuses_drains_and_archives),
		JOB_TEST(a_delete_does_not_believe_the_first_look_that_shows_nothing),
		JOB_TEST(a_draining_delete_can_be_cancelled),
		cmocka_unit_test(a_cancel_at_any_moment_is_heard_or_too_late),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
