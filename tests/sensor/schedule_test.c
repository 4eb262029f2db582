#include "sensor/schedule.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "store/accounts.h"
#include "store/coverage.h"

enum { NOW_S = 1000000, HOUR_S = 3600, DAY_S = 86400 };

static void next_cycle_is_an_interval_away_with_ten_percent_of_jitter(void **state)
{
	(void)state;
	assert_int_equal(schedule_next_s(NOW_S, DAY_S, 0), NOW_S + DAY_S - 8640);
	assert_int_equal(schedule_next_s(NOW_S, DAY_S, SCHEDULE_RANDOM / 2), NOW_S + DAY_S);
	assert_int_equal(schedule_next_s(NOW_S, DAY_S, SCHEDULE_RANDOM), NOW_S + DAY_S + 8640);
}

static void failures_are_tried_again_soon_and_then_at_the_interval(void **state)
{
	(void)state;
	assert_int_equal(schedule_failure_s(NOW_S, DAY_S, 1), NOW_S + 300);
	assert_int_equal(schedule_failure_s(NOW_S, DAY_S, 2), NOW_S + 600);
	assert_int_equal(schedule_failure_s(NOW_S, DAY_S, 5), NOW_S + 4800);
	assert_int_equal(schedule_failure_s(NOW_S, DAY_S, 9), NOW_S + 76800);
	assert_int_equal(schedule_failure_s(NOW_S, DAY_S, 10), NOW_S + DAY_S);
	assert_int_equal(schedule_failure_s(NOW_S, DAY_S, UINT32_MAX), NOW_S + DAY_S);
	assert_int_equal(schedule_failure_s(NOW_S, 60, 1), NOW_S + 60);
}

static void cycle_is_due_at_its_time_and_before_a_catch_up(void **state)
{
	(void)state;
	struct schedule schedule = {.interval_s = DAY_S, .next_s = NOW_S + 10};
	assert_int_equal(schedule_decide(&schedule, NOW_S + 9), SCHEDULE_NOTHING);
	assert_int_equal(schedule_decide(&schedule, NOW_S + 10), SCHEDULE_CYCLE);
	schedule.catch_up_s = NOW_S + 5;
	assert_int_equal(schedule_decide(&schedule, NOW_S + 4), SCHEDULE_NOTHING);
	assert_int_equal(schedule_decide(&schedule, NOW_S + 5), SCHEDULE_CATCH_UP);
	assert_int_equal(schedule_decide(&schedule, NOW_S + 10), SCHEDULE_CYCLE);
	schedule.not_before_s = NOW_S + 60;
	assert_int_equal(schedule_decide(&schedule, NOW_S + 59), SCHEDULE_NOTHING);
	assert_int_equal(schedule_decide(&schedule, NOW_S + 60), SCHEDULE_CYCLE);
}

static void first_cycle_is_due_at_once(void **state)
{
	(void)state;
	const struct schedule schedule = {.interval_s = DAY_S};
	assert_int_equal(schedule_decide(&schedule, NOW_S), SCHEDULE_CYCLE);
	assert_int_equal(schedule_wait_ms(&schedule, NOW_S), 0);
}

static void waiting_looks_at_the_clock_now_and_then(void **state)
{
	(void)state;
	struct schedule schedule = {.interval_s = DAY_S, .next_s = NOW_S + DAY_S};
	assert_int_equal(schedule_wait_ms(&schedule, NOW_S), SCHEDULE_LOOK_MAX_MS);
	assert_int_equal(schedule_wait_ms(&schedule, NOW_S + DAY_S - 7), 7000);
	assert_int_equal(schedule_wait_ms(&schedule, NOW_S + 2 * DAY_S), 0);
	schedule.catch_up_s = NOW_S + 3;
	assert_int_equal(schedule_wait_ms(&schedule, NOW_S), 3000);
}

static void clock_that_was_set_back_does_not_stop_the_work(void **state)
{
	(void)state;
	struct schedule schedule = {.interval_s = DAY_S,
		.next_s = NOW_S + DAY_S + 8640,
		.not_before_s = NOW_S + SCHEDULE_PAUSE_S};
	assert_false(schedule_mend(&schedule, NOW_S));
	assert_true(schedule_mend(&schedule, NOW_S - 30 * DAY_S));
	assert_int_equal(schedule.next_s, NOW_S - 29 * DAY_S);
	assert_int_equal(schedule.not_before_s, NOW_S - 30 * DAY_S + SCHEDULE_PAUSE_S);
	assert_false(schedule_mend(&schedule, NOW_S - 30 * DAY_S));
}

static void interrupted_cycle_goes_on_while_it_is_young(void **state)
{
	(void)state;
	struct cycle_record cycle = {.started_s = NOW_S};
	assert_true(schedule_continues(&cycle, NOW_S, DAY_S));
	assert_true(schedule_continues(&cycle, NOW_S + DAY_S - 1, DAY_S));
	assert_false(schedule_continues(&cycle, NOW_S + DAY_S, DAY_S));
	assert_false(schedule_continues(&cycle, NOW_S - 1, DAY_S)); /* started in the future */
	cycle.finished_s = NOW_S + 1;
	assert_false(schedule_continues(&cycle, NOW_S + 2, DAY_S));
	assert_false(schedule_continues(&(struct cycle_record){.started_s = 0}, NOW_S, DAY_S));
}

/* --- account-regions ---------------------------------------------------------------------------- */

static struct coverage_record tried(enum coverage_state state, int64_t ago_s, int64_t next_in_s)
{
	return (struct coverage_record){
		.state = state, .last_attempt_s = NOW_S - ago_s, .next_try_s = NOW_S + next_in_s};
}

static void new_ones_and_those_asked_for_by_hand_are_always_due(void **state)
{
	(void)state;
	const struct coverage_record denied = tried(COVERAGE_DENIED, 0, DAY_S);
	assert_true(schedule_is_due(SCHEDULE_BY_HAND, &denied, 0, NOW_S));
	assert_true(schedule_is_due(SCHEDULE_BY_HAND, NULL, 0, NOW_S));
	assert_true(schedule_is_due(SCHEDULE_OF_CYCLE, NULL, NOW_S - 5, NOW_S));
	assert_true(schedule_is_due(SCHEDULE_OF_CATCH_UP, NULL, 0, NOW_S));
}

static void cycle_tries_everything_but_what_is_refused_until_its_next_try(void **state)
{
	(void)state;
	static const enum coverage_state refused[] = {COVERAGE_ROLE_UNASSUMABLE, COVERAGE_DENIED,
		COVERAGE_DENIED_BY_SCP, COVERAGE_REGION_DISABLED};
	static const enum coverage_state others[] = {COVERAGE_NEVER_TRIED, COVERAGE_OK,
		COVERAGE_THROTTLED, COVERAGE_UNREACHABLE, COVERAGE_FAILED,
		COVERAGE_ACCOUNT_INACTIVE, COVERAGE_EXCLUDED};
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		struct coverage_record record = tried(refused[i], DAY_S, 1);
		assert_false(schedule_is_due(SCHEDULE_OF_CYCLE, &record, 0, NOW_S));
		record.next_try_s = NOW_S;
		assert_true(schedule_is_due(SCHEDULE_OF_CYCLE, &record, 0, NOW_S));
	}
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		const struct coverage_record record = tried(others[i], 5, DAY_S);
		assert_true(schedule_is_due(SCHEDULE_OF_CYCLE, &record, 0, NOW_S));
	}
}

static void continued_cycle_leaves_out_what_it_had_tried(void **state)
{
	(void)state;
	struct coverage_record record = tried(COVERAGE_OK, 10, DAY_S);
	assert_false(schedule_is_due(SCHEDULE_OF_CYCLE, &record, NOW_S - 10, NOW_S));
	assert_true(schedule_is_due(SCHEDULE_OF_CYCLE, &record, NOW_S - 9, NOW_S));
	record.last_attempt_s = NOW_S + HOUR_S; /* the clock was set back since */
	assert_true(schedule_is_due(SCHEDULE_OF_CYCLE, &record, NOW_S - 10, NOW_S));
}

static void catch_up_tries_problems_whose_next_try_has_come(void **state)
{
	(void)state;
	for (int i = 0; i < COVERAGE_STATES; i++) {
		enum coverage_state one = (enum coverage_state)i;
		struct coverage_record record = tried(one, HOUR_S, 0);
		bool expected = coverage_is_problem(one) && one != COVERAGE_NEVER_TRIED;
		assert_int_equal(
			schedule_is_due(SCHEDULE_OF_CATCH_UP, &record, 0, NOW_S), expected);
		record.next_try_s = NOW_S + 1;
		assert_false(schedule_is_due(SCHEDULE_OF_CATCH_UP, &record, 0, NOW_S));
	}
}

static void catch_up_reads_again_what_was_changed(void **state)
{
	(void)state;
	struct coverage_record record = tried(COVERAGE_OK, HOUR_S, DAY_S);
	record.next_try_s = -(NOW_S - SCHEDULE_SETTLE_S);
	assert_true(schedule_is_due(SCHEDULE_OF_CATCH_UP, &record, 0, NOW_S));
	assert_false(schedule_is_due(SCHEDULE_OF_CATCH_UP, &record, 0, NOW_S - 1));
	assert_true(schedule_is_due(SCHEDULE_OF_CYCLE, &record, 0, NOW_S));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(next_cycle_is_an_interval_away_with_ten_percent_of_jitter),
		cmocka_unit_test(failures_are_tried_again_soon_and_then_at_the_interval),
		cmocka_unit_test(cycle_is_due_at_its_time_and_before_a_catch_up),
		cmocka_unit_test(first_cycle_is_due_at_once),
		cmocka_unit_test(waiting_looks_at_the_clock_now_and_then),
		cmocka_unit_test(clock_that_was_set_back_does_not_stop_the_work),
		cmocka_unit_test(interrupted_cycle_goes_on_while_it_is_young),
		cmocka_unit_test(new_ones_and_those_asked_for_by_hand_are_always_due),
		cmocka_unit_test(cycle_tries_everything_but_what_is_refused_until_its_next_try),
		cmocka_unit_test(continued_cycle_leaves_out_what_it_had_tried),
		cmocka_unit_test(catch_up_tries_problems_whose_next_try_has_come),
		cmocka_unit_test(catch_up_reads_again_what_was_changed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
